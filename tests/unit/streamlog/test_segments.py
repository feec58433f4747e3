import pytest

from potok.errors import LogLost
from potok.events.envelope import START, Offset, StoredEvent
from potok.events.json_form import encode_event
from potok.events.kinds import Event, TextDelta, Unknown
from potok.streamlog import segments
from potok.streamlog.segments import Packer, Place, unpack_chunk, unpack_segment

EVENTS: tuple[Event, ...] = (
    TextDelta(part="t1", text="a\nb"),
    TextDelta(part="t1", text="\u2028 ы"),
    Unknown(kind="hologram", fields={"x": [1]}),
)
LINES = [encode_event(event) for event in EVENTS]


def pack(*runs: str) -> tuple[bytes, list[Place]]:
    packer = Packer(segment=7)
    places = [
        packer.add(run, epoch=3, first=Offset(10 + number), lines=LINES)
        for number, run in enumerate(runs)
    ]
    assert len(packer.segments) == 1
    return b"".join(packer.segments[0]), places


def test_a_segment_gives_back_every_run_s_events() -> None:
    blob, _ = pack("run-a", "run-b", "run-c")

    chunks = unpack_segment(blob)

    assert [(one.run, one.epoch, one.first, one.count) for one in chunks] == [
        ("run-a", 3, 10, 3),
        ("run-b", 3, 11, 3),
        ("run-c", 3, 12, 3),
    ]
    assert list(chunks[1].events_after(START, at=5.0)) == [
        StoredEvent(Offset(11 + number), event, 5.0) for number, event in enumerate(EVENTS)
    ]


def test_a_place_finds_its_chunk_in_the_blob() -> None:
    blob, places = pack("run-a", "a longer name", "run-c")

    for place, run in zip(places, ("run-a", "a longer name", "run-c"), strict=True):
        cut = blob[place.position : place.position + place.length]
        chunk, end = unpack_chunk(cut)
        assert (chunk.run, chunk.first, end, place.segment) == (run, place.first, len(cut), 7)


@pytest.mark.parametrize("after", range(9, 14))
def test_a_chunk_gives_only_what_follows_the_offset(after: int) -> None:
    blob, _ = pack("run-a")
    chunk, _ = unpack_chunk(blob)

    found = [one.offset for one in chunk.events_after(Offset(after), at=0.0)]

    assert found == [offset for offset in (10, 11, 12) if offset > after]


def test_a_segment_cut_anywhere_within_a_chunk_is_said_to_be_damaged() -> None:
    blob, places = pack("run-a", "run-b")
    whole = {0, places[1].position, len(blob)}

    for cut in range(len(blob)):
        if cut in whole:
            assert len(unpack_segment(blob[:cut])) == sorted(whole).index(cut)
        else:
            with pytest.raises(LogLost):
                unpack_segment(blob[:cut])


@pytest.mark.parametrize("damage", [b"\n", b"{", b"\x00"])
def test_damaged_events_are_said_to_be_lost(damage: bytes) -> None:
    blob, _ = pack("run-a")
    at = blob.index(b'"text"')
    chunk, _ = unpack_chunk(blob[:at] + damage + blob[at + 1 :])

    with pytest.raises(LogLost):
        list(chunk.events_after(START, at=0.0))


def test_a_name_that_is_no_text_is_said_to_be_damage() -> None:
    blob, _ = pack("run-a")

    with pytest.raises(LogLost):
        unpack_segment(blob.replace(b"run-a", b"run-\xff"))


def test_a_large_commit_is_cut_into_segments_between_chunks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    size = len(pack("run-0")[0])
    monkeypatch.setattr(segments, "SEGMENT_BYTES_MAX", 2 * size)
    packer = Packer(segment=7)

    places = [packer.add(f"run-{n}", epoch=1, first=Offset(1), lines=LINES) for n in range(5)]

    blobs = [b"".join(pieces) for pieces in packer.segments]
    assert [len(unpack_segment(blob)) for blob in blobs] == [2, 2, 1]
    assert [(one.segment, one.position) for one in places] == [
        (7, 0), (7, size), (8, 0), (8, size), (9, 0),
    ]  # fmt: skip


def test_a_chunk_over_the_bound_has_a_segment_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "SEGMENT_BYTES_MAX", 1)
    packer = Packer(segment=1)

    for run in ("run-a", "run-b"):
        packer.add(run, epoch=1, first=Offset(1), lines=LINES)

    assert [unpack_segment(b"".join(one))[0].run for one in packer.segments] == ["run-a", "run-b"]
