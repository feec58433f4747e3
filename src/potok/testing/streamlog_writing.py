"""The part of the log suite about writing: order, refusals, endings."""

import asyncio

import pytest

from potok.errors import GrammarViolation, RunNotFound, StaleEpoch
from potok.events.envelope import START, Offset
from potok.events.json_form import encode_event
from potok.events.kinds import Event, RunEnd, TextDelta, Unknown
from potok.streamlog.contract import Appended, Batch, Ending, RunRecord, StreamLog
from potok.testing.fakes import CountingIds, FakeClock
from potok.testing.samples import HOSTILE_TEXTS, SAMPLES
from potok.testing.streamlog_base import (
    NOBODY,
    SNAPSHOT,
    SOON,
    LogBench,
    Outcome,
    create,
    end,
    ending_batch,
    let_others_run,
    read_rest,
    texts,
    texts_of,
    write,
)

__all__ = ["WritingSuite"]

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
            await let_others_run()
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
