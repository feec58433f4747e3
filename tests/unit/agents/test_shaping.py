"""A model that cannot be held to JSON: what it is asked, and what readers see of its tries."""

from typing import Any

import pytest

from potok.agents.shaping import JSON_REPAIR
from potok.errors import AnswerUnfit, UpstreamLost, UpstreamRefused
from potok.events.kinds import (
    Event,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    RunEnd,
    Status,
    TextDelta,
    TextEnd,
    TextStart,
    ToolDelta,
    ToolEnd,
    ToolStart,
    Usage,
)
from potok.events.run_request import JsonObject
from potok.models.contract import Capabilities
from potok.testing.scripted_model import ScriptedModel, Step
from tests.unit.agents.test_answering import House

SCHEMA = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
BY_SCHEMA: JsonObject = {
    "response_format": {"type": "json_schema", "json_schema": {"name": "p", "schema": SCHEMA}}
}
AN_OBJECT: JsonObject = {"response_format": {"type": "json_object"}}
GOOD = '{"age": 7}'
LOST = UpstreamLost("The line broke.")


def answer(*texts: str, reason: str = "stop", tokens: int = 3, thinking: str = "") -> list[Step]:
    """The batches of one call: a text for each choice, and its counts."""
    batches: list[list[Event]] = []
    if thinking:
        batches.append([ReasoningStart(part="reasoning-1")])
        batches.append([ReasoningDelta(part="reasoning-1", text=thinking)])
        batches.append([ReasoningEnd(part="reasoning-1")])
    for choice, text in enumerate(texts):
        part = f"text-1.{choice}" if choice else "text-1"
        batches.append([TextStart(part=part, choice=choice)])
        batches += [[TextDelta(part=part, text=letter, choice=choice)] for letter in text]
        batches.append([TextEnd(part=part)])
    reasons = tuple(reason for _ in texts)
    ending = RunEnd(
        outcome="finished",
        finish_reason=reason,
        finish_reasons=reasons if len(reasons) > 1 else None,
    )
    return [*batches, [Usage(prompt_tokens=10, completion_tokens=tokens), ending]]


def scripted(*calls: list[Step], name: str = "one", **facts: Any) -> ScriptedModel:
    return ScriptedModel(*calls, name=name, capabilities=Capabilities(**facts))


def house_of(*models: ScriptedModel, asked: JsonObject = BY_SCHEMA, **more: Any) -> House:
    return House(*models, parameters=asked, can_retract=False, **more)


@pytest.mark.parametrize("text", [GOOD, f"```json\n{GOOD}\n```", f"Sure:\n{GOOD}\nDone."])
async def test_an_answer_that_fits_is_shown_as_its_json_alone_after_one_call(text: str) -> None:
    model = scripted(answer(text))
    house = house_of(model)

    message = await house.run()

    assert (message.text, message.outcome) == (GOOD, "finished")
    assert len(model.requests) == 1
    assert message.usage == Usage(prompt_tokens=10, completion_tokens=3)


async def test_an_answer_that_does_not_fit_is_mended_once_and_both_calls_are_counted() -> None:
    model = scripted(answer('{"age": "seven"}', tokens=5), answer(GOOD))
    house = house_of(model)

    message = await house.run()

    statuses = [event for event in house.events if isinstance(event, Status)]
    assert message.text == GOOD
    assert [status.code for status in statuses] == [JSON_REPAIR]
    assert message.usage is not None
    assert (message.usage.prompt_tokens, message.usage.completion_tokens) == (20, 8)
    assert [one["role"] for one in model.requests[1].messages] == ["system", "assistant", "user"]
    assert (
        'At $.age: the value is not of type "integer".' in model.requests[1].messages[-1]["content"]
    )


async def test_what_cannot_be_mended_fails_with_its_reason_and_without_a_word() -> None:
    model = scripted(answer("I would rather not."))
    house = house_of(model)

    with pytest.raises(AnswerUnfit, match="not valid JSON") as failure:
        await house.run()

    assert house.fold.message.text == ""
    assert len(model.requests) == 2
    assert "rather" not in failure.value.message


async def test_the_wish_is_said_in_words_and_not_sent_to_a_provider_that_knows_no_schema() -> None:
    plain, with_objects = scripted(answer(GOOD)), scripted(answer(GOOD), json_object=True)

    for model in (plain, with_objects):
        await house_of(model).run()

    assert "response_format" not in plain.requests[0].parameters
    assert with_objects.requests[0].parameters["response_format"] == {"type": "json_object"}
    assert '"required":["age"]' in plain.requests[0].messages[0]["content"]


@pytest.mark.parametrize(
    ("asked", "facts"),
    [
        (BY_SCHEMA, {"json_schema": True}),
        (AN_OBJECT, {"json_schema": True}),
        (AN_OBJECT, {"json_object": True}),
        ({"response_format": {"type": "text"}}, {}),
    ],
)
async def test_a_model_whose_provider_holds_it_to_the_wish_streams_as_ever(
    asked: JsonObject, facts: dict[str, Any]
) -> None:
    script = answer("no JSON at all")
    model = scripted(script, **facts)
    house = house_of(model, asked=asked)

    await house.run()

    assert house.events == [event for batch in script for event in batch]  # type: ignore[union-attr]
    assert model.requests[0].parameters == asked


