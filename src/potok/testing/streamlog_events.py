"""The part of the log suite about events: writing, reading, waiting."""

import asyncio
from pathlib import Path

import pytest

from potok.clock import RunId
from potok.errors import GrammarViolation, OffsetInvalid, RunNotFound, StaleEpoch
from potok.events.envelope import START, Offset, StoredEvent
from potok.events.json_form import encode_event
from potok.events.kinds import Event, RunEnd, TextDelta, Unknown
from potok.limits import READ_BYTES_MAX
from potok.streamlog.contract import Appended, Batch, Ending, RunRecord, StreamLog
from potok.testing.fakes import CountingIds, FakeClock
from potok.testing.samples import HOSTILE_TEXTS, SAMPLES
from potok.testing.streamlog_base import (
    SNAPSHOT,
    LogBench,
    Outcome,
    create,
    end,
    ending_batch,
    read_rest,
    texts,
    texts_of,
    write,
)

__all__ = ["ReadingSuite", "WaitingSuite", "WritingSuite"]

NOBODY = RunId("run-that-nobody-made")
SOON = 0.001
"""Seconds after which a wait that cannot succeed gives up: the event loop's own time."""
LONG = 30.0
"""Seconds that a wait which succeeds never takes."""

_ENDING = Ending(status="finished", snapshot=SNAPSHOT)
_END = RunEnd(outcome="finished")


