import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from potok.chats.contract import Chat, NewChat
from potok.errors import (
    ChatBusy,
    ChatNotFound,
    IdempotencyConflict,
    RunNotFound,
    UpstreamLost,
)
from potok.events.run_request import RunRequest
from potok.streamlog.memory import MemoryLog
from potok.testing.fakes import FakeClock
from potok.testing.gates import Gate
from tests.unit.runs.chat_house import HALF, HELLO, ME, ChatHouse, open_chats

Open = Callable[..., Awaitable[ChatHouse]]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def open_house(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Open]:
    """Open a house over one file and one log; each call is one more process."""
    log = MemoryLog(clock)
    async with AsyncExitStack() as stack:

        async def open_one(*script: Any, **more: Any) -> ChatHouse:
            house = open_chats(tmp_path / "chats.sqlite3", log, clock, script or (HELLO,), **more)
            return await stack.enter_async_context(house)

        yield open_one


async def new_chat(house: ChatHouse) -> Chat:
    return await house.store.chats.create(NewChat(), principal=ME)


async def send(house: ChatHouse, chat: Chat, content: str, **more: Any) -> Any:
    return await house.chats.send(chat.id, content, principal=ME, language="en", **more)


async def test_a_message_gets_its_answer(open_house: Open) -> None:
    house = await open_house()
    chat = await new_chat(house)

    sent = await send(house, chat, "Hi")
    await house.until_settled()

    assert await house.texts(chat.id) == ["Hi", "Hello!"]
    answer = await house.chats.message(chat.id, sent.answer.id, principal=ME)
    assert (answer.run, answer.status) == (sent.record.run, "finished")
    assert answer.metadata["tokens"] == 2
    assert answer.metadata["processingTime"] == 0


async def test_the_model_is_shown_the_way_to_the_message_and_the_instructions(
    open_house: Open,
) -> None:
    house = await open_house()
    project = await house.store.projects.create(principal=ME, name="p", instructions="Be brief.")
    chat = await house.store.chats.create(NewChat(project_id=project.id), principal=ME)
    for text in ("one", "two"):
        await send(house, chat, text)
        await house.until_settled()

    assert [(said["role"], said["content"]) for said in house.model.requests[-1].messages] == [
        ("system", "Be brief."),
        ("user", "one"),
        ("assistant", "Hello!"),
        ("user", "two"),
    ]


async def test_the_run_knows_its_chat_and_its_message(open_house: Open) -> None:
    house = await open_house()
    chat = await new_chat(house)

    sent = await send(house, chat, "Hi")

    request = sent.record.request
    assert (request.chat, request.message) == (str(chat.id), str(sent.answer.id))


async def test_a_live_answer_shows_its_text_so_far(open_house: Open) -> None:
    gate = Gate()
    house = await open_house(HALF, gate, HELLO[-1:])
    chat = await new_chat(house)
    sent = await send(house, chat, "Hi")
    await gate.until_waited_for()
    await house.runs._log.wait_beyond(sent.record.run, 2, seconds=5)  # type: ignore[arg-type]

    texts = await house.texts(chat.id)
    live = await house.chats.live(chat.id, principal=ME)
    gate.open()
    await house.until_settled()

    assert texts == ["Hi", "Half"]
    assert live is not None
    assert live[0].run == sent.record.run
    assert await house.chats.live(chat.id, principal=ME) is None


async def test_a_resend_finds_the_answer_and_starts_nothing(open_house: Open) -> None:
    house = await open_house()
    chat = await new_chat(house)

    first = await send(house, chat, "Hi", client_id="c1")
    again = await send(house, chat, "Hi", client_id="c1")
    await house.until_settled()
    later = await send(house, chat, "Hi", client_id="c1")

    assert first.record.run == again.record.run == later.record.run
    assert (first.is_new, again.is_new, later.is_new) == (True, False, False)
    assert len(house.model.requests) == 1
    with pytest.raises(IdempotencyConflict):
        await send(house, chat, "other", client_id="c1")


