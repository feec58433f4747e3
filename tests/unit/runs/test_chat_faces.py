"""A client that keeps its chats itself tells of them: what it says is kept, here too."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from potok.chats.contract import NewChat, ToldAnswer
from potok.chats.database import sqlite_url
from potok.chats.store import SqlChatStore
from potok.errors import ChatBusy, ChatNotFound, IdempotencyConflict, ModelUnknown, UpstreamLost
from potok.events.run_request import RunRequest, ToldMessage
from potok.limits import CHAT_PLAN_BYTES_MAX
from potok.streamlog.contract import RunRecord
from potok.streamlog.memory import MemoryLog
from potok.testing.fakes import FakeClock
from potok.testing.gates import Gate
from tests.unit.runs.chat_house import HALF, HELLO, ME, ChatHouse, let_others_run, open_chats

RUN = "a-run-of-a-dead-process"


def user(text: str, name: str | None = None) -> ToldMessage:
    return ToldMessage("user", text, name)


def answer(text: str, name: str | None = None) -> ToldMessage:
    return ToldMessage("assistant", text, name)


def request_of(*told: ToldMessage, chat: str = "chat-1", **more: Any) -> RunRequest:
    return RunRequest(
        model="scripted",
        messages=tuple({"role": one.role, "content": one.text} for one in told),
        chat=chat,
        face="ai-sdk-ui",
        **more,
    )


class Page:
    """One page of an application, with one chat."""

    def __init__(self, house: ChatHouse, chat: str = "chat-1") -> None:
        self.house, self.chat = house, chat

    async def says(
        self, *told: ToldMessage, is_again: bool = False, key: str | None = None, **more: Any
    ) -> tuple[RunRecord, bool]:
        return await self.house.chats.faces.start_told(
            request_of(*told, chat=self.chat, **more),
            told,
            is_again=is_again,
            principal=ME,
            idempotency_key=key,
        )

    async def texts(self) -> list[str]:
        chat = await self.house.store.chats.find(self.chat, principal=ME)
        assert chat is not None
        return await self.house.texts(chat.id)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chats.sqlite3"


@pytest.fixture
async def opened(path: Path) -> AsyncIterator[Any]:
    clock = FakeClock()
    log = MemoryLog(clock)
    async with AsyncExitStack() as stack:

        async def open_one(*script: Any, **more: Any) -> Page:
            house = open_chats(path, log, clock, script or (HELLO,), **more)
            return Page(await stack.enter_async_context(house))

        yield open_one


async def test_a_talk_is_kept_with_its_answers(opened: Any) -> None:
    page = await opened()

    first, _ = await page.says(user("q1", "u1"))
    await page.house.until_settled()
    path = user("q1", "u1"), answer("Hello!", f"msg_{first.run}"), user("q2", "u2")
    second, is_new = await page.says(*path)
    await page.house.until_settled()

    assert is_new
    assert await page.texts() == ["q1", "Hello!", "q2", "Hello!"]
    # Readers of this face look for their own names.
    assert (second.request.chat, second.request.message) == ("chat-1", None)
    assert second.request.answer is not None


async def test_a_resend_starts_nothing(opened: Any) -> None:
    page = await opened()

    runs = [(await page.says(user("q1", "u1")))[0].run for _ in range(2)]
    await page.house.until_settled()
    runs.append((await page.says(user("q1", "u1")))[0].run)
    keyed = [(await page.says(user("q2"), key="k"))[0].run for _ in range(2)]

    assert len(set(runs)) == len(set(keyed)) == 1
    assert len(page.house.model.requests) == 2
    with pytest.raises(IdempotencyConflict):
        await page.says(user("q3"), key="k")


async def test_a_page_that_knows_of_the_answer_takes_its_place(opened: Any) -> None:
    gate = Gate()
    page = await opened(HALF, gate)
    first, _ = await page.says(user("q1", "u1"))
    await gate.until_waited_for()

    path = user("q1", "u1"), answer("Ha", f"msg_{first.run}"), user("q2", "u2")
    second, _ = await page.says(*path)

    assert (await page.house.runs.find(first.run, principal=ME)).status == "cancelled"
    assert second.run != first.run
    assert (await page.texts())[:3] == ["q1", "Half", "q2"]


async def test_a_page_that_stops_before_the_first_word_goes_on_with_both_questions(
    opened: Any,
) -> None:
    gate = Gate()
    page = await opened(gate, HELLO)
    await page.says(user("q1", "u1"))
    await gate.until_waited_for()

    told = user("q1", "u1"), user("q2", "u2")
    starting = asyncio.create_task(page.says(*told))
    while len(page.house.model.requests) < 2:
        await let_others_run()
    gate.open()
    await starting
    await page.house.until_settled()

    assert await page.texts() == ["q1", "q2", "Hello!"]


async def test_two_pages_that_send_at_once_get_one_answer_and_one_refusal(opened: Any) -> None:
    gate = Gate()
    page = await opened(gate, HELLO)

    results = await asyncio.gather(
        page.says(user("tab 1", "a")), page.says(user("tab 2", "b")), return_exceptions=True
    )
    gate.open()
    await page.house.until_settled()

    assert sorted(isinstance(one, ChatBusy) for one in results) == [False, True]
    assert len(await page.texts()) == 2
    assert len(page.house.model.requests) == 1


async def test_one_more_answer_stands_beside_the_first(opened: Any) -> None:
    page = await opened()
    await page.says(user("q1", "u1"))
    await page.house.until_settled()

    again, is_new = await page.says(user("q1", "u1"), is_again=True, key="k")
    resent, is_resent_new = await page.says(user("q1", "u1"), is_again=True, key="k")
    await page.house.until_settled()

    chat = await page.house.store.chats.find("chat-1", principal=ME)
    _, messages, _ = await page.house.chats.page(chat.id, principal=ME, before=None, items_max=9)
    assert (is_new, is_resent_new) == (True, False)
    assert again.run == resent.run
    assert len(messages[-1].sibling_ids) == 2


async def test_an_answer_goes_on_after_its_tools_results(opened: Any) -> None:
    page = await opened()
    first, _ = await page.says(user("q1", "u1"))
    await page.house.until_settled()
    name = f"msg_{first.run}"

    path = user("q1", "u1"), answer("Hello!", name)
    second, _ = await page.says(*path, message=name)
    await page.house.until_settled()
    third, _ = await page.says(*path, message=name, parameters={"temperature": 1})
    await page.house.until_settled()

    assert await page.texts() == ["q1", "Hello!" * 3]
    assert len({first.run, second.run, third.run}) == 3
    # Its readers see one message that grows.
    assert second.request.message == name


async def test_the_same_results_sent_twice_go_on_once(opened: Any) -> None:
    gate = Gate()
    page = await opened(HELLO)
    first, _ = await page.says(user("q1", "u1"))
    await page.house.until_settled()
    page.house.model._scripts = ([gate, HELLO],)

    path = user("q1", "u1"), answer("Hello!", f"msg_{first.run}")
    started = [await page.says(*path) for _ in range(2)]
    gate.open()
    await page.house.until_settled()

    assert started[0][0].run == started[1][0].run
    assert [is_new for _, is_new in started] == [True, False]
    assert await page.texts() == ["q1", "Hello!Hello!"]


async def test_results_for_an_answer_that_is_not_known_here_make_one_of_their_own(
    opened: Any,
) -> None:
    page = await opened()

    await page.says(user("q1", "u1"), answer("", "elsewhere"))
    await page.house.until_settled()
    await page.says(answer("nobody asked", "x"))
    await page.house.until_settled()

    assert await page.texts() == ["q1", "Hello!"]


async def test_a_number_means_the_chat_of_that_number_or_a_name(opened: Any) -> None:
    page = await opened()
    mine = await page.house.store.chats.create(NewChat(), principal=ME)
    theirs = await page.house.store.chats.create(NewChat(), principal="other")

    for chat in (mine, theirs):
        page.chat = str(chat.id)
        await page.says(user("q", f"u{chat.id}"))
        await page.house.until_settled()

    assert await page.house.texts(mine.id) == ["q", "Hello!"]
    named = await page.house.store.chats.find(str(theirs.id), principal=ME)
    assert named is not None
    assert await page.house.texts(named.id) == ["q", "Hello!"]
    with pytest.raises(ChatNotFound):
        await page.house.chats.start_run(
            request_of(user("q"), chat="987654"), principal=ME, idempotency_key=None
        )


async def test_the_live_run_of_a_chat_is_found_whoever_started_it(opened: Any) -> None:
    gate = Gate()
    page = await opened(HALF, gate, HELLO[-1:])
    chat = await page.house.store.chats.create(NewChat(external_id="x"), principal=ME)
    faces = page.house.chats.faces

    none = await faces.live_run("x", principal=ME)
    sent = await page.house.chats.send(chat.id, "Hi", principal=ME, language="en")
    by_name = await faces.live_run("x", principal=ME)
    by_number = await faces.live_run(str(chat.id), principal=ME)
    foreign = await faces.live_run("x", principal="other")
    gate.open()
    await page.house.until_settled()

    assert none is None
    assert by_name is not None
    assert by_number is not None
    assert by_name.run == by_number.run == sent.record.run
    assert foreign is None
    assert await faces.live_run("x", principal=ME) is None


async def test_a_model_that_is_gone_leaves_no_chat(opened: Any) -> None:
    page = await opened()

    async def nobody(name: str | None) -> None:
        raise ModelUnknown("nobody")

    page.house.runs._agents._models.resolve = nobody
    with pytest.raises(ModelUnknown):
        await page.says(user("q1", "u1"))

    assert await page.house.store.chats.find("chat-1", principal=ME) is None


async def test_a_failure_without_a_word_gives_the_text_back_and_the_next_try_works(
    opened: Any,
) -> None:
    page = await opened(UpstreamLost("gone"))
    await page.says(user("q1", "u1"))
    await page.house.until_settled()
    chat = await page.house.store.chats.find("chat-1", principal=ME)
    page.house.model._scripts = ([HELLO],)

    await page.says(user("q1", "u1"), is_again=True)
    await page.house.until_settled()

    assert chat.draft == "q1"
    assert await page.texts() == ["q1", "Hello!"]


@pytest.mark.parametrize("is_small", [True, False])
async def test_a_run_that_never_began_begins_after_the_crash_if_its_request_was_kept(
    path: Path, is_small: bool
) -> None:
    clock = FakeClock()
    store = SqlChatStore(sqlite_url(path), clock=clock)
    await store.open()
    chat = await store.chats.create(NewChat(external_id="chat-1"), principal=ME)
    request = request_of(user("q1"))
    plan = {"request": msgspec.to_builtins(request), "key": "k"} if is_small else None
    new = ToldAnswer(chat_id=chat.id, run=RUN, told=(user("q1", "u1"),), plan=plan)
    await store.answers.begin_told(new, principal=ME)
    await store.close()
    clock.advance(60)

    async with open_chats(path, MemoryLog(clock), clock, (HELLO,)) as house:
        await house.until_settled()
        page = Page(house)

        assert await page.texts() == (["q1", "Hello!"] if is_small else [])
        if is_small:
            resent, is_new = await page.says(user("q1", "u1"), key="k")
            assert (resent.run, is_new) == (RUN, False)
    assert len(house.model.requests) == int(is_small)


async def test_a_request_with_pictures_is_not_kept_beside_its_answer(opened: Any) -> None:
    gate = Gate()
    page = await opened(gate, HELLO)
    picture = {"type": "image_url", "image_url": {"url": "data:," + "x" * CHAT_PLAN_BYTES_MAX}}
    request = request_of(user("q1", "u1"))
    large = msgspec.structs.replace(request, messages=({"role": "user", "content": [picture]},))

    await page.house.chats.faces.start_told(
        large, [user("q1", "u1")], is_again=False, principal=ME, idempotency_key=None
    )
    chat = await page.house.store.chats.find("chat-1", principal=ME)
    live = await page.house.store.answers.find_live(chat.id, principal=ME)
    gate.open()
    await page.house.until_settled()

    assert live.plan is None
    assert await page.texts() == ["q1", "Hello!"]


async def test_chats_of_applications_are_named_by_their_first_words(opened: Any) -> None:
    page = await opened(has_model_titles=True)

    await page.says(user("Which ring?", "u1"))
    await page.house.until_settled()

    chat = await page.house.store.chats.find("chat-1", principal=ME)
    assert (chat.title, chat.title_source) == ("Which ring?", "text")
    assert len(page.house.model.requests) == 1


@pytest.mark.parametrize("face", ["chats", "native", "told"])
async def test_an_answer_that_was_read_to_its_end_is_never_in_the_way(
    opened: Any, face: str
) -> None:
    page = await opened(upkeep_seconds=60)
    # Its end is in the log, and nobody has stored it in the chat yet.
    page.house.runs._listeners.clear()
    first, _ = await page.says(user("q1", "u1"))
    await page.house.runs.settle(first)
    chat = await page.house.store.chats.find("chat-1", principal=ME)
    assert await page.house.store.answers.find_live(chat.id, principal=ME) is not None

    if face == "chats":
        await page.house.chats.send(chat.id, "q2", principal=ME, language="en")
    elif face == "native":
        request = msgspec.structs.replace(request_of(user("q2")), face="native")
        await page.house.chats.start_run(request, principal=ME, idempotency_key=None)
    else:
        await page.says(user("q1", "u1"), answer("Hello!", f"msg_{first.run}"), user("q2", "u2"))

    assert (await page.texts())[:3] == ["q1", "Hello!", "q2"]
