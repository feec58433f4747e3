"""The part of the log suite about runs: starting them once, their records and lists."""

import asyncio

import pytest

from potok.clock import RunId
from potok.errors import (
    IdempotencyConflict,
    RunNotFound,
    StaleEpoch,
)
from potok.events.envelope import START
from potok.limits import IDEMPOTENCY_KEY_SECONDS
from potok.streamlog.contract import RunRecord, StreamLog
from potok.testing.fakes import CountingIds, FakeClock
from potok.testing.streamlog_base import (
    ANN,
    BEN,
    NOBODY,
    SNAPSHOT,
    WORKER,
    LogBench,
    attempt,
    create,
    end,
    new_run,
    texts,
    write,
)

__all__ = ["RunsSuite"]


class RunsSuite(LogBench):
    """Starting runs once, finding them again, and what their records say."""

    async def test_a_new_run_is_queued_and_its_record_keeps_the_request(
        self, log: StreamLog, ids: CountingIds, clock: FakeClock
    ) -> None:
        new = new_run(ids, key="k")

        record, is_new = await log.create_run(new)

        assert is_new
        assert record == await log.read_run(new.run)
        assert record == RunRecord(
            run=new.run,
            principal=ANN,
            status="queued",
            request=new.request,
            request_hash="hash",
            created_at=clock.now(),
            last_event_at=clock.now(),
            epoch=1,
            worker=WORKER,
            tail=START,
            idempotency_key="k",
        )

    async def test_a_run_is_running_from_its_first_event(
        self, log: StreamLog, run: RunRecord, clock: FakeClock
    ) -> None:
        clock.advance(1)
        await write(log, run, *texts("a", "b"))

        record = await log.read_run(run.run)
        assert (record.status, record.tail, record.last_event_at) == ("running", 2, clock.now())
        assert record.created_at == run.created_at

    async def test_the_same_key_and_request_find_the_run_again(
        self, log: StreamLog, ids: CountingIds
    ) -> None:
        first, _ = await log.create_run(new_run(ids, key="k"))
        await write(log, first, *texts("a"))

        again, is_new = await log.create_run(new_run(ids, key="k"))

        assert (again.run, again.tail, is_new) == (first.run, 1, False)
        assert len(await log.list_runs(principal=ANN, items_max=10)) == 1

    async def test_a_key_can_be_asked_for_before_anything_is_started(
        self, log: StreamLog, ids: CountingIds, clock: FakeClock
    ) -> None:
        before = await log.find_started(ANN, "k", request_hash="hash")
        record = await create(log, ids, key="k")
        found = await log.find_started(ANN, "k", request_hash="hash")
        of_ben = await log.find_started(BEN, "k", request_hash="hash")
        with pytest.raises(IdempotencyConflict):
            await log.find_started(ANN, "k", request_hash="another")
        clock.advance(IDEMPOTENCY_KEY_SECONDS)
        after = await log.find_started(ANN, "k", request_hash="another")

        assert (before, found, of_ben, after) == (None, record, None, None)

    async def test_the_store_tells_the_time(self, log: StreamLog, clock: FakeClock) -> None:
        assert await log.now() == clock.now()

    async def test_retries_at_the_same_moment_start_one_run(
        self, log: StreamLog, ids: CountingIds
    ) -> None:
        results = await asyncio.gather(*(log.create_run(new_run(ids, key="k")) for _ in range(8)))

        assert len({record.run for record, _ in results}) == 1
        assert [is_new for _, is_new in results].count(True) == 1

    async def test_the_same_key_finds_an_ended_run(self, log: StreamLog, ids: CountingIds) -> None:
        first = await create(log, ids, key="k")
        await end(log, first)

        again, is_new = await log.create_run(new_run(ids, key="k"))

        assert (again.run, again.snapshot, is_new) == (first.run, SNAPSHOT, False)

    async def test_the_same_key_with_another_request_is_a_conflict(
        self, log: StreamLog, ids: CountingIds
    ) -> None:
        first = await create(log, ids, key="k")

        with pytest.raises(IdempotencyConflict) as caught:
            await log.create_run(new_run(ids, key="k", request_hash="another"))

        assert caught.value.run == first.run
        assert len(await log.list_runs(principal=ANN, items_max=10)) == 1

    async def test_a_key_is_its_principal_s_own(self, log: StreamLog, ids: CountingIds) -> None:
        of_ann = await create(log, ids, key="k")

        of_ben, is_new = await log.create_run(
            new_run(ids, principal=BEN, key="k", request_hash="another")
        )

        assert is_new
        assert of_ben.run != of_ann.run

    async def test_runs_without_a_key_are_never_one(self, log: StreamLog, ids: CountingIds) -> None:
        first, second = await create(log, ids), await create(log, ids)

        assert first.run != second.run

    async def test_a_key_is_free_again_after_its_time(
        self, log: StreamLog, ids: CountingIds, clock: FakeClock
    ) -> None:
        first = await create(log, ids, key="k")
        clock.advance(IDEMPOTENCY_KEY_SECONDS - 1)
        _, was_new_before = await log.create_run(new_run(ids, key="k"))
        clock.advance(1)

        second, is_new = await log.create_run(new_run(ids, key="k", request_hash="another"))
        again, was_new_after = await log.create_run(new_run(ids, key="k", request_hash="another"))

        assert (was_new_before, is_new, was_new_after) == (False, True, False)
        assert second.run != first.run
        assert again.run == second.run
        assert (await log.read_run(first.run)).idempotency_key == "k"

    async def test_attempts_are_kept_in_their_order(self, log: StreamLog, run: RunRecord) -> None:
        await log.put_attempt(run.run, epoch=1, attempt=attempt(1))
        await log.put_attempt(run.run, epoch=1, attempt=attempt(2))

        assert (await log.read_run(run.run)).attempts == (attempt(1), attempt(2))

    async def test_an_attempt_is_refused_where_a_batch_would_be(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        with pytest.raises(StaleEpoch):
            await log.put_attempt(run.run, epoch=2, attempt=attempt(1))
        with pytest.raises(RunNotFound):
            await log.put_attempt(NOBODY, epoch=1, attempt=attempt(1))
        await end(log, run)
        with pytest.raises(StaleEpoch):
            await log.put_attempt(run.run, epoch=1, attempt=attempt(1))

        assert (await log.read_run(run.run)).attempts == ()

    async def test_a_cancel_is_remembered_and_may_be_repeated(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        first = await log.request_cancel(run.run)
        again = await log.request_cancel(run.run)

        assert (first.cancel_requested, again.cancel_requested) == (True, True)
        assert (await log.read_run(run.run)).cancel_requested
        assert (await log.read_run(run.run)).is_live

    async def test_a_cancel_after_the_end_changes_nothing(
        self, log: StreamLog, run: RunRecord
    ) -> None:
        await end(log, run)

        record = await log.request_cancel(run.run)

        assert (record.status, record.cancel_requested) == ("finished", False)
        assert record == await log.read_run(run.run)

    async def test_lists_give_the_newest_runs_first_page_after_page(
        self, log: StreamLog, ids: CountingIds
    ) -> None:
        runs = [(await create(log, ids)).run for _ in range(7)]

        first = await log.list_runs(principal=ANN, items_max=3)
        second = await log.list_runs(principal=ANN, before=first[-1].run, items_max=3)
        third = await log.list_runs(principal=ANN, before=second[-1].run, items_max=3)

        assert [one.run for one in first + second + third] == runs[::-1]

    async def test_lists_hold_the_principal_s_own_runs_only(
        self, log: StreamLog, ids: CountingIds
    ) -> None:
        of_ann = await create(log, ids)
        of_ben = await create(log, ids, principal=BEN)

        anns = await log.list_runs(principal=ANN, items_max=9)
        bens = await log.list_runs(principal=BEN, items_max=9)

        assert [one.run for one in anns] == [of_ann.run]
        assert [one.run for one in bens] == [of_ben.run]
        assert await log.list_runs(principal="carl", items_max=9) == []

    async def test_lists_by_status_know_what_live_runs_do(
        self, log: StreamLog, ids: CountingIds
    ) -> None:
        queued, running, finished, failed = [await create(log, ids) for _ in range(4)]
        await write(log, running, *texts("a"))
        await end(log, finished)
        await end(log, failed, "failed")
        await write(log, await create(log, ids, principal=BEN), *texts("b"))

        async def listed(status: str, **page: RunId) -> list[RunId]:
            found = await log.list_runs(
                principal=ANN,
                status=status,  # type: ignore[arg-type]
                items_max=9,
                **page,
            )
            assert {one.status for one in found} <= {status}
            return [one.run for one in found]

        assert await listed("queued") == [queued.run]
        assert await listed("running") == [running.run]
        assert await listed("finished") == [finished.run]
        assert await listed("failed") == [failed.run]
        assert await listed("cancelled") == []
        assert await listed("queued", before=queued.run) == []

    async def test_lists_carry_tails_but_no_snapshots(
        self, log: StreamLog, ids: CountingIds
    ) -> None:
        live, ended = await create(log, ids), await create(log, ids)
        await write(log, live, *texts("a", "b"))
        await end(log, ended)

        found = await log.list_runs(principal=ANN, items_max=9)

        assert [(one.tail, one.snapshot) for one in found] == [(1, None), (2, None)]
