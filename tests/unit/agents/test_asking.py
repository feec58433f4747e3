from typing import Any

import pytest

from potok.agents.asking import chat_request, tokens_left
from potok.events.fold import Message, Part
from potok.events.run_request import RunRequest
from potok.limits import CONTINUATION_TAIL_CHARACTERS_MAX
from potok.models.contract import Capabilities, ChatRequest
from potok.protocol.continuation import How

USER = {"role": "user", "content": "Tell me"}
REQUEST = RunRequest(model="p/m", messages=(USER,), parameters={"temperature": 0})
ENGLISH = "A stream is kept word by word, and every reader sees the same.\n\n"
RUSSIAN = "Поток хранит каждое слово, и все читатели видят одно и то же."


def said(text: str) -> Message:
    return Message(parts=[Part(type="text", id="text-1", text=text)])


def ask(how: How, text: str = ENGLISH, request: RunRequest = REQUEST, **more: Any) -> ChatRequest:
    facts = more.pop("capabilities", Capabilities())
    return chat_request(
        request, model="m", capabilities=facts, how=how, said=said(text), tokens=5, **more
    )


def test_a_restart_asks_what_was_asked() -> None:
    asked = ask("restart")

    assert (asked.messages, asked.parameters, asked.said) == ((USER,), {"temperature": 0}, None)


def test_a_replay_gets_a_copy_of_what_was_said() -> None:
    message = said(ENGLISH)
    asked = chat_request(
        REQUEST, model="m", capabilities=Capabilities(), how="replay", said=message
    )

    assert asked.said == message
    assert asked.said is not message


def test_a_begun_answer_has_no_blanks_at_its_end() -> None:
    asked = ask("prefill")

    assert asked.messages[-1] == {"role": "assistant", "content": ENGLISH.rstrip()}


def test_a_begun_answer_is_marked_as_its_provider_wants_it() -> None:
    prefix = ask("prefill", capabilities=Capabilities(prefill="prefix"))
    final = ask("prefill", capabilities=Capabilities(prefill="final"))

    assert prefix.messages[-1]["prefix"] is True
    assert final.parameters == {
        "temperature": 0,
        "continue_final_message": True,
        "add_generation_prompt": False,
    }


def test_an_answer_that_the_caller_had_begun_is_one_message_with_ours() -> None:
    own = {"role": "assistant", "content": "Well, "}
    request = RunRequest(model="p/m", messages=(USER, own))

    assert ask("prefill", "yes", request).messages == (
        USER,
        {"role": "assistant", "content": "Well, yes"},
    )
    assert ask("prompt", "yes", request).messages[1]["content"] == "Well, yes"


@pytest.mark.parametrize(
    ("text", "wish", "anchor"),
    [
        (ENGLISH, "cut off", "reader sees the same."),
        (RUSSIAN, "оборвался", "видят одно и то же."),
        ("Too short", "cut off", None),
    ],
)
def test_words_ask_for_the_rest_in_the_language_of_the_text(
    text: str, wish: str, anchor: str | None
) -> None:
    _, begun, asked = ask("prompt", text).messages

    assert begun == {"role": "assistant", "content": text}
    assert asked["role"] == "user"
    assert wish in asked["content"]
    assert ("\n" in asked["content"]) is (anchor is not None)
    assert (anchor or "") in asked["content"]


def test_only_the_end_of_a_long_text_is_shown_from_a_words_beginning_on() -> None:
    text = " ".join(f"word{number}" for number in range(5_000))

    shown = ask("prompt", text).messages[1]["content"]

    assert len(shown) <= CONTINUATION_TAIL_CHARACTERS_MAX
    assert text.endswith(f" {shown}")


def test_a_limit_of_tokens_is_lowered_by_what_was_said() -> None:
    request = RunRequest(messages=(USER,), parameters={"max_tokens": 7, "top_p": 1})
    thinking = Capabilities(reasoning=True)

    assert ask("prompt", "x", request).parameters == {"max_tokens": 2, "top_p": 1}
    assert ask("prompt", "x", request, capabilities=thinking).parameters["max_tokens"] == 7
    assert tokens_left(request, tokens=5, capabilities=Capabilities()) == 2
    assert tokens_left(request, tokens=9, capabilities=Capabilities()) == 0
    assert tokens_left(request, tokens=9, capabilities=thinking) is None
    assert tokens_left(REQUEST, tokens=9, capabilities=Capabilities()) is None
