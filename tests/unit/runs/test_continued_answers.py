"""An answer that was cut off goes on in the same message: exactly, or it stays what it was."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from potok.chats.contract import Chat, ImportedChat, ImportedMessage, MessageRecord, NewChat
from potok.errors import ChatBusy, ChatNotFound, RequestInvalid, UpstreamLost, UpstreamRefused
from potok.events.kinds import (
    Event,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    RunEnd,
    SourceChange,
    TextDelta,
    TextEnd,
    TextStart,
    ToolDelta,
    ToolEnd,
    ToolStart,
)
from potok.models.contract import Capabilities
from potok.runs.conversations import Sent
from potok.streamlog.memory import MemoryLog
from potok.testing.fakes import CountingIds, FakeClock
from potok.testing.gates import Gate
from potok.testing.scripted_model import Step
from tests.unit.runs.chat_house import ME, ChatHouse, open_chats
from tests.unit.runs.conftest import events_of

BEGINNING = "Rings of gold are round, and "
REST = "rings of silver are round too."
PREFILL = Capabilities(continues="prefill")
PROMPT = Capabilities(continues="prompt")
LOST = UpstreamLost("gone")


def words(*pieces: str, end: str | None = "stop") -> list[Event]:
    """Return a text part; without `end` it is left open."""
    said: list[Event] = [TextStart(part="t0"), *(TextDelta(part="t0", text=one) for one in pieces)]
    if end is not None:
        said += [TextEnd(part="t0"), RunEnd(outcome="finished", finish_reason=end)]
    return said


THINKING: list[Event] = [
    ReasoningStart(part="r0"),
    ReasoningDelta(part="r0", text="Hm. "),
    ReasoningEnd(part="r0"),
]
CALLING: list[Event] = [
    TextEnd(part="t0"),
    ToolStart(call="call-1", name="look"),
    ToolDelta(call="call-1", text='{"a'),
]
CALLED: list[Event] = [
    ToolStart(call="call-1", name="look"),
    ToolDelta(call="call-1", text="{}"),
    ToolEnd(call="call-1"),
    RunEnd(outcome="finished", finish_reason="tool_calls"),
]


class Talk:
    """One chat with one answer that broke off."""

    def __init__(self, house: ChatHouse, chat: Chat, answer: MessageRecord) -> None:
        self.house, self.chat, self.answer = house, chat, answer

    async def go_on(self, **more: Any) -> Sent:
        asked = {"principal": ME, "language": "en", "model": None, **more}
        sent = await self.house.chats.go_on(self.chat.id, self.answer.id, **asked)
        await self.house.until_settled()
        return sent

    async def now(self) -> MessageRecord:
        return await self.house.chats.message(self.chat.id, self.answer.id, principal=ME)


class Opener:
    def __init__(self, stack: AsyncExitStack, folder: Path) -> None:
        self._stack = stack
        self._path = folder / "chats.sqlite3"
        self.clock = FakeClock()
        self.log = MemoryLog(self.clock)

    async def house(self, *scripts: list[Step], can: Capabilities, calls_max: int = 1) -> ChatHouse:
        opened = open_chats(
            self._path, self.log, self.clock, *scripts, capabilities=can, calls_max=calls_max
        )
        return await self._stack.enter_async_context(opened)

    async def broken(
        self, *scripts: list[Step], can: Capabilities = PREFILL, calls_max: int = 1
    ) -> Talk:
        """Ask, and let the first script break the answer off."""
        house = await self.house(*scripts, can=can, calls_max=calls_max)
        chat = await house.store.chats.create(NewChat(), principal=ME)
        sent = await house.chats.send(chat.id, "Hi", principal=ME, language="en")
        await house.until_settled()
        answer = await house.chats.message(chat.id, sent.answer.id, principal=ME)
        return Talk(house, chat, answer)


@pytest.fixture
async def opener(tmp_path: Path) -> AsyncIterator[Opener]:
    async with AsyncExitStack() as stack:
        yield Opener(stack, tmp_path)


CUT: list[Step] = [words(BEGINNING, end=None), LOST]


@pytest.mark.parametrize(
    ("can", "said", "how"),
    [
        (PREFILL, [REST], "prefill"),
        (PREFILL, [BEGINNING, REST], "prefill"),
        (PROMPT, ["are round, and ", REST], "prompt"),
        (PROMPT, [REST], "prompt"),
        (PROMPT, [BEGINNING + REST], "prompt"),
    ],
)
async def test_an_answer_goes_on_exactly_where_it_stopped(
    opener: Opener, can: Capabilities, said: list[str], how: str
) -> None:
    talk = await opener.broken(CUT, [words(*said)], can=can)

    sent = await talk.go_on()

    whole = await talk.now()
    assert (whole.content, whole.status) == (BEGINNING + REST, "finished")
    assert await talk.house.texts(talk.chat.id) == ["Hi", BEGINNING + REST]
    changes = [
        one
        for one in await events_of(talk.house.runs, sent.record)
        if isinstance(one, SourceChange)
    ]
    assert [(one.reason, one.how, one.attempt) for one in changes] == [("continued", how, 1)]


async def test_a_model_that_takes_begun_answers_is_shown_the_text_and_nothing_else(
    opener: Opener,
) -> None:
    talk = await opener.broken(CUT, [words(REST)])

    await talk.go_on()

    shown = talk.house.model.requests[-1].messages
    assert [(one["role"], one["content"]) for one in shown] == [
        ("user", "Hi"),
        ("assistant", BEGINNING.rstrip()),
    ]


async def test_a_refused_begun_answer_is_asked_for_in_words(opener: Opener) -> None:
    refusal = UpstreamRefused("no begun answers", status=400)
    cut: list[Step] = [words(BEGINNING, end="length")]
    talk = await opener.broken(cut, [refusal], [words(REST)], calls_max=2)

    sent = await talk.go_on()

    events = await events_of(talk.house.runs, sent.record)
    assert (await talk.now()).content == BEGINNING + REST
    assert [one.how for one in events if isinstance(one, SourceChange)] == ["prefill", "prompt"]
    assert talk.house.model.requests[-1].messages[-1]["role"] == "user"


async def test_a_continuation_that_breaks_goes_on_by_the_rules_of_every_answer(
    opener: Opener,
) -> None:
    talk = await opener.broken(CUT, [words(REST[:9], end=None), LOST], [words(REST[9:])])

    await talk.go_on()

    whole = await talk.now()
    # The house allows one call for an answer: what came is kept, and it can go on again.
    assert (whole.content, whole.status) == (BEGINNING + REST[:9], "failed")
    await talk.go_on()
    assert (await talk.now()).content == BEGINNING + REST


@pytest.mark.parametrize("script", [[LOST], [THINKING, LOST]], ids=["nothing", "thinking"])
async def test_a_continuation_without_a_word_leaves_the_answer_as_it_was(
    opener: Opener, script: list[Step]
) -> None:
    talk = await opener.broken(CUT, script)

    sent = await talk.go_on()

    now = await talk.now()
    assert (now.content, now.status, now.metadata) == (
        talk.answer.content,
        talk.answer.status,
        talk.answer.metadata,
    )
    assert (await talk.house.runs.find(sent.record.run, principal=ME)).status == "failed"


async def test_a_whole_answer_to_which_its_model_adds_nothing_stays_whole(opener: Opener) -> None:
    talk = await opener.broken([words(BEGINNING, REST)], [words("")])

    await talk.go_on()

    now = await talk.now()
    assert (now.content, now.status) == (BEGINNING + REST, "finished")


async def test_thinking_is_kept_and_new_thinking_follows_it(opener: Opener) -> None:
    talk = await opener.broken(
        [THINKING, words(BEGINNING, end=None), LOST], [THINKING, words(REST)]
    )

    await talk.go_on()

    now = await talk.now()
    assert now.content == BEGINNING + REST
    assert now.metadata["thinkingText"] == "Hm. Hm. "


async def test_a_call_that_was_cut_off_is_made_again(opener: Opener) -> None:
    talk = await opener.broken([words(BEGINNING, end=None), CALLING, LOST], [CALLED])

    await talk.go_on()

    now = await talk.now()
    tools = [part for part in now.metadata["parts"] if part["type"] == "tool"]
    assert [part["text"] for part in talk.answer.metadata["parts"] if part["type"] == "tool"] == [
        '{"a'
    ]
    assert now.content == BEGINNING
    assert [(part["text"], part["state"]) for part in tools] == [("{}", "done")]
    assert now.metadata["parts"][0]["text"] == BEGINNING


async def test_parts_of_an_answer_that_went_on_are_one_row(opener: Opener) -> None:
    talk = await opener.broken(
        CUT,
        [[*words(REST, end=None), TextEnd(part="t0"), *CALLED]],
    )

    await talk.go_on()

    parts = (await talk.now()).metadata["parts"]
    assert [(part["type"], part.get("text")) for part in parts] == [
        ("text", BEGINNING + REST),
        ("tool", "{}"),
    ]


async def test_a_crash_in_the_middle_of_a_continuation_is_survived(
    tmp_path: Path, opener: Opener
) -> None:
    gate, ids = Gate(), CountingIds()
    path = tmp_path / "other.sqlite3"
    scripts: list[list[Step]] = [CUT, [words(REST[:9], end=None), gate]]
    async with open_chats(
        path, opener.log, opener.clock, scripts[0], scripts[1], ids=ids, capabilities=PREFILL
    ) as first:
        chat = await first.store.chats.create(NewChat(), principal=ME)
        sent = await first.chats.send(chat.id, "Hi", principal=ME, language="en")
        await first.until_settled()
        gone_on = await first.chats.go_on(
            chat.id, sent.answer.id, principal=ME, language="en", model=None
        )
        await gate.until_waited_for()
        await opener.log.wait_beyond(gone_on.record.run, 3, seconds=5)  # type: ignore[arg-type]

    async with open_chats(
        path, opener.log, opener.clock, [words(REST[9:])], ids=ids, capabilities=PREFILL
    ) as second:
        await second.until_settled()

        assert await second.texts(chat.id) == ["Hi", BEGINNING + REST]
        begun = second.model.requests[0].messages[-1]
        assert begun["content"] == (BEGINNING + REST[:9]).rstrip()


async def test_only_the_last_answer_of_a_path_goes_on(opener: Opener) -> None:
    talk = await opener.broken(CUT, [words(REST)])
    house, chat = talk.house, talk.chat
    user = talk.answer.parent_id
    assert user is not None
    await house.chats.send(chat.id, "More", principal=ME, language="en")
    await house.until_settled()

    for message, error in ((talk.answer.id, RequestInvalid), (user, RequestInvalid)):
        with pytest.raises(error):
            await house.chats.go_on(chat.id, message, principal=ME, language="en", model=None)
    with pytest.raises(ChatNotFound):
        await house.chats.go_on(chat.id, 999, principal=ME, language="en", model=None)


async def test_two_tabs_that_continue_at_once_go_on_once(opener: Opener) -> None:
    gate = Gate()
    talk = await opener.broken(CUT, [gate, words(REST)])
    asked = {"principal": ME, "language": "en", "model": None}
    await talk.house.chats.go_on(talk.chat.id, talk.answer.id, **asked)  # type: ignore[arg-type]

    with pytest.raises(ChatBusy):
        await talk.house.chats.go_on(talk.chat.id, talk.answer.id, **asked)  # type: ignore[arg-type]
    gate.open()
    await talk.house.until_settled()

    assert (await talk.now()).content == BEGINNING + REST


async def test_a_model_that_cannot_go_on_is_said_before_anything_changes(opener: Opener) -> None:
    talk = await opener.broken(CUT, [words(REST)], can=Capabilities(continues="no"))

    with pytest.raises(RequestInvalid, match="cannot go on"):
        await talk.go_on()

    assert await talk.now() == talk.answer
    assert len(talk.house.model.requests) == 1


async def test_an_imported_answer_goes_on_too(opener: Opener) -> None:
    house = await opener.house([words(REST)], can=PREFILL)
    said = ImportedMessage(role="assistant", content=BEGINNING, parent=0, created_at=2.0)
    asked = ImportedMessage(role="user", content="Hi", parent=None, created_at=1.0)
    imported = await house.store.transfer.add(
        [ImportedChat(title="t", created_at=1.0, updated_at=2.0, messages=(asked, said), leaf=1)],
        principal=ME,
    )
    chat = await house.store.chats.read(imported.chat_ids[0], principal=ME)
    assert chat.leaf_id is not None
    answer = await house.store.messages.read(chat.id, chat.leaf_id, principal=ME)

    await Talk(house, chat, answer).go_on(model="scripted")

    assert await house.texts(chat.id) == ["Hi", BEGINNING + REST]
