"""The part of the log suite about who may write, and about what is kept how long."""

import asyncio

import pytest
from msgspec.structs import replace

from potok.clock import RunId, WorkerId
from potok.errors import (
    LogLost,
    OffsetExpired,
    OffsetInvalid,
    PotokError,
    RunNotFound,
    StaleEpoch,
)
from potok.events.envelope import START, Offset
from potok.streamlog.contract import Batch, Ending, RunRecord, StreamLog, Trimmed
from potok.testing.fakes import CountingIds, FakeClock
from potok.testing.streamlog_base import (
    ANN,
    BEN,
    EVER,
    LONG,
    NOBODY,
    OTHER_WORKER,
    SNAPSHOT,
    SOON,
    WORKER,
    LogBench,
    attempt,
    create,
    end,
    let_others_run,
    new_run,
    texts,
    texts_of,
    write,
)

__all__ = ["CancelsSuite", "LeasesSuite", "LossSuite", "RetentionSuite"]

LEASE_SECONDS = 5.0


class LeasesSuite(LogBench):
    """Who may write, who may take over."""

    async def abandoned(self, log: StreamLog) -> list[RunId]:
        """Return the runs that nobody keeps."""
        return [one.run for one in await log.list_abandoned(items_max=10)]

    async def test_a_run_is_abandoned_while_its_worker_has_no_lease(
        self, log: StreamLog, run: RunRecord, clock: FakeClock
    ) -> None:
        never = await self.abandoned(log)
        await log.renew_lease(WORKER, seconds=LEASE_SECONDS)
        held = await self.abandoned(log)
        clock.advance(LEASE_SECONDS - 1)
        await log.renew_lease(WORKER, seconds=LEASE_SECONDS)
        clock.advance(LEASE_SECONDS - 1)
        renewed = await self.abandoned(log)
        clock.advance(1)
        over = await self.abandoned(log)

        assert (never, held, renewed, over) == ([run.run], [], [], [run.run])

    async def test_a_lease_that_is_given_up_is_over_at_once(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        await log.renew_lease(WORKER, seconds=LEASE_SECONDS)
        await log.release_lease(WORKER)
        await log.release_lease(WORKER)

        assert await self.abandoned(log) == [run.run]

    async def test_abandoned_runs_come_oldest_first_and_of_every_principal(
        self, log: StreamLog, ids: CountingIds
    ) -> None:
        await log.renew_lease(OTHER_WORKER, seconds=LEASE_SECONDS)
        runs = [await create(log, ids, principal=who) for who in (ANN, BEN, ANN)]
        await create(log, ids, worker=OTHER_WORKER)
        await write(log, runs[1], *texts("a"))

        found = await log.list_abandoned(items_max=2)

        assert [one.run for one in found] == [runs[0].run, runs[1].run]
        assert [(one.status, one.tail) for one in found] == [("queued", 0), ("running", 1)]

    async def test_an_ended_run_is_nobody_s_to_take(self, log: StreamLog, run: RunRecord) -> None:
        await end(log, run)

        assert await self.abandoned(log) == []
        with pytest.raises(StaleEpoch):
            await log.take_over(run.run, worker=OTHER_WORKER, epoch=1)

    async def test_a_take_over_gives_the_run_another_writer_and_the_next_epoch(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        await write(log, run, *texts("a"))
        await log.put_attempt(run.run, epoch=1, attempt=attempt(1))
        await log.request_cancel(run.run)
        await log.renew_lease(OTHER_WORKER, seconds=LEASE_SECONDS)

        taken = await log.take_over(run.run, worker=OTHER_WORKER, epoch=1)

        assert (taken.epoch, taken.worker, taken.tail) == (2, OTHER_WORKER, 1)
        assert (taken.attempts, taken.cancel_requested) == ((attempt(1),), True)
        assert taken == await log.read_run(run.run)
        assert await self.abandoned(log) == []

    async def test_the_new_writer_goes_on_where_the_old_one_stopped(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        await write(log, run, *texts("a", "b"))
        taken = await log.take_over(run.run, worker=OTHER_WORKER, epoch=1)

        appended = await write(log, taken, *texts("c"))

        assert appended.tail == 3
        assert await texts_of(log, run.run) == ["a", "b", "c"]

    async def test_a_zombie_writes_nothing(self, log: StreamLog, run: RunRecord) -> None:
        taken = await log.take_over(run.run, worker=OTHER_WORKER, epoch=1)

        for call in (
            write(log, run, *texts("zombie")),
            end(log, run),
            log.put_attempt(run.run, epoch=1, attempt=attempt(1)),
        ):
            with pytest.raises(StaleEpoch) as caught:
                await call
            assert caught.value.current == 2

        assert await log.read_run(run.run) == taken
        assert await texts_of(log, run.run) == []

    async def test_a_zombie_s_write_that_meets_the_take_over_is_stored_before_it_or_not_at_all(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        taking, writing = await asyncio.gather(
            log.take_over(run.run, worker=OTHER_WORKER, epoch=1),
            log.append([Batch(run.run, 1, texts("zombie"))]),
        )

        stored = await texts_of(log, run.run)
        assert stored == ([] if isinstance(writing[0], PotokError) else ["zombie"])
        assert len(stored) == taking.tail

    async def test_of_several_takers_one_succeeds(self, log: StreamLog, run: RunRecord) -> None:
        results = await asyncio.gather(
            *(log.take_over(run.run, worker=WorkerId(f"w{n}"), epoch=1) for n in range(5)),
            return_exceptions=True,
        )

        kinds = sorted(type(one).__name__ for one in results)
        assert kinds == ["RunRecord"] + ["StaleEpoch"] * 4
        assert (await log.read_run(run.run)).epoch == 2

    async def test_a_take_over_whose_answer_was_lost_succeeds_again(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        await write(log, run, *texts("before"))
        taken = await log.take_over(run.run, worker=OTHER_WORKER, epoch=1)
        await log.renew_lease(OTHER_WORKER, seconds=LEASE_SECONDS)

        again = await log.take_over(run.run, worker=OTHER_WORKER, epoch=1)

        assert (again.epoch, again.worker, again.tail) == (2, OTHER_WORKER, taken.tail)
        await write(log, again, *texts("after"))
        with pytest.raises(StaleEpoch):
            await log.take_over(run.run, worker=WORKER, epoch=1)

    async def test_a_run_whose_writer_is_alive_is_not_taken(
        self, log: StreamLog, run: RunRecord, clock: FakeClock
    ) -> None:
        await log.renew_lease(WORKER, seconds=LEASE_SECONDS)
        with pytest.raises(StaleEpoch):
            await log.take_over(run.run, worker=OTHER_WORKER, epoch=1)
        await write(log, run, *texts("still here"))
        clock.advance(LEASE_SECONDS)

        taken = await log.take_over(run.run, worker=OTHER_WORKER, epoch=1)

        assert (taken.epoch, taken.tail) == (2, 1)

    async def test_nobody_takes_a_run_that_nobody_made(self, log: StreamLog) -> None:
        with pytest.raises(RunNotFound):
            await log.take_over(NOBODY, worker=WORKER, epoch=1)


class CancelsSuite(LogBench):
    """How the worker that makes a run hears that it shall end, and what readers leave behind."""

    async def test_a_waiting_worker_hears_of_a_cancel_at_once(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        waiting = asyncio.create_task(log.wait_cancels(WORKER, seconds=LONG))
        await let_others_run()

        await log.request_cancel(run.run)

        assert await waiting == [run.run]

    async def test_a_cancel_before_the_wait_is_heard_of_too(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        await log.request_cancel(run.run)

        assert await log.wait_cancels(WORKER, seconds=LONG) == [run.run]

    async def test_a_cancel_is_told_again_until_the_run_has_ended(
        self, log: StreamLog, ids: CountingIds, run: RunRecord
    ) -> None:
        other = await create(log, ids)
        await log.request_cancel(run.run)
        await log.request_cancel(other.run)
        await log.wait_cancels(WORKER, seconds=LONG)
        again = await log.wait_cancels(WORKER, seconds=SOON)
        await end(log, run, "cancelled")
        left = await log.wait_cancels(WORKER, seconds=SOON)

        assert sorted(again) == sorted([run.run, other.run])
        assert left == [other.run]

    async def test_other_workers_hear_nothing_of_it(self, log: StreamLog, run: RunRecord) -> None:
        await log.request_cancel(run.run)

        assert await log.wait_cancels(OTHER_WORKER, seconds=SOON) == []

    async def test_who_takes_a_run_over_hears_of_its_cancel(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        await log.take_over(run.run, worker=OTHER_WORKER, epoch=1)
        await log.request_cancel(run.run)

        assert await log.wait_cancels(OTHER_WORKER, seconds=LONG) == [run.run]
        assert await log.wait_cancels(WORKER, seconds=SOON) == []

    async def test_a_run_that_is_kept_says_so_in_its_request(
        self, log: StreamLog, ids: CountingIds
    ) -> None:
        new = new_run(ids)
        leaving = replace(new, request=replace(new.request, on_disconnect="cancel"))
        record, _ = await log.create_run(leaving)

        await log.keep_run(record.run)
        await log.keep_run(record.run)

        kept = await log.read_run(record.run)
        assert (record.request.on_disconnect, kept.request.on_disconnect) == ("cancel", "keep")
        assert kept == replace(record, request=kept.request)
        with pytest.raises(RunNotFound):
            await log.keep_run(NOBODY)


class LossSuite(LogBench):
    """A run whose events are gone ends, and says so."""

    async def test_a_lost_run_keeps_its_snapshot_and_tells_every_reader(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        await write(log, run, *texts("a", "b"))
        waiting = asyncio.create_task(log.wait_beyond(run.run, Offset(2), seconds=LONG))
        await let_others_run()

        await log.end_lost(run.run, epoch=1, ending=Ending(status="failed", snapshot=SNAPSHOT))

        assert await waiting
        record = await log.read_run(run.run)
        assert (record.status, record.snapshot, record.is_live) == ("failed", SNAPSHOT, False)
        for after in (0, 1, 2):
            with pytest.raises(LogLost):
                await log.read(run.run, after=Offset(after), events_max=9)
        listed = await log.list_runs(principal=ANN, status="failed", items_max=9)
        assert [one.run for one in listed] == [run.run]
        assert await log.list_abandoned(items_max=9) == []

    async def test_nobody_writes_to_a_lost_run(self, log: StreamLog, run: RunRecord) -> None:
        ending = Ending(status="failed", snapshot=SNAPSHOT)
        with pytest.raises(StaleEpoch):
            await log.end_lost(run.run, epoch=2, ending=ending)
        with pytest.raises(RunNotFound):
            await log.end_lost(NOBODY, epoch=1, ending=ending)

        await log.end_lost(run.run, epoch=1, ending=ending)

        with pytest.raises(StaleEpoch):
            await write(log, run, *texts("late"))
        with pytest.raises(StaleEpoch):
            await end(log, run)

    async def test_a_lost_run_is_forgotten_like_any_other(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        await log.end_lost(run.run, epoch=1, ending=Ending(status="failed", snapshot=SNAPSHOT))

        trimmed = await log.trim(events_before=EVER, records_before=EVER)

        assert trimmed.records == 1
        with pytest.raises(RunNotFound):
            await log.read_run(run.run)


class RetentionSuite(LogBench):
    """What goes, what stays, and how that is said."""

    async def ended_run(self, log: StreamLog, ids: CountingIds, *pieces: str) -> RunRecord:
        """Return an ended run of some text."""
        record = await create(log, ids)
        await write(log, record, *texts(*pieces))
        await end(log, record)
        return await log.read_run(record.run)

    async def test_a_forgotten_run_cannot_be_told_from_one_that_never_was(
        self, log: StreamLog, ids: CountingIds
    ) -> None:
        kept = await self.ended_run(log, ids, "kept")
        record = await create(log, ids, key="k-1")
        await write(log, record, *texts("secret"))
        await end(log, record)

        assert await log.forget_run(record.run) is True

        with pytest.raises(RunNotFound):
            await log.read_run(record.run)
        with pytest.raises(RunNotFound):
            await log.read(record.run, after=START, events_max=1)
        with pytest.raises(RunNotFound):
            await log.forget_run(record.run)
        listed = await log.list_runs(principal=ANN, items_max=10)
        assert [one.run for one in listed] == [kept.run]
        again = await create(log, ids, key="k-1")
        assert again.run != record.run

    async def test_a_live_run_is_not_forgotten(self, log: StreamLog, ids: CountingIds) -> None:
        record = await create(log, ids)
        await write(log, record, *texts("still coming"))

        assert await log.forget_run(record.run) is False

        assert (await log.read(record.run, after=START, events_max=10)).events

    async def test_trimmed_events_are_said_to_be_gone(
        self, log: StreamLog, ids: CountingIds, clock: FakeClock
    ) -> None:
        record = await self.ended_run(log, ids, "a", "b")
        clock.advance(10)

        trimmed = await log.trim(events_before=clock.now(), records_before=0)

        assert trimmed == Trimmed(events_of=1, records=0)
        for after in range(3):
            with pytest.raises(OffsetExpired) as caught:
                await log.read(record.run, after=Offset(after), events_max=9)
            assert (caught.value.wanted, caught.value.first) == (after, 4)
        with pytest.raises(OffsetInvalid):
            await log.read(record.run, after=Offset(4), events_max=9)

    async def test_a_reader_who_has_all_gets_the_end_of_a_trimmed_run(
        self, log: StreamLog, ids: CountingIds
    ) -> None:
        record = await self.ended_run(log, ids, "a", "b")
        await log.trim(events_before=EVER, records_before=0)

        page = await log.read(record.run, after=Offset(3), events_max=9)

        assert (list(page.events), page.tail, page.ended) == ([], 3, True)
        assert await log.wait_beyond(record.run, START, seconds=30)
        assert not await log.wait_beyond(record.run, Offset(3), seconds=30)

    async def test_the_record_outlives_its_events(self, log: StreamLog, ids: CountingIds) -> None:
        record = await self.ended_run(log, ids, "a", "b")

        await log.trim(events_before=EVER, records_before=0)

        kept = await log.read_run(record.run)
        assert (kept.first, kept.tail, kept.status) == (4, 3, "finished")
        assert kept.snapshot == SNAPSHOT

    async def test_only_runs_that_ended_before_are_trimmed(
        self, log: StreamLog, ids: CountingIds, clock: FakeClock
    ) -> None:
        old = await self.ended_run(log, ids, "old")
        clock.advance(10)
        limit = clock.now()
        young = await self.ended_run(log, ids, "young")

        trimmed = await log.trim(events_before=limit, records_before=limit)

        assert trimmed == Trimmed(events_of=1, records=1)
        assert await texts_of(log, young.run) == ["young"]
        with pytest.raises(RunNotFound):
            await log.read_run(old.run)

    async def test_a_live_run_loses_nothing_whatever_its_age(
        self, log: StreamLog, ids: CountingIds, clock: FakeClock
    ) -> None:
        live, ended = await create(log, ids), await create(log, ids)
        for number in range(3):
            await log.append(
                [
                    Batch(live.run, 1, texts(f"live {number}")),
                    Batch(ended.run, 1, texts(f"ended {number}")),
                ]
            )
        await end(log, ended)
        clock.advance(1e6)

        trimmed = await log.trim(events_before=EVER, records_before=EVER)

        assert trimmed == Trimmed(events_of=1, records=1)
        await write(log, live, *texts("live 3"))
        assert await texts_of(log, live.run) == [f"live {number}" for number in range(4)]

    async def test_a_forgotten_run_is_as_if_it_had_never_been(
        self, log: StreamLog, ids: CountingIds
    ) -> None:
        record = await create(log, ids, key="k")
        await end(log, record)

        await log.trim(events_before=EVER, records_before=EVER)

        for call in (log.read_run(record.run), log.read(record.run, after=START, events_max=9)):
            with pytest.raises(RunNotFound):
                await call
        assert await log.list_runs(principal=ANN, items_max=9) == []
        _, is_new = await log.create_run(new_run(ids, key="k", request_hash="another"))
        assert is_new

    async def test_what_is_trimmed_is_counted_once(self, log: StreamLog, ids: CountingIds) -> None:
        for number in range(5):
            await self.ended_run(log, ids, f"{number}")

        first = await log.trim(events_before=EVER, records_before=0)
        again = await log.trim(events_before=EVER, records_before=0)
        forgotten = await log.trim(events_before=EVER, records_before=EVER)

        assert first == Trimmed(events_of=5, records=0)
        assert again == Trimmed(events_of=0, records=0)
        assert forgotten == Trimmed(events_of=0, records=5)

    async def test_new_runs_are_whole_after_everything_was_trimmed(
        self, log: StreamLog, ids: CountingIds
    ) -> None:
        waiting = await create(log, ids)
        await self.ended_run(log, ids, "old")
        await log.trim(events_before=EVER, records_before=EVER)

        young = await self.ended_run(log, ids, "young")
        await write(log, waiting, *texts("waited"))

        assert await texts_of(log, young.run) == ["young"]
        assert await texts_of(log, waiting.run) == ["waited"]
