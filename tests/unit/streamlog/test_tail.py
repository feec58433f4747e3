import pytest

from potok.events.envelope import Offset, StoredEvent
from potok.events.kinds import TextDelta
from potok.limits import TAIL_EVENT_OVERHEAD_BYTES
from potok.streamlog import tail
from potok.streamlog.run_index import RunIndex
from potok.streamlog.tail import RecentEvents, Tails, VisibleRun

ROOM_FOR_FOUR = 4 * (TAIL_EVENT_OVERHEAD_BYTES + 10)


def stored(*offsets: int) -> list[StoredEvent]:
    return [StoredEvent(Offset(one), TextDelta(part="t", text=str(one)), 1.0) for one in offsets]


def visible() -> VisibleRun:
    return VisibleRun(principal="ann", tail=Offset(0), last_event_at=0.0, index=RunIndex(base=1))


def test_what_is_held_can_be_read_from_every_offset() -> None:
    recent = RecentEvents(Offset(5))
    recent.extend(stored(6, 7), size=20, bytes_max=ROOM_FOR_FOUR)
    recent.extend(stored(8), size=10, bytes_max=ROOM_FOR_FOUR)

    assert recent.after(Offset(4), events_max=9) is None
    assert recent.after(Offset(5), events_max=9) == stored(6, 7, 8)
    assert recent.after(Offset(6), events_max=1) == stored(7)
    assert recent.after(Offset(8), events_max=9) == []


def test_the_oldest_commits_go_when_there_is_no_room() -> None:
    recent = RecentEvents(Offset(0))
    for offset in range(1, 40):
        recent.extend(stored(offset), size=10, bytes_max=ROOM_FOR_FOUR)

        held = [after for after in range(offset) if recent.after(Offset(after), events_max=9)]
        assert held == list(range(max(offset - 4, 0), offset))


def test_memory_follows_the_bound_not_the_run() -> None:
    recent = RecentEvents(Offset(0))

    for offset in range(1, 2_000):
        recent.extend(stored(offset), size=10, bytes_max=ROOM_FOR_FOUR)

    assert len(recent._events) <= 6


def test_the_newest_commit_is_held_whatever_its_size() -> None:
    recent = RecentEvents(Offset(0))
    recent.extend(stored(1), size=10, bytes_max=1)

    recent.extend(stored(2, 3), size=10_000, bytes_max=1)

    assert recent.after(Offset(0), events_max=9) is None
    assert recent.after(Offset(1), events_max=9) == stored(2, 3)


def test_many_live_runs_share_the_bytes_for_tails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "TAILS_BYTES_MAX", 2 * ROOM_FOR_FOUR)
    tails = Tails()
    tails.live["first"] = visible()
    for offset in range(1, 9):
        tails.extend("first", stored(offset), size=10, is_ended=False)
    alone = tails.live["first"].recent.after(Offset(0), events_max=99)

    tails.live |= {f"run-{number}": visible() for number in range(3)}
    tails.extend("first", stored(9), size=10, is_ended=False)

    assert alone == stored(*range(1, 9))
    assert tails.live["first"].recent.after(Offset(6), events_max=99) is None
    assert tails.live["first"].recent.after(Offset(7), events_max=99) == stored(8, 9)


def test_only_the_last_ended_runs_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "ENDED_TAILS_MAX", 2)
    tails = Tails()
    for run in ("a", "b", "c", "d"):
        tails.live[run] = visible()
        tails.extend(run, stored(1), size=10, is_ended=True)

    assert [run for run in "abcd" if tails.find(run)] == ["c", "d"]
    assert tails.live == {}


def test_a_trimmed_run_is_forgotten() -> None:
    tails = Tails()
    tails.live["a"] = visible()
    tails.extend("a", stored(1), size=10, is_ended=True)

    tails.forget("a")
    tails.forget("never there")

    assert tails.find("a") is None
