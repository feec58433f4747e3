"""A chat is named by one short call of the model that answered, beside the answers."""

from pathlib import Path

import pytest

from potok.chats.contract import Chat, NewChat
from potok.errors import UpstreamLost
from potok.events.kinds import Event, TextDelta, TextStart
from potok.limits import TITLE_ANSWER_CHARACTERS_MAX
from potok.streamlog.memory import MemoryLog
from potok.testing.fakes import CountingIds, FakeClock
from potok.testing.gates import Gate
from potok.testing.scripted_model import Step
from tests.unit.runs.chat_house import HELLO, ME, ChatHouse, open_chats


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chats.sqlite3"


def said(*pieces: str) -> list[Event]:
    return [TextStart(part="t"), *(TextDelta(part="t", text=one) for one in pieces)]


async def ask(house: ChatHouse, chat: Chat, content: str = "Which ring shall I buy?") -> None:
    await house.chats.send(chat.id, content, principal=ME, language="en")
    await house.until_settled()


async def title_of(house: ChatHouse, chat: Chat) -> tuple[str, str]:
    now = await house.store.chats.read(chat.id, principal=ME)
    return now.title, now.title_source


@pytest.mark.parametrize(
    "naming",
    [[said("A ring")], [said("A ring\n"), Gate()], [said("**A ring**\n\n", "Because"), Gate()]],
    ids=["line", "more", "much more"],
)
async def test_the_first_line_names_the_chat_and_the_rest_is_not_waited_for(
    path: Path, naming: list[Step]
) -> None:
    clock = FakeClock()
    async with open_chats(
        path, MemoryLog(clock), clock, (HELLO,), naming, has_model_titles=True
    ) as house:
        chat = await house.store.chats.create(NewChat(), principal=ME)

        await ask(house, chat)

        assert await title_of(house, chat) == ("A ring", "model")
        shown = house.model.requests[1].messages
        assert [one["role"] for one in shown] == ["system", "user"]
        assert "Which ring" in shown[1]["content"]
        assert house.model.live == 0


@pytest.mark.parametrize(
    "naming",
    [[UpstreamLost("gone")], [said("")], [said("x" * TITLE_ANSWER_CHARACTERS_MAX, "y"), Gate()]],
    ids=["lost", "silent", "endless"],
)
async def test_a_chat_that_was_not_named_costs_no_second_call(
    path: Path, naming: list[Step]
) -> None:
    clock = FakeClock()
    async with open_chats(
        path, MemoryLog(clock), clock, (HELLO,), naming, (HELLO,), has_model_titles=True
    ) as house:
        chat = await house.store.chats.create(NewChat(), principal=ME)

        for content in ("Which ring?", "And why?", "And when?"):
            await ask(house, chat, content)

        assert len(house.model.requests) == 4
        assert house.model.live == 0


async def test_a_name_that_a_crash_interrupts_is_not_asked_for_again(path: Path) -> None:
    clock, ids, gate = FakeClock(), CountingIds(), Gate()
    log = MemoryLog(clock)
    async with open_chats(
        path, log, clock, (HELLO,), (said("A "), gate), ids=ids, has_model_titles=True
    ) as first:
        chat = await first.store.chats.create(NewChat(), principal=ME)
        await first.chats.send(chat.id, "Which ring?", principal=ME, language="en")
        await gate.until_waited_for()

    async with open_chats(path, log, clock, (HELLO,), ids=ids, has_model_titles=True) as second:
        await second.until_settled()
        await ask(second, chat, "And why?")

        assert len(second.model.requests) == 1
        assert (await title_of(second, chat))[1] in ("text", "model")


async def test_the_answer_and_the_next_message_do_not_wait_for_the_name(path: Path) -> None:
    clock, gate = FakeClock(), Gate()
    async with open_chats(
        path,
        MemoryLog(clock),
        clock,
        (HELLO,),
        (gate, said("A ring")),
        (HELLO,),
        has_model_titles=True,
    ) as house:
        chat = await house.store.chats.create(NewChat(), principal=ME)
        await house.chats.send(chat.id, "Which ring?", principal=ME, language="en")
        await gate.until_waited_for()

        await house.chats.send(chat.id, "And why?", principal=ME, language="en")
        texts = await house.texts(chat.id)
        gate.open()
        await house.until_settled()

        assert texts[:3] == ["Which ring?", "Hello!", "And why?"]
        assert await title_of(house, chat) == ("A ring", "model")
