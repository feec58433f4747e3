from typing import Any

import pytest

from potok.events.kinds import (
    Event,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningStart,
    TextDelta,
    TextEnd,
    TextStart,
    ToolEnd,
    ToolStart,
)
from potok.limits import DELTA_CHARACTERS_MAX
from potok.models.openai_chat_calls import PartNames
from potok.models.openai_chat_choice import ChoiceParts
from potok.models.openai_chat_chunks import WireChoice
from tests.unit.models.replies import fold


def take(*deltas: dict[str, Any], index: int = 0) -> list[Event]:
    choice = ChoiceParts(index=index, names=PartNames(), provider="test")
    events: list[Event] = []
    for delta in deltas:
        choice.take(WireChoice(delta=delta), events)
    choice.close(events)
    return events


def test_a_part_ends_where_another_begins_and_a_later_one_has_a_name_of_its_own() -> None:
    events = take({"content": "a"}, {"reasoning_content": "b"}, {"content": "c"})

    assert events == [
        TextStart(part="text-1"),
        TextDelta(part="text-1", text="a"),
        TextEnd(part="text-1"),
        ReasoningStart(part="reasoning-1"),
        ReasoningDelta(part="reasoning-1", text="b"),
        ReasoningEnd(part="reasoning-1"),
        TextStart(part="text-2"),
        TextDelta(part="text-2", text="c"),
        TextEnd(part="text-2"),
    ]


def test_parts_of_another_choice_carry_its_number() -> None:
    events = take({"content": "a"}, {"reasoning": "b"}, index=2)

    assert events[0] == TextStart(part="text-1.2", choice=2)
    assert events[3] == ReasoningStart(part="reasoning-1.2", choice=2)


def test_thinking_and_text_in_one_delta_come_in_that_order() -> None:
    events = take({"content": "a", "reasoning": "b"})

    assert [type(event) for event in events] == [
        *(ReasoningStart, ReasoningDelta, ReasoningEnd),
        *(TextStart, TextDelta, TextEnd),
    ]


def test_thinking_under_both_its_names_is_said_once() -> None:
    events = take({"reasoning_content": "a", "reasoning": "a"})

    assert [event.text for event in events if isinstance(event, ReasoningDelta)] == ["a"]


def test_text_ends_where_a_call_begins() -> None:
    call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": ""}}

    events = take({"content": "a", "tool_calls": [call]})

    assert events[2:] == [TextEnd(part="text-1"), ToolStart(call="c", name="f"), ToolEnd(call="c")]


def test_a_refusal_is_text_that_can_be_told_from_other_text() -> None:
    events = take({"content": None, "refusal": "I cannot."})

    assert events[1] == TextDelta(part="text-1", text="I cannot.", extra={"refusal": "I cannot."})


def test_a_refusal_and_other_text_are_parts_of_their_own() -> None:
    events = take({"content": "Well, "}, {"refusal": "no."}, {"content": "Sorry", "refusal": "!"})

    message = fold(events)
    assert [(part.text, part.refusal) for part in message.parts] == [
        ("Well, ", False),
        ("no.", True),
        ("Sorry", False),
        ("!", True),
    ]


def test_a_long_refusal_is_one_in_all_of_its_pieces() -> None:
    words = "no" * DELTA_CHARACTERS_MAX

    events = take({"refusal": words})

    deltas = [event for event in events if isinstance(event, TextDelta)]
    assert len(deltas) == 2
    assert "".join((delta.extra or {})["refusal"] for delta in deltas) == words


def test_unknown_fields_stay_with_what_they_came_with_and_empty_ones_go() -> None:
    unknown = {"annotations": [{"url": "x"}], "audio": None, "images": []}

    with_text = take({"content": "a", **unknown})
    with_thinking = take({"reasoning": "a", **unknown})
    alone = take(unknown)

    kept = {"annotations": [{"url": "x"}]}
    assert with_text[1] == TextDelta(part="text-1", text="a", extra=kept)
    assert with_thinking[1] == ReasoningDelta(part="reasoning-1", text="a", extra=kept)
    assert alone[1] == TextDelta(part="text-1", text="", tokens=0, extra=kept)


def test_unknown_fields_alone_belong_to_the_part_that_is_open() -> None:
    events = take({"reasoning": "a"}, {"reasoning": "", "reasoning_details": [1]})

    assert events[2] == ReasoningDelta(
        part="reasoning-1", text="", tokens=0, extra={"reasoning_details": [1]}
    )


def test_log_probabilities_stay_even_where_no_text_or_no_field_is_for_them() -> None:
    choice = ChoiceParts(index=0, names=PartNames(), provider="test")
    events: list[Event] = []

    choice.take(WireChoice(delta={"content": "a"}, logprobs={"content": [1]}), events)
    choice.take(WireChoice(delta={}, logprobs={"content": [2]}), events)
    choice.take(WireChoice(delta={"reasoning": "b"}, logprobs={"content": [3]}), events)

    deltas = [event for event in events if isinstance(event, TextDelta)]
    assert [(delta.text, delta.logprobs) for delta in deltas] == [
        ("a", {"content": [1]}),
        ("", {"content": [2]}),
    ]
    assert events[-1] == ReasoningDelta(
        part="reasoning-1", text="b", extra={"logprobs": {"content": [3]}}
    )


def test_a_long_piece_is_cut_for_readers_and_counts_once() -> None:
    text = "ж" * (2 * DELTA_CHARACTERS_MAX + 1)

    deltas = [event for event in take({"content": text}) if isinstance(event, TextDelta)]

    assert "".join(delta.text for delta in deltas) == text
    assert max(len(delta.text) for delta in deltas) == DELTA_CHARACTERS_MAX
    assert [delta.tokens for delta in deltas] == [1, 0, 0]


def test_a_long_piece_of_an_open_part_is_cut_too() -> None:
    events = take({"content": "a"}, {"content": "b" * (DELTA_CHARACTERS_MAX + 1)})

    assert max(len(event.text) for event in events if isinstance(event, TextDelta)) == 2_000


@pytest.mark.parametrize(
    ("content", "thinking", "text"),
    [
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "", "ab"),
        ([{"type": "thinking", "thinking": [{"type": "text", "text": "a"}]}], "a", ""),
        ([{"type": "image_url", "image_url": {}}, "x"], "", ""),
        (7, "", ""),
    ],
)
def test_content_in_pieces_is_read(content: Any, thinking: str, text: str) -> None:
    events = take({"content": content})

    assert "".join(e.text for e in events if isinstance(e, ReasoningDelta)) == thinking
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == text


def test_a_reason_ends_the_parts_and_later_text_opens_a_new_one() -> None:
    choice = ChoiceParts(index=0, names=PartNames(), provider="test")
    events: list[Event] = []

    choice.take(WireChoice(delta={"content": "a"}, finish_reason="stop"), events)
    choice.take(WireChoice(delta={"content": "b"}), events)

    assert choice.reason == "stop"
    assert events[-3:] == [
        TextEnd(part="text-1"),
        TextStart(part="text-2"),
        TextDelta(part="text-2", text="b"),
    ]