async def test_an_object_is_enough_where_no_schema_is_named() -> None:
    model = scripted(answer("[1]"), answer('{"anything": 1}'))

    message = await house_of(model, asked=AN_OBJECT).run()

    assert message.text == '{"anything": 1}'


async def test_thinking_is_shown_as_it_comes_and_keeps_its_names_apart() -> None:
    model = scripted(answer("no", thinking="hm"), answer(GOOD, thinking="ah"))
    house = house_of(model)

    message = await house.run()

    assert [part.type for part in message.parts] == ["reasoning", "reasoning", "text"]
    assert message.reasoning == "hmah"
    kinds = [type(event) for event in house.events]
    assert kinds.index(ReasoningDelta) < kinds.index(Status) < kinds.index(TextStart)


@pytest.mark.parametrize("reason", ["length", "content_filter"])
async def test_an_answer_that_was_not_finished_is_shown_as_it_is(reason: str) -> None:
    model = scripted(answer('{"age": ', reason=reason))

    message = await house_of(model).run()

    assert (message.text, message.finish_reason) == ('{"age": ', reason)
    assert len(model.requests) == 1


async def test_a_refusal_is_no_json_and_needs_not_be() -> None:
    no: list[Step] = [
        [
            TextStart(part="text-1"),
            TextDelta(part="text-1", text="I will not.", extra={"refusal": "I will not."}),
            TextEnd(part="text-1"),
            RunEnd(outcome="finished", finish_reason="stop"),
        ]
    ]

    message = await house_of(scripted(no)).run()

    assert message.text == "I will not."
    assert message.parts[0].refusal


async def test_calls_of_tools_come_in_their_order_and_are_not_checked() -> None:
    call: list[Step] = [
        [TextStart(part="text-1"), TextDelta(part="text-1", text="Let me look.")],
        [TextEnd(part="text-1"), ToolStart(call="c1", name="look")],
        [ToolDelta(call="c1", text="{}"), ToolEnd(call="c1")],
        [RunEnd(outcome="finished", finish_reason="tool_calls")],
    ]
    house = house_of(scripted(call))

    message = await house.run()

    assert house.events == [event for batch in call for event in batch]  # type: ignore[union-attr]
    assert message.finish_reason == "tool_calls"


async def test_of_several_choices_only_the_unfit_ones_are_mended() -> None:
    model = scripted(answer('{"age": 1}', "no", '{"age": 3}'), answer('{"age": 2}'))
    house = house_of(model, asked={**BY_SCHEMA, "n": 3})

    message = await house.run()

    assert [message.text_of(choice) for choice in range(3)] == [
        '{"age": 1}',
        '{"age": 2}',
        '{"age": 3}',
    ]
    assert message.finish_reasons == ("stop", "stop", "stop")
    assert "n" not in model.requests[1].parameters


async def test_an_answer_that_breaks_before_it_was_shown_is_asked_for_anew() -> None:
    model = scripted([*answer('{"age"')[:4], LOST], answer(GOOD))
    house = house_of(model)

    message = await house.run()

    assert message.text == GOOD
    assert [change.how for change in message.sources] == ["restart"]
    assert len(model.requests) == 2


async def test_a_repair_that_breaks_is_a_broken_answer() -> None:
    model = scripted(answer("no", thinking="hm"), [LOST], answer(GOOD))
    house = house_of(model)

    message = await house.run()

    assert message.text == GOOD
    assert len(model.requests) == 3


async def test_another_model_stands_in_for_one_that_makes_no_json() -> None:
    first, second = scripted(answer("no")), scripted(answer(GOOD), name="two", json_schema=True)
    house = house_of(first, second)

    message = await house.run()

    assert message.text == GOOD
    assert message.sources[0].reason == "answer_unfit"
    assert second.requests[0].parameters == BY_SCHEMA


async def test_a_model_that_stands_in_is_held_to_the_wish_by_us() -> None:
    refusal = UpstreamRefused("No.", status=401)
    first = scripted([refusal], json_schema=True)
    second = scripted(answer("no"), answer(GOOD), name="two")
    house = house_of(first, second)

    message = await house.run()

    assert message.text == GOOD
    assert len(second.requests) == 2


async def test_after_a_crash_in_the_repair_the_answer_is_asked_for_anew() -> None:
    broken = house_of(scripted(answer("no", thinking="hm"), [LOST]), policy="fail")
    with pytest.raises(UpstreamLost):
        await broken.run()
    model = scripted(answer(GOOD))
    house = house_of(model, said=broken.fold.message)

    message = await house.run()

    assert message.text == GOOD
    assert message.usage is not None
    assert message.usage.prompt_tokens == 20


async def test_a_wish_is_added_to_the_instructions_that_the_caller_gave() -> None:
    told: list[list[JsonObject]] = [
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Age?"}],
        [{"role": "user", "content": "Age?"}],
    ]
    first: list[JsonObject] = []
    for messages in told:
        model = scripted(answer(GOOD))
        await house_of(model, messages=messages).run()
        assert len(model.requests[0].messages) == 2
        first.append(model.requests[0].messages[0])

    assert [one["role"] for one in first] == ["system", "system"]
    assert first[0]["content"].startswith("Be brief.\n\nAnswer with JSON")
