from typing import Any

import pytest

from potok.agents.said import fold_of, is_one_voice, state_of
from potok.events.fold import Message, Part
from potok.events.kinds import SourceChange
from potok.events.run_request import RunRequest

PLAIN = RunRequest(model="m")


def text(words: str = "Hi", state: str = "open", name: str = "text-1") -> Part:
    return Part(type="text", id=name, text=words, state=state)


THOUGHT = Part(type="reasoning", id="reasoning-1", text="Hm", state="done")
CALL = Part(type="tool", id="c", name="look", text='{"a"')


@pytest.mark.parametrize(
    ("parts", "state"),
    [
        ([], "nothing"),
        ([text("")], "nothing"),
        ([text(" \n")], "nothing"),
        ([THOUGHT], "thinking"),
        ([THOUGHT, text()], "words"),
        ([text(state="cut")], "words"),
        ([text(state="done"), Part(type="reasoning", id="r", text="x")], "words"),
        ([text(state="done"), CALL], "call"),
        ([text(state="done")], "all"),
        ([THOUGHT, text(state="done")], "all"),
        ([Part(type="tool", id="c", name="look", text="{}", state="done")], "all"),
        ([Part(type="data", id="d"), text()], "words"),
    ],
)
def test_what_readers_have_seen(parts: list[Part], state: str) -> None:
    assert state_of(Message(parts=parts), PLAIN)[0] == state


@pytest.mark.parametrize(
    ("parameters", "parts", "state"),
    [
        ({"n": 2}, [text(state="done")], "part_of_whole"),
        ({"n": 1}, [text()], "words"),
        ({"response_format": {"type": "json_schema"}}, [text()], "part_of_whole"),
        ({"response_format": {"type": "json_object"}}, [text(state="done")], "all"),
        ({"response_format": {"type": "text"}}, [text()], "words"),
        ({"format": "json"}, [text()], "part_of_whole"),
        ({"format": "json"}, [THOUGHT], "thinking"),
    ],
)
def test_what_is_worth_nothing_in_parts(
    parameters: dict[str, Any], parts: list[Part], state: str
) -> None:
    assert state_of(Message(parts=parts), RunRequest(parameters=parameters))[0] == state


def test_a_fold_goes_on_after_a_message() -> None:
    message = Message(
        parts=[THOUGHT, text("Hi"), CALL],
        sources=[SourceChange(reason="x", attempt=2, how="prompt")],
        tokens=4,
    )

    fold = fold_of(message)

    assert fold.message == message


@pytest.mark.parametrize(
    ("how", "name", "is_one"),
    [
        ("restart", "text-1", True),
        ("replay", "text-1", True),
        ("prompt", "text-1", False),
        ("restart", "text-1@2", False),
    ],
)
def test_whose_words_they_are(how: Any, name: str, is_one: bool) -> None:
    change = SourceChange(reason="x", attempt=2, how=how)

    assert is_one_voice(Message(parts=[text(name=name)], sources=[change])) is is_one
