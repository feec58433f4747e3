"""Starting, following, cancelling and recovering runs, over the reference log."""

import asyncio
from contextlib import aclosing

import msgspec
import pytest

from potok.errors import (
    GrammarViolation,
    IdempotencyConflict,
    LogUnavailable,
    RunNotFound,
    ServerDraining,
    UpstreamBusy,
    UpstreamLost,
)
from potok.events.envelope import START, Offset
from potok.events.fold import Fold
from potok.events.kinds import (
    RunEnd,
    RunStart,
    SourceChange,
    TextDelta,
    TextEnd,
    TextStart,
    Usage,
)
from potok.events.run_request import RunRequest
from potok.models.contract import Capabilities
from potok.runs.service import RunService
from potok.streamlog.contract import RunRecord
from potok.testing.gates import Gate
from potok.testing.scripted_model import ScriptedModel, Step

from .conftest import ME, REQUEST, House, events_of, started

HELLO: list[Step] = [
    [TextStart(part="t")],
    [TextDelta(part="t", text="Hel")],
    [TextDelta(part="t", text="lo")],
    [TextEnd(part="t"), RunEnd(outcome="finished", finish_reason="stop")],
]


async def test_a_run_goes_from_its_start_to_its_one_end(house: House) -> None:
    service = await house.service(HELLO)

    record = await started(service)
    events = await events_of(service, record)

    assert isinstance(events[0], RunStart)
    assert events[-1] == RunEnd(outcome="finished", finish_reason="stop")
    assert sum(isinstance(event, RunEnd) for event in events) == 1
    _, message = await service.snapshot(record.run, principal=ME)
    assert message.text == "Hello"


async def test_an_agent_without_an_end_finishes_with_stop(house: House) -> None:
    service = await house.service([[TextStart(part="t")], [TextDelta(part="t", text="x")]])

    events = await events_of(service, await started(service))

    assert events[-2:] == [TextEnd(part="t"), RunEnd(outcome="finished", finish_reason="stop")]


async def test_an_upstream_that_fails_ends_the_run_failed_with_its_text_kept(house: House) -> None:
    service = await house.service([*HELLO[:2], UpstreamLost("The provider hung up.")])

    record = await started(service)
    message = await service.settle(record)

    assert (message.text, message.outcome) == ("Hel", "failed")
    assert message.error is not None
    assert (message.error.code, message.error.message) == (
        "upstream_lost",
        "The provider hung up.",
    )
    assert message.parts[0].state == "cut"