async def test_two_tabs_that_send_at_once_get_one_answer_and_one_refusal(open_house: Open) -> None:
    gate = Gate()
    house = await open_house(gate, HELLO)
    chat = await new_chat(house)

    results = await asyncio.gather(
        send(house, chat, "tab 1"), send(house, chat, "tab 2"), return_exceptions=True
    )
    gate.open()
    await house.until_settled()

    assert sorted(isinstance(one, ChatBusy) for one in results) == [False, True]
    assert len(await house.texts(chat.id)) == 2
    assert len(house.model.requests) == 1


async def test_a_stopped_answer_keeps_its_text_and_says_so(open_house: Open) -> None:
    gate = Gate()
    house = await open_house(HALF, gate)
    chat = await new_chat(house)
    sent = await send(house, chat, "Hi")
    await gate.until_waited_for()

    stopped = await house.chats.cancel(chat.id, principal=ME)

    assert stopped is not None
    assert (stopped.id, stopped.content, stopped.status) == (sent.answer.id, "Half", "cancelled")
    assert stopped.metadata["cancelled"] is True
    assert house.model.closed == 1
    assert await house.chats.cancel(chat.id, principal=ME) is None


async def test_a_late_stop_does_not_hit_the_next_answer(open_house: Open) -> None:
    gate = Gate()
    house = await open_house(gate, HELLO)
    chat = await new_chat(house)
    sent = await send(house, chat, "Hi")

    stopped = await house.chats.cancel(chat.id, principal=ME, message=sent.answer.id - 1)
    gate.open()
    await house.until_settled()

    assert stopped is None
    assert await house.texts(chat.id) == ["Hi", "Hello!"]


async def test_an_answer_that_fails_without_a_word_gives_the_text_back(open_house: Open) -> None:
    house = await open_house(UpstreamLost("gone"))
    chat = await new_chat(house)

    await send(house, chat, "Hi")
    await house.until_settled()

    assert await house.texts(chat.id) == []
    assert (await house.store.chats.read(chat.id, principal=ME)).draft == "Hi"


async def test_an_answer_that_fails_after_words_keeps_them(open_house: Open) -> None:
    house = await open_house(HALF, UpstreamLost("gone"))
    chat = await new_chat(house)

    sent = await send(house, chat, "Hi")
    await house.until_settled()

    answer = await house.chats.message(chat.id, sent.answer.id, principal=ME)
    assert (answer.content, answer.status) == ("Half", "failed")
    assert answer.metadata["error"]["code"] == "upstream_lost"


async def test_one_more_answer_stands_beside_the_first(open_house: Open) -> None:
    house = await open_house()
    chat = await new_chat(house)
    sent = await send(house, chat, "Hi")
    await house.until_settled()

    again = await house.chats.regenerate(
        chat.id, sent.answer.id, principal=ME, language="en", model=None
    )
    await house.until_settled()

    assert again.answer.sibling_ids == (sent.answer.id, again.answer.id)
    assert await house.texts(chat.id) == ["Hi", "Hello!"]


async def test_deleting_a_chat_stops_its_answer(open_house: Open) -> None:
    gate = Gate()
    house = await open_house(HALF, gate)
    chat = await new_chat(house)
    sent = await send(house, chat, "Hi")
    await gate.until_waited_for()

    await house.chats.delete_chat(chat.id, principal=ME)

    assert (await house.runs.find(sent.record.run, principal=ME)).status == "cancelled"
    assert house.model.closed == 1
    with pytest.raises(ChatNotFound):
        await house.texts(chat.id)


async def test_deleting_a_live_answer_stops_it(open_house: Open) -> None:
    gate = Gate()
    house = await open_house(gate)
    chat = await new_chat(house)
    sent = await send(house, chat, "Hi")
    await gate.until_waited_for()

    await house.chats.delete_message(chat.id, sent.answer.id, principal=ME)

    assert house.model.closed == 1
    assert await house.store.answers.find_live(chat.id, principal=ME) is None


async def test_waiting_messages_are_sent_one_after_the_other(open_house: Open) -> None:
    gate = Gate()
    house = await open_house(gate, HELLO)
    chat = await new_chat(house)
    await send(house, chat, "first")
    for text in ("second", "third"):
        await house.store.queue.add(chat.id, text, principal=ME, model=None, client_id=text)
    gate.open()

    await house.until_settled()

    assert await house.texts(chat.id) == [
        *("first", "Hello!"),
        *("second", "Hello!"),
        *("third", "Hello!"),
    ]