class WritingSuite(LogBench):
    """Order, refusals, endings."""

    async def test_offsets_count_from_one_across_appends(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        first = await write(log, run, *texts("a", "b"))
        second = await write(log, run, *texts("c"))

        stored = await read_rest(log, run.run)
        assert (first.tail, second.tail) == (2, 3)
        assert [one.offset for one in stored] == [1, 2, 3]

    @pytest.mark.parametrize("name", SAMPLES)
    async def test_events_come_back_as_they_were_written(
        self, log: StreamLog, run: RunRecord, name: str
    ) -> None:
        events = SAMPLES[name]

        await log.append([Batch(run.run, 1, events, _ENDING)])

        stored = await read_rest(log, run.run)
        assert [encode_event(one.event) for one in stored] == [encode_event(one) for one in events]

    @pytest.mark.parametrize("text", [*HOSTILE_TEXTS, "a\nb\r\n\u2028\u0000", "\U0001f600", ""])
    async def test_any_text_survives(self, log: StreamLog, run: RunRecord, text: str) -> None:
        await write(log, run, *texts(text, "next"))

        assert await texts_of(log, run.run) == [text, "next"]

    async def test_a_kind_that_nobody_knows_survives(self, log: StreamLog, run: RunRecord) -> None:
        strange = Unknown(kind="hologram", fields={"depth": [1, {"x": None}], "text": "ы"})

        await write(log, run, strange, *texts("a"))

        assert [one.event for one in await read_rest(log, run.run)] == [strange, *texts("a")]

    async def test_events_carry_the_time_of_their_commit(
        self, log: StreamLog, run: RunRecord, clock: FakeClock
    ) -> None:
        first = await write(log, run, *texts("a"))
        clock.advance(2.5)
        second = await write(log, run, *texts("b"))

        stored = await read_rest(log, run.run)
        assert [one.at for one in stored] == [first.at, second.at]
        assert second.at == clock.now()

    async def test_one_append_writes_many_runs_each_from_its_own_offset(
        self, log: StreamLog, ids: CountingIds
    ) -> None:
        runs = [await create(log, ids) for _ in range(40)]
        await write(log, runs[0], *texts("x", "y"))

        results = await log.append([Batch(one.run, 1, texts(one.run, "-")) for one in runs])

        assert [one.run for one in results if isinstance(one, Appended)] == [
            one.run for one in runs
        ]
        assert [one.tail for one in results if isinstance(one, Appended)] == [4] + [2] * 39
        for one in runs[1:]:
            assert await texts_of(log, one.run) == [one.run, "-"]

    async def test_an_append_of_nothing_is_answered_with_nothing(self, log: StreamLog) -> None:
        assert await log.append([]) == []

    async def test_a_refused_batch_is_refused_alone(self, log: StreamLog, ids: CountingIds) -> None:
        runs = [await create(log, ids) for _ in range(3)]
        stale = Batch(runs[1].run, 7, texts("zombie"))

        results = await log.append(
            [
                Batch(runs[0].run, 1, texts("a")),
                stale,
                Batch(NOBODY, 1, texts("n")),
                Batch(runs[2].run, 1, texts("c")),
            ]
        )

        kinds = [type(one) for one in results]
        assert kinds == [Appended, StaleEpoch, RunNotFound, Appended]
        assert await texts_of(log, runs[1].run) == []
        assert await texts_of(log, runs[2].run) == ["c"]

    @pytest.mark.parametrize(
        ("events", "ending"),
        [
            ((), None),
            ((), _ENDING),
            (texts("a"), _ENDING),
            ((_END,), None),
            ((_END, *texts("a")), _ENDING),
            ((_END, _END), _ENDING),
            (texts("half a pair: \ud83d"), None),
            ((TextDelta(part="t", text="a", extra={"own": object()}),), None),
        ],
        ids=[
            "empty",
            "only an ending",
            "an ending without run-end",
            "run-end without an ending",
            "run-end before the last",
            "two run-ends",
            "half a surrogate pair",
            "an object of no JSON type",
        ],
    )
    async def test_a_batch_that_breaks_the_grammar_is_refused_alone(
        self, log: StreamLog, ids: CountingIds, events: tuple[Event, ...], ending: Ending | None
    ) -> None:
        broken, sound = await create(log, ids), await create(log, ids)

        results = await log.append(
            [Batch(broken.run, 1, events, ending), Batch(sound.run, 1, texts("a"))]
        )

        assert [type(one) for one in results] == [GrammarViolation, Appended]
        assert (await log.read_run(broken.run)).tail == START
        await write(log, broken, *texts("now whole"))

    async def test_an_event_is_seen_by_nobody_before_it_is_stored(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        await write(log, run, *texts("a"))

        async with self.hold_commits(log):
            append = asyncio.create_task(write(log, run, *texts("b")))
            await _let_others_run()
            seen = await texts_of(log, run.run)
            grew = await log.wait_beyond(run.run, Offset(1), seconds=SOON)

        await append
        assert (seen, grew) == (["a"], False)
        assert await texts_of(log, run.run) == ["a", "b"]

    async def test_an_append_whose_caller_gave_up_is_stored_or_not_but_never_in_part(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        append = asyncio.create_task(write(log, run, *texts("a", "b")))
        await asyncio.sleep(0)
        append.cancel()
        await asyncio.wait([append])
        await write(log, run, *texts("c"))

        assert await texts_of(log, run.run) in (["a", "b", "c"], ["c"])

    @pytest.mark.parametrize("outcome", ["finished", "cancelled", "failed"])
    async def test_an_ending_makes_the_record_final(
        self, log: StreamLog, run: RunRecord, clock: FakeClock, outcome: Outcome
    ) -> None:
        clock.advance(5)

        await log.append([ending_batch(run, outcome, before=texts("a"))])

        record = await log.read_run(run.run)
        assert (record.status, record.is_live, record.tail) == (outcome, False, 2)
        assert (record.snapshot, record.ended_at) == (SNAPSHOT, clock.now())
        assert record.last_event_at == clock.now()

    async def test_a_run_ends_once(self, log: StreamLog, run: RunRecord) -> None:
        results = await asyncio.gather(
            *(log.append([ending_batch(run, "finished")]) for _ in range(5))
        )

        kinds = sorted(type(result).__name__ for [result] in results)
        assert kinds == ["Appended"] + ["StaleEpoch"] * 4
        assert (await log.read_run(run.run)).tail == 1

    async def test_nothing_is_written_after_the_end(self, log: StreamLog, run: RunRecord) -> None:
        await end(log, run, "cancelled")

        with pytest.raises(StaleEpoch):
            await write(log, run, *texts("late"))
        with pytest.raises(StaleEpoch):
            await end(log, run, "finished")

        record = await log.read_run(run.run)
        assert (record.status, record.tail) == ("cancelled", 1)


class ReadingSuite(LogBench):
    """Pages at every place, and places that are none."""

    async def write_pieces(self, log: StreamLog, ids: CountingIds, run: RunRecord) -> None:
        """Write 12 deltas and an end in commits of several sizes, beside another run's."""
        other = await create(log, ids)
        pieces = [f"piece {number}" for number in range(1, 13)]
        for start, stop in ((0, 1), (1, 4), (4, 5), (5, 11), (11, 12)):
            await log.append(
                [
                    Batch(other.run, 1, texts(*["noise"] * stop)),
                    Batch(run.run, 1, texts(*pieces[start:stop])),
                ]
            )
        await end(log, run)

    @pytest.mark.parametrize("events_max", [1, 2, 5, 500])
    async def test_pages_from_every_offset_give_exactly_the_rest(
        self, log: StreamLog, ids: CountingIds, run: RunRecord, events_max: int
    ) -> None:
        await self.write_pieces(log, ids, run)
        whole = await read_rest(log, run.run, events_max=500)

        for after in range(14):
            rest = await read_rest(log, run.run, after=after, events_max=events_max)
            assert rest == whole[after:]
        assert [one.offset for one in whole] == list(range(1, 14))

    async def test_a_page_says_where_the_tail_is_and_whether_it_holds_the_end(
        self, log: StreamLog, ids: CountingIds, run: RunRecord
    ) -> None:
        await self.write_pieces(log, ids, run)

        middle = await log.read(run.run, after=Offset(3), events_max=9)
        last = await log.read(run.run, after=Offset(12), events_max=9)
        beyond = await log.read(run.run, after=Offset(13), events_max=9)

        assert (middle.tail, middle.ended, len(middle.events)) == (13, False, 9)
        assert (last.tail, last.ended, len(last.events)) == (13, True, 1)
        assert (beyond.tail, beyond.ended, len(beyond.events)) == (13, True, 0)

    async def test_an_empty_page_of_a_live_run_is_not_its_end(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        before = await log.read(run.run, after=START, events_max=5)
        await write(log, run, *texts("a"))
        after = await log.read(run.run, after=Offset(1), events_max=5)

        assert (list(before.events), before.tail, before.ended) == ([], 0, False)
        assert (list(after.events), after.tail, after.ended) == ([], 1, False)

    async def test_what_a_reader_saw_live_every_later_reader_sees(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        live: list[StoredEvent] = []
        for number in range(6):
            await write(log, run, *texts(*[f"{number}.{n}" for n in range(number + 1)]))
            live += await read_rest(log, run.run, after=len(live))
        await end(log, run)
        live += await read_rest(log, run.run, after=len(live))

        assert await read_rest(log, run.run) == live

    async def test_large_events_make_short_pages(self, log: StreamLog, run: RunRecord) -> None:
        piece = "x" * (READ_BYTES_MAX * 2 // 3)
        for number in range(4):
            await write(log, run, *texts(piece + str(number)))
        await end(log, run)

        page = await log.read(run.run, after=START, events_max=500)

        assert 1 <= len(page.events) <= 4
        assert await texts_of(log, run.run) == [piece + str(number) for number in range(4)]

    @pytest.mark.parametrize("after", [4, 1_000, 999_999_999_999_999, -1])
    @pytest.mark.parametrize("is_ended", [False, True], ids=["live", "ended"])
    async def test_an_offset_that_the_run_does_not_have_is_refused(
        self, log: StreamLog, run: RunRecord, after: int, is_ended: bool
    ) -> None:
        await write(log, run, *texts("a", "b"))
        await (end(log, run) if is_ended else write(log, run, *texts("c")))

        with pytest.raises(OffsetInvalid):
            await log.read(run.run, after=Offset(after), events_max=5)

    async def test_a_run_that_nobody_made_is_not_found(self, log: StreamLog) -> None:
        for call in (
            log.read(NOBODY, after=START, events_max=5),
            log.read_run(NOBODY),
            log.request_cancel(NOBODY),
            log.wait_beyond(NOBODY, START, seconds=LONG),
        ):
            with pytest.raises(RunNotFound):
                await call

    async def test_reading_beside_many_writes_loses_and_doubles_nothing(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        async def follow() -> list[int]:
            seen: list[int] = []
            while True:
                after = Offset(seen[-1]) if seen else START
                page = await log.read(run.run, after=after, events_max=4)
                seen += [one.offset for one in page.events]
                if page.ended:
                    return seen
                if not page.events:
                    await log.wait_beyond(run.run, after, seconds=LONG)

        readers = [asyncio.create_task(follow()) for _ in range(5)]
        for number in range(30):
            await write(log, run, *texts(*["x"] * (number % 3 + 1)))
        tail = (await end(log, run)).tail

        assert await asyncio.gather(*readers) == [list(range(1, tail + 1))] * 5


class WaitingSuite(LogBench):
    """Wake-ups: none lost, none too many, nothing left behind."""

    async def test_a_wait_is_over_at_once_when_the_tail_is_beyond(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        await write(log, run, *texts("a"))

        assert await log.wait_beyond(run.run, START, seconds=LONG)

    async def test_growth_wakes_every_reader_that_waits(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        waits = [
            asyncio.create_task(log.wait_beyond(run.run, START, seconds=LONG)) for _ in range(20)
        ]
        await _let_others_run()

        await write(log, run, *texts("a"))

        assert await asyncio.gather(*waits) == [True] * 20

    async def test_the_end_wakes_a_reader(self, log: StreamLog, run: RunRecord) -> None:
        wait = asyncio.create_task(log.wait_beyond(run.run, START, seconds=LONG))
        await _let_others_run()

        await end(log, run)

        assert await wait

    async def test_a_wait_without_growth_ends_with_false(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        await write(log, run, *texts("a"))

        assert not await log.wait_beyond(run.run, Offset(1), seconds=SOON)
        assert not await log.wait_beyond(run.run, Offset(1), seconds=0)

    async def test_the_growth_of_another_run_wakes_nobody(
        self, log: StreamLog, ids: CountingIds, run: RunRecord
    ) -> None:
        other = await create(log, ids)
        wait = asyncio.create_task(log.wait_beyond(run.run, START, seconds=SOON))
        await _let_others_run()

        await write(log, other, *texts("a"))

        assert not await wait

    async def test_a_cancelled_wait_takes_no_other_with_it(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        first, second = (
            asyncio.create_task(log.wait_beyond(run.run, START, seconds=LONG)) for _ in range(2)
        )
        await _let_others_run()
        first.cancel()
        await write(log, run, *texts("a"))

        assert await second
        with pytest.raises(asyncio.CancelledError):
            await first

    async def test_nobody_waits_for_a_run_that_has_ended(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        await end(log, run)

        assert await log.wait_beyond(run.run, START, seconds=LONG)
        assert not await log.wait_beyond(run.run, Offset(1), seconds=LONG)

    async def test_closing_sends_waiting_readers_away(
        self, clock: FakeClock, ids: CountingIds, tmp_path: Path
    ) -> None:
        log = self.make_log(clock, tmp_path)
        await log.open()
        run = await create(log, ids)
        wait = asyncio.create_task(log.wait_beyond(run.run, START, seconds=LONG))
        await _let_others_run()

        await log.close()
        await log.close()

        assert not await wait


async def _let_others_run() -> None:
    for _ in range(10):
        await asyncio.sleep(0)
