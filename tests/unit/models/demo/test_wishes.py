import json
from typing import Any

import pytest

from potok.events.fold import Fold, Message
from potok.events.kinds import RunStart, TextDelta
from potok.models.contract import ChatRequest
from potok.models.demo.answering import answer_events

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}


def fold_of(question: str, said: Message | None = None, **parameters: Any) -> Message:
    messages = ({"role": "user", "content": question},)
    request = ChatRequest(model="demo", messages=messages, parameters=parameters, said=said)
    fold = Fold()
    fold.feed(RunStart(run="r", version=1, model="demo"))
    for event in answer_events(request):
        fold.feed(event)
    return fold.message


def test_a_schema_is_filled() -> None:
    wish = {"type": "json_schema", "json_schema": {"name": "trip", "schema": SCHEMA}}

    message = fold_of("Plan a trip to Perm for 3 days", response_format=wish)

    assert json.loads(message.text) == {"city": "Perm", "days": 3}


def test_json_without_a_schema_holds_the_answer() -> None:
    plain = fold_of("What is Potok?").text

    message = fold_of("What is Potok?", response_format={"type": "json_object"})

    assert json.loads(message.text) == {"answer": plain}


@pytest.mark.parametrize(
    "question",
    [
        'Where is Anna? Answer in JSON with "name" and "place" keys.',
        "Answer as an object with the fields 'name', 'place'. Where is Anna?",
        "Где Анна? Ответь в JSON с ключами «name» и «place».",
    ],
)
def test_json_without_a_schema_has_the_keys_that_the_question_names(question: str) -> None:
    message = fold_of(question, response_format={"type": "json_object"})

    assert set(json.loads(message.text)) == {"name", "place"}


def test_many_quotes_are_looked_through_quickly() -> None:
    message = fold_of("'a' " * 20_000, response_format={"type": "json_object"})

    assert set(json.loads(message.text)) == {"answer"}


def test_several_choices_say_the_same() -> None:
    message = fold_of("What is Potok?", n=3)

    assert message.text_of(0) == message.text_of(1) == message.text_of(2) != ""
    assert message.finish_reasons == ("stop", "stop", "stop")
    assert message.usage is not None
    assert message.usage.completion_tokens % 3 == 0


def test_choices_that_were_begun_go_on_exactly() -> None:
    request = ChatRequest(
        model="demo",
        messages=({"role": "user", "content": "Say: one two three"},),
        parameters={"n": 2},
    )
    events = list(answer_events(request))
    whole = fold_of("Say: one two three", n=2)

    for cut in range(1, len(events)):
        fold = Fold()
        fold.feed(RunStart(run="r", version=1, model="demo"))
        for event in events[:cut]:
            fold.feed(event)
        rest = answer_events(
            ChatRequest(
                model="demo",
                messages=request.messages,
                parameters=request.parameters,
                said=fold.message,
            )
        )
        for event in list(rest):
            fold.feed(event)
        assert [fold.message.text_of(choice) for choice in (0, 1)] == [whole.text, whole.text]


def test_log_probabilities_say_that_nothing_else_was_possible() -> None:
    request = ChatRequest(
        model="demo",
        messages=({"role": "user", "content": "What is Potok?"},),
        parameters={"logprobs": True, "top_logprobs": 1},
    )

    deltas = [event for event in answer_events(request) if isinstance(event, TextDelta)]

    for delta in deltas:
        [told] = delta.logprobs["content"]
        assert told["token"] == delta.text
        assert told["logprob"] == 0.0
        assert bytes(told["bytes"]).decode() == delta.text
        assert len(told["top_logprobs"]) == 1
