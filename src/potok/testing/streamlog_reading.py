"""The part of the log suite about reading and waiting."""

import asyncio
from pathlib import Path

import pytest

from potok.errors import OffsetInvalid, RunNotFound
from potok.events.envelope import START, Offset, StoredEvent
from potok.limits import READ_BYTES_MAX
from potok.streamlog.contract import Batch, RunRecord, StreamLog
from potok.testing.fakes import CountingIds, FakeClock
from potok.testing.streamlog_base import (
    LONG,
    NOBODY,
    SOON,
    LogBench,
    create,
    end,
    let_others_run,
    read_rest,
    texts,
    texts_of,
    write,
)

__all__ = ["ReadingSuite", "WaitingSuite"]


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
        pieces = [
            letter * (READ_BYTES_MAX * size // 6) for letter, size in (("a", 4), ("b", 7), ("c", 4))
        ]
        for piece in pieces:
            await write(log, run, *texts(piece))
        await end(log, run)

        page = await log.read(run.run, after=START, events_max=500)

        assert 1 <= len(page.events) < 5
        assert await texts_of(log, run.run) == pieces

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
        await let_others_run()

        await write(log, run, *texts("a"))

        assert await asyncio.gather(*waits) == [True] * 20

    async def test_the_end_wakes_a_reader(self, log: StreamLog, run: RunRecord) -> None:
        wait = asyncio.create_task(log.wait_beyond(run.run, START, seconds=LONG))
        await let_others_run()

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
        await let_others_run()

        await write(log, other, *texts("a"))

        assert not await wait

    async def test_a_cancelled_wait_takes_no_other_with_it(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        first, second = (
            asyncio.create_task(log.wait_beyond(run.run, START, seconds=LONG)) for _ in range(2)
        )
        await let_others_run()
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
        await let_others_run()

        await log.close()
        await log.close()

        assert not await wait