@pytest.mark.parametrize("fault", [RuntimeError("secret prompt"), GrammarViolation("secret")])
async def test_a_bug_in_an_agent_ends_the_run_without_a_word_of_it(
    house: House, fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    service = await house.service([fault])

    message = await service.settle(await started(service))

    assert message.error is not None
    assert message.error.code == "internal_error"
    assert "secret" not in message.error.message
    assert "secret" not in caplog.text


async def test_readers_at_once_and_late_see_the_same_events(house: House) -> None:
    gate = Gate()
    service = await house.service([*HELLO[:2], gate, *HELLO[2:]])
    record = await started(service)
    early = asyncio.create_task(events_of(service, record))
    await gate.until_waited_for()

    gate.open()
    seen = await early

    assert seen == await events_of(service, record)


async def test_a_reader_resumes_after_every_offset(house: House) -> None:
    service = await house.service(HELLO)
    record = await started(service)
    events = await events_of(service, record)

    for after in range(len(events)):
        rest = [
            stored
            async for page in service.follow(record, after=Offset(after))
            for stored in page or []
        ]
        assert [stored.event for stored in rest] == events[after:]
        assert rest[0].offset == after + 1


async def test_the_first_page_comes_at_once_even_if_nothing_was_said_yet(house: House) -> None:
    gate = Gate()
    service = await house.service([gate, *HELLO])
    record = await started(service)

    async with aclosing(service.follow(record, after=Offset(1))) as pages:
        await gate.until_waited_for()
        first = await anext(pages)

    assert first == []


async def test_a_reader_that_leaves_changes_nothing_for_the_run(house: House) -> None:
    gate = Gate()
    service = await house.service([*HELLO[:2], gate, *HELLO[2:]])
    record = await started(service)
    async with aclosing(service.follow(record, after=START)) as pages:
        await anext(pages)

    gate.open()
    message = await service.settle(record)

    assert message.text == "Hello"


async def test_a_quiet_run_gives_heartbeats(house: House) -> None:
    gate = Gate()
    service = await house.service([gate, *HELLO], heartbeat_seconds=0.0)
    record = await started(service)

    async with aclosing(service.follow(record, after=START)) as pages:
        items = [await anext(pages) for _ in range(4)]

    assert None in items


async def test_cancel_closes_the_upstream_and_keeps_the_text(house: House) -> None:
    gate = Gate()
    model = ScriptedModel([*HELLO[:2], gate])
    service = await house.worker(model)
    record = await started(service)
    await gate.until_waited_for()

    after = await service.cancel(record.run, principal=ME)

    assert (model.live, model.closed) == (0, 1)
    assert after.status == "cancelled"
    message = await service.settle(after)
    assert (message.text, message.outcome) == ("Hel", "cancelled")


async def test_cancel_twice_and_after_the_end_changes_nothing(house: House) -> None:
    gate = Gate()
    service = await house.service([gate])
    record = await started(service)
    await gate.until_waited_for()

    await service.cancel(record.run, principal=ME)
    again = await service.cancel(record.run, principal=ME)

    events = await events_of(service, again)
    assert sum(isinstance(event, RunEnd) for event in events) == 1


async def test_cancel_before_the_first_token_leaves_an_end_and_no_text(house: House) -> None:
    service = await house.service([Gate(), *HELLO])
    record = await started(service)

    after = await service.cancel(record.run, principal=ME)

    assert after.status == "cancelled"
    assert (await service.settle(after)).parts == []


async def test_a_foreign_run_is_not_found(house: House) -> None:
    service = await house.service(HELLO)
    record = await started(service)

    for call in (service.find, service.snapshot, service.cancel):
        with pytest.raises(RunNotFound):
            await call(record.run, principal="somebody else")
    records, _ = await service.list_runs(
        principal="somebody else", cursor=None, status=None, items_max=10
    )
    assert records == []


async def test_a_key_starts_one_run(house: House) -> None:
    service = await house.service(HELLO)

    replies = await asyncio.gather(
        *(service.start(REQUEST, principal=ME, idempotency_key="k") for _ in range(5))
    )

    assert len({record.run for record, _ in replies}) == 1
    assert sorted(created for _, created in replies) == [False] * 4 + [True]
    assert replies[0][0].request.on_disconnect == "keep"


async def test_a_key_with_another_request_is_a_conflict(house: House) -> None:
    service = await house.service(HELLO)
    await service.start(REQUEST, principal=ME, idempotency_key="k")

    with pytest.raises(IdempotencyConflict):
        await service.start(RunRequest(model="other"), principal=ME, idempotency_key="k")


async def test_too_many_live_runs_are_refused_before_anything_is_stored(house: House) -> None:
    gate = Gate()
    service = await house.service([gate], live_runs_max=1)
    await started(service)

    with pytest.raises(UpstreamBusy):
        await started(service)

    records, _ = await service.list_runs(principal=ME, cursor=None, status=None, items_max=10)
    assert len(records) == 1


async def test_draining_sends_readers_away_and_takes_no_new_runs(house: House) -> None:
    gate = Gate()
    service = await house.service([gate])
    record = await started(service)
    reader = asyncio.create_task(events_of(service, record))
    await gate.until_waited_for()

    service.drain()

    with pytest.raises(ServerDraining):
        await reader
    with pytest.raises(ServerDraining):
        await started(service)


async def test_a_run_that_a_clean_shutdown_left_goes_on_with_the_next_worker(
    house: House,
) -> None:
    gate = Gate()
    first = await house.service([*HELLO[:2], gate])
    record = await started(first)
    await gate.until_waited_for()
    await first.close()
    assert (await house.log.read_run(record.run)).is_live

    replaying = Capabilities(continues="replay")
    model = ScriptedModel(HELLO[2:], capabilities=replaying)
    second = await house.worker(model)
    message = await second.settle(await second.find(record.run, principal=ME))

    assert (message.text, message.outcome) == ("Hello", "finished")
    assert message.sources == [
        SourceChange(reason="worker_lost", attempt=2, how="replay", worker=second._worker)
    ]
    assert model.requests[0].said is not None
    assert model.requests[0].said.text == "Hel"


async def test_clean_shutdowns_use_up_none_of_a_run_s_attempts(house: House) -> None:
    replaying = Capabilities(continues="replay")
    first = await house.service([*HELLO[:2], Gate()])
    record = await started(first)
    workers = [first]
    for _ in range(4):
        await workers[-1].close()
        model = ScriptedModel([Gate()], capabilities=replaying)
        workers.append(await house.worker(model, attempts_max=2))
        await until_taken(house, record, workers[-1])
    await workers[-1].close()

    last = await house.worker(ScriptedModel(HELLO[2:], capabilities=replaying), attempts_max=2)
    message = await last.settle(await last.find(record.run, principal=ME))

    assert (message.text, message.outcome) == ("Hello", "finished")
    assert [change.attempt for change in message.sources] == [2, 3, 4, 5, 6]


async def test_workers_that_a_run_lost_are_counted_also_between_clean_shutdowns(
    house: House,
) -> None:
    replaying = Capabilities(continues="replay")
    first = await house.service([*HELLO[:2], Gate()])
    record = await started(first)
    await first.close()
    for _ in range(2):
        model = ScriptedModel([Gate()], capabilities=replaying)
        lost = await house.worker(model, attempts_max=2)
        await until_taken(house, record, lost)
        # As a crash does: what it makes is not handed over.
        await lost._upkeep.stop()
        await house.log.release_lease(lost._worker)

    last = await house.worker(ScriptedModel(HELLO[2:], capabilities=replaying), attempts_max=2)
    message = await last.settle(await last.find(record.run, principal=ME))

    assert message.error is not None
    assert message.error.message.startswith("The server stopped 2 times")


async def until_taken(house: House, record: RunRecord, service: RunService) -> None:
    """Wait until a worker has taken a run over and goes on with it."""
    async with asyncio.timeout(5):
        while True:
            if service.live_runs and (await house.log.read_run(record.run)).status == "running":
                return
            await asyncio.sleep(0.001)


async def test_a_run_that_cannot_go_on_ends_failed_with_its_text(house: House) -> None:
    gate = Gate()
    first = await house.service([*HELLO[:2], gate])
    policy = {"on_upstream_failure": "fail"}
    record = await started(first, msgspec.structs.replace(REQUEST, policy=policy))
    await gate.until_waited_for()
    await first.close()

    second = await house.service([])
    message = await second.settle(await second.find(record.run, principal=ME))

    assert (message.text, message.outcome) == ("Hel", "failed")
    assert message.error is not None
    assert message.error.code == "worker_lost"


async def test_a_cancel_asked_for_before_a_crash_is_done_after_it(house: House) -> None:
    gate = Gate()
    first = await house.service([*HELLO[:2], gate])
    record = await started(first)
    await gate.until_waited_for()
    await first.close()
    await house.log.request_cancel(record.run)

    second = await house.worker(
        ScriptedModel(HELLO[2:], capabilities=Capabilities(continues="replay"))
    )
    message = await second.settle(await second.find(record.run, principal=ME))

    assert message.outcome == "cancelled"


async def test_a_zombie_producer_writes_nothing_after_it_was_taken_over(house: House) -> None:
    gate = Gate()
    first = await house.service([*HELLO[:2], gate, *HELLO[2:]])
    record = await started(first)
    await gate.until_waited_for()
    await house.log.release_lease(first._worker)
    taken = await house.log.take_over(record.run, worker=house.ids.worker_id(), epoch=1)
    tail = (await house.log.read_run(record.run)).tail

    gate.open()
    await first.close()

    after = await house.log.read_run(record.run)
    assert (after.tail, after.epoch, after.status) == (tail, taken.epoch, "running")


async def test_usage_gets_the_times_that_only_the_producer_knows(house: House) -> None:
    service = await house.service(
        [*HELLO[:3], [TextEnd(part="t"), Usage(prompt_tokens=3, completion_tokens=2)]]
    )

    message = await service.settle(await started(service))

    assert message.usage is not None
    assert message.usage.first_token_seconds is not None


async def test_a_run_nobody_reads_is_stopped_where_its_face_says_so(house: House) -> None:
    gate = Gate()
    service = await house.service([gate], disconnect_grace_seconds=0.0)
    request = RunRequest(model="scripted", on_disconnect="cancel")

    record = await started(service, request)
    async with aclosing(service.follow(record, after=START)) as pages:
        items = [item async for item in pages]

    assert items[-1] is not None
    last = items[-1][-1].event
    assert isinstance(last, RunEnd)
    assert last.code == "disconnected"


async def test_a_log_that_fails_for_a_while_loses_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = await house.service(HELLO)
    append, failures = house.log.append, 3

    async def failing(batches):  # type: ignore[no-untyped-def]
        nonlocal failures
        if failures:
            failures -= 1
            raise LogUnavailable("The disk is full.")
        return await append(batches)

    monkeypatch.setattr(house.log, "append", failing)
    message = await service.settle(await started(service))

    assert (message.text, message.outcome) == ("Hello", "finished")


async def test_the_snapshot_of_a_live_run_is_the_fold_of_what_is_stored(house: House) -> None:
    gate = Gate()
    service = await house.service([*HELLO[:2], gate, *HELLO[2:]])
    record = await started(service)
    async with aclosing(service.follow(record, after=Offset(1))) as pages:
        async for page in pages:
            if page:
                break

    seen, message = await service.snapshot(record.run, principal=ME)

    fold = Fold()
    for stored in (await house.log.read(record.run, after=START, events_max=100)).events:
        fold.feed(stored.event)
    assert message == fold.message
    assert seen.status == "running"


async def test_a_long_poll_waits_for_the_next_event_and_no_longer(house: House) -> None:
    gate = Gate()
    service = await house.service([gate, *HELLO])
    record = await started(service)
    await gate.until_waited_for()

    empty = await service.read_page(record, after=Offset(1), events_max=10, wait_seconds=0.01)
    waiting = asyncio.create_task(
        service.read_page(record, after=Offset(1), events_max=10, wait_seconds=10)
    )
    gate.open()
    full = await waiting

    assert (list(empty.events), empty.ended) == ([], False)
    assert full.events


async def test_a_long_poll_gives_an_empty_page_when_the_server_goes_down(house: House) -> None:
    gate = Gate()
    service = await house.service([gate])
    record = await started(service)
    await gate.until_waited_for()
    polling = asyncio.create_task(
        service.read_page(record, after=Offset(1), events_max=10, wait_seconds=10)
    )
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    service.drain()

    assert list((await polling).events) == []


async def test_a_reader_that_saw_the_end_leaves_no_word_of_a_run_without_readers(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "potok.runs")
    service = await house.service(HELLO)

    await events_of(service, await started(service))

    assert "without a reader" not in caplog.text