async def test_a_stop_pauses_the_queue_and_sending_now_goes_on(open_house: Open) -> None:
    gate = Gate()
    house = await open_house(HALF, gate)
    chat = await new_chat(house)
    await send(house, chat, "first")
    waiting = [
        await house.store.queue.add(chat.id, text, principal=ME, model=None, client_id=None)
        for text in ("second", "third")
    ]
    await gate.until_waited_for()

    sent = await house.chats.send_now(chat.id, waiting[1].id, principal=ME, language="en")
    texts = await house.texts(chat.id)
    left = await house.store.queue.waiting(chat.id, principal=ME)
    await house.chats.cancel(chat.id, principal=ME)

    assert sent.is_new
    assert texts[:3] == ["first", "Half", "third"]
    assert [one.content for one in left] == ["second"]
    assert (await house.store.chats.read(chat.id, principal=ME)).is_queue_paused


async def test_the_model_names_the_chat(open_house: Open) -> None:
    house = await open_house(has_model_titles=True)
    chat = await new_chat(house)

    await send(house, chat, "Which ring shall I buy?")
    await house.until_settled()

    named = await house.store.chats.read(chat.id, principal=ME)
    assert (named.title, named.title_source) == ("Hello!", "model")
    assert "Which ring" in house.model.requests[-1].messages[-1]["content"]


async def test_a_run_of_another_face_is_stored_in_its_chat(open_house: Open) -> None:
    house = await open_house()
    request = RunRequest(
        model="scripted",
        messages=(
            {"role": "user", "content": "earlier"},
            {"role": "assistant", "content": "said"},
            {"role": "user", "content": [{"type": "text", "text": "now"}]},
        ),
        chat="ext-1",
    )

    first = await house.chats.start_run(request, principal=ME, idempotency_key="k")
    again = await house.chats.start_run(request, principal=ME, idempotency_key="k")
    await house.until_settled()

    chat = await house.store.chats.find("ext-1", principal=ME)
    assert chat is not None
    assert await house.texts(chat.id) == ["earlier", "said", "now", "Hello!"]
    assert (first[0].run, first[1], again[1]) == (again[0].run, True, False)
    assert len(house.model.requests) == 1


async def test_a_run_that_names_a_foreign_chat_is_refused(open_house: Open) -> None:
    house = await open_house()
    theirs = await house.store.chats.create(NewChat(), principal="other")
    request = RunRequest(
        model="scripted", messages=({"role": "user", "content": "?"},), chat=str(theirs.id)
    )

    with pytest.raises(ChatNotFound):
        await house.chats.start_run(request, principal=ME, idempotency_key=None)
    with pytest.raises(RunNotFound):
        await house.chats.live(
            (await new_chat(house)).id, principal=ME, run="another-run-of-somebody"
        )


async def test_pages_cost_the_same_number_of_statements_however_long_they_are(
    open_house: Open,
) -> None:
    house = await open_house(upkeep_seconds=60)
    chat = await new_chat(house)
    counted = 0

    def count(*_: object) -> None:
        nonlocal counted
        counted += 1

    reader = house.store.database.engines[1]  # type: ignore[attr-defined]
    costs = []
    for _ in range(3):
        await send(house, chat, "gold")
        await house.until_settled()
        await house.store.chats.create(NewChat(title="gold"), principal=ME)
        cost = []
        for read in (
            lambda: house.texts(chat.id),
            lambda: house.store.chats.page(
                principal=ME, project_id=None, is_archived=None, before=None, items_max=50
            ),
            lambda: house.store.search.find(
                "gold", principal=ME, project_id=None, before=None, items_max=50
            ),
        ):
            event.listen(reader.sync_engine, "before_cursor_execute", count)
            counted = 0
            await read()
            cost.append(counted)
            event.remove(reader.sync_engine, "before_cursor_execute", count)
        costs.append(cost)

    assert costs[1] == costs[2]
    assert costs[2] == [3, 1, 3]
