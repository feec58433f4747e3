"""A process can die after any step: each half-done state is made by hand, and brought forward."""

from pathlib import Path

import pytest

from potok.chats.contract import Chat, NewAnswer, NewChat
from potok.chats.database import sqlite_url
from potok.chats.store import SqlChatStore
from potok.clock import RunId
from potok.events.run_request import RunRequest
from potok.runs.chat_endings import before_of
from potok.streamlog.memory import MemoryLog
from potok.testing.fakes import CountingIds, FakeClock
from potok.testing.gates import Gate
from tests.unit.runs.chat_house import HALF, HELLO, ME, let_others_run, open_chats

RUN = "a-run-of-a-dead-process"
PLAN = {"model": "scripted", "language": "en"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chats.sqlite3"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def begin_and_die(path: Path, clock: FakeClock, *, has_plan: bool = True) -> Chat:
    """Leave what a process leaves that dies after it stored the messages."""
    store = SqlChatStore(sqlite_url(path), clock=clock)
    await store.open()
    chat = await store.chats.create(NewChat(), principal=ME)
    new = NewAnswer(chat_id=chat.id, run=RUN, content="Hi", plan=PLAN if has_plan else None)
    await store.answers.begin(new, principal=ME)
    await store.close()
    return chat


async def test_messages_without_a_run_get_it(path: Path, clock: FakeClock) -> None:
    chat = await begin_and_die(path, clock)

    async with open_chats(path, MemoryLog(clock), clock, (HELLO,)) as house:
        await house.until_settled()

        assert await house.texts(chat.id) == ["Hi", "Hello!"]
        assert (await house.runs.find(RUN, principal=ME)).status == "finished"
        assert len(house.model.requests) == 1


async def test_messages_that_wait_too_long_for_a_run_are_given_back(
    path: Path, clock: FakeClock
) -> None:
    chat = await begin_and_die(path, clock)
    clock.advance(3600)

    async with open_chats(path, MemoryLog(clock), clock, (HELLO,)) as house:
        await house.until_settled()

        assert await house.texts(chat.id) == []
        assert (await house.store.chats.read(chat.id, principal=ME)).draft == "Hi"
        assert house.model.requests == []


async def test_a_run_of_another_face_that_never_began_is_given_back(
    path: Path, clock: FakeClock
) -> None:
    chat = await begin_and_die(path, clock, has_plan=False)
    clock.advance(60)

    async with open_chats(path, MemoryLog(clock), clock, (HELLO,)) as house:
        await house.until_settled()

        assert (await house.store.chats.read(chat.id, principal=ME)).draft == "Hi"


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "failed"])
async def test_a_run_that_ended_unheard_settles_its_message(
    path: Path, clock: FakeClock, cut: bool
) -> None:
    chat = await begin_and_die(path, clock)
    log, ids = MemoryLog(clock), CountingIds()
    script = (HALF, ValueError("a bug")) if cut else (HELLO,)
    async with open_chats(path.with_name("none"), log, clock, script, ids=ids) as elsewhere:
        request = RunRequest(
            model="scripted",
            messages=({"role": "user", "content": "Hi"},),
            chat=str(chat.id),
            message="2",
        )
        record, _ = await elsewhere.runs.start(
            request, principal=ME, idempotency_key=RUN, run=RunId(RUN)
        )
        await elsewhere.runs.settle(record)
    assert not (await log.read_run(RUN)).is_live

    async with open_chats(path, log, clock, (HELLO,), ids=ids) as house:
        answer = await house.store.answers.find_live(chat.id, principal=ME)
        if answer is not None:
            await house.until_settled()

        texts = await house.texts(chat.id)
        assert texts == ["Hi", "Half" if cut else "Hello!"]
        assert house.model.requests == []


async def test_a_worker_that_goes_away_leaves_its_answer_to_the_next_one(
    path: Path, clock: FakeClock
) -> None:
    log, ids, gate = MemoryLog(clock), CountingIds(), Gate()
    async with open_chats(path, log, clock, (HALF, gate), ids=ids) as first:
        chat = await first.store.chats.create(NewChat(), principal=ME)
        sent = await first.chats.send(chat.id, "Hi", principal=ME, language="en")
        await gate.until_waited_for()

    async with open_chats(path, log, clock, (HELLO,), ids=ids) as second:
        await second.until_settled()

        texts = await second.texts(chat.id)
        answer = await second.chats.message(chat.id, sent.answer.id, principal=ME)
        # The model was asked to go on, and what it said follows what was shown.
        assert texts == ["Hi", "HalfHello!"]
        assert answer.status == "finished"


async def test_an_answer_that_was_about_to_go_on_is_what_it_was(
    path: Path, clock: FakeClock
) -> None:
    log, ids = MemoryLog(clock), CountingIds()
    async with open_chats(path, log, clock, (HELLO,), ids=ids) as first:
        chat = await first.store.chats.create(NewChat(), principal=ME)
        sent = await first.chats.send(chat.id, "Hi", principal=ME, language="en")
        await first.until_settled()
        before = await first.chats.message(chat.id, sent.answer.id, principal=ME)
        # All that a process leaves that dies before the run begins.
        await first.store.answers.reopen(
            chat.id, before.id, principal=ME, run=RUN, plan=before_of(before)
        )
        assert await first.store.answers.find_live(chat.id, principal=ME) is not None

    async with open_chats(path, log, clock, (HELLO,), ids=ids) as house:
        await house.until_settled()

        after = await house.chats.message(chat.id, before.id, principal=ME)
        assert (after.content, after.status, after.metadata) == (
            before.content,
            before.status,
            before.metadata,
        )
        assert house.model.requests == []


async def test_a_queue_that_could_go_on_goes_on(path: Path, clock: FakeClock) -> None:
    store = SqlChatStore(sqlite_url(path), clock=clock)
    await store.open()
    chat = await store.chats.create(NewChat(), principal=ME)
    await store.queue.add(chat.id, "waited", principal=ME, model=None, client_id=None)
    await store.close()

    async with open_chats(path, MemoryLog(clock), clock, (HELLO,)) as house:
        while not await house.texts(chat.id):
            await let_others_run()
        await house.until_settled()

        assert await house.texts(chat.id) == ["waited", "Hello!"]
        assert await house.store.queue.waiting(chat.id, principal=ME) == []


async def test_a_resend_after_the_crash_makes_one_answer(path: Path, clock: FakeClock) -> None:
    store = SqlChatStore(sqlite_url(path), clock=clock)
    await store.open()
    chat = await store.chats.create(NewChat(), principal=ME)
    new = NewAnswer(chat_id=chat.id, run=RUN, content="Hi", plan=PLAN, client_id="c1")
    await store.answers.begin(new, principal=ME)
    await store.close()

    async with open_chats(path, MemoryLog(clock), clock, (HELLO,), upkeep_seconds=60) as house:
        sent = await house.chats.send(chat.id, "Hi", principal=ME, language="en", client_id="c1")
        await house.until_settled()

        assert sent.record.run == RUN
        assert await house.texts(chat.id) == ["Hi", "Hello!"]
        assert len(house.model.requests) == 1
