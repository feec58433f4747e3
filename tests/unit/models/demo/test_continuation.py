"""Going on after a cut: exactly, or not at all."""

import msgspec
import pytest

from potok.errors import PeerError, UpstreamMalformed
from potok.events.coalesce import coalesce
from potok.events.fold import Message, Part
from potok.events.kinds import Data, Event, ReasoningDelta, RunEnd, TextDelta, TextStart, Usage
from potok.models.demo.composition import Composition, compose
from potok.models.demo.continuation import remaining_events
from potok.testing.chat_model_suite import cuts_of, fold_of
from tests.unit.models.demo.asking import request_of

COMPOSED = {
    "english": compose(request_of("Think step by step: how do I cancel a run?")),
    "russian": compose(request_of("Подумай: что такое смещение?")),
    "only text": compose(request_of("Привет, как дела?")),
    "only thinking": compose(request_of("count to 4", reasoning_effort="low", max_tokens=5)),
    "nothing": compose(request_of("u:count to 3", "a:1, 2, 3.")),
    "emoji": compose(request_of("Repeat: 👩‍👩‍👧👩‍👩‍👧 e\u0301\n\n  x")),
}


def rest_of(composed: Composition, begun: list[Event]) -> list[Event]:
    return list(remaining_events(composed, fold_of(begun)))


@pytest.mark.parametrize("composed", COMPOSED.values(), ids=COMPOSED.keys())
def test_after_every_cut_the_rest_makes_it_whole(composed: Composition) -> None:
    events = list(remaining_events(composed, None))
    whole = fold_of(events)

    for begun in cuts_of(events):
        assert fold_of(begun + rest_of(composed, begun)) == whole


@pytest.mark.parametrize("composed", COMPOSED.values(), ids=COMPOSED.keys())
def test_a_cut_delta_that_was_not_counted_yet_is_counted_with_its_rest(
    composed: Composition,
) -> None:
    events = list(remaining_events(composed, None))
    whole = fold_of(events)

    for begun in cuts_of(events):
        last = begun[-1] if begun else None
        whole_delta = events[len(begun) - 1] if begun else None
        if isinstance(last, TextDelta | ReasoningDelta) and last != whole_delta:
            begun[-1] = msgspec.structs.replace(last, tokens=0)

            assert fold_of(begun + rest_of(composed, begun)) == whole


@pytest.mark.parametrize("composed", COMPOSED.values(), ids=COMPOSED.keys())
def test_it_goes_on_from_deltas_that_were_joined(composed: Composition) -> None:
    events = list(remaining_events(composed, None))

    for at in range(len(events)):
        begun = coalesce(events[:at])
        assert fold_of(begun + rest_of(composed, begun)) == fold_of(events)


def test_after_the_end_nothing_follows() -> None:
    events = list(remaining_events(COMPOSED["english"], None))

    assert rest_of(COMPOSED["english"], events) == []


def test_usage_with_measured_speed_is_not_said_again() -> None:
    events = list(remaining_events(COMPOSED["only text"], None))
    usage = msgspec.structs.replace(COMPOSED["only text"].usage, tokens_per_second=40.0)

    assert rest_of(COMPOSED["only text"], [*events[:-2], usage]) == [
        RunEnd(outcome="finished", finish_reason="stop")
    ]


def test_another_usage_is_replaced() -> None:
    begun: list[Event] = [Usage(prompt_tokens=1)]

    assert COMPOSED["only text"].usage in rest_of(COMPOSED["only text"], begun)


def test_data_beside_the_answer_does_not_matter() -> None:
    begun: list[Event] = [Data(name="sources", data=[1])]

    assert fold_of(rest_of(COMPOSED["russian"], begun)).text == "".join(COMPOSED["russian"].text)


def part(name: str, text: str, state: str, **fields: object) -> Part:
    return Part(type=name.split("-")[0], id=name, text=text, state=state, **fields)  # type: ignore[arg-type]


THOUGHT = "".join(COMPOSED["english"].reasoning)
TEXT = "".join(COMPOSED["english"].text)


@pytest.mark.parametrize(
    "parts",
    [
        [part("text-1", "", "open")],
        [part("reasoning-1", "I wonder", "open")],
        [part("reasoning-1", THOUGHT[:-1], "done")],
        [part("reasoning-1", THOUGHT + "!", "open")],
        [part("reasoning-1", THOUGHT[:5], "cut")],
        [part("reasoning-1", THOUGHT, "open"), part("text-1", "", "open")],
        [part("reasoning-1", THOUGHT, "done"), part("text-1", "Another answer", "open")],
        [part("reasoning-1", THOUGHT, "done"), part("text-2", "", "open")],
        [part("reasoning-1", THOUGHT, "done"), part("text-1", TEXT, "cut")],
        [
            part("reasoning-1", THOUGHT, "done"),
            part("text-1", TEXT, "done"),
            part("tool-1", "{}", "done"),
        ],
    ],
)
def test_another_answer_is_never_gone_on_with(parts: list[Part]) -> None:
    said = Message(parts=parts)

    with pytest.raises(UpstreamMalformed, match="Start a new run") as caught:
        remaining_events(COMPOSED["english"], said)

    assert isinstance(caught.value, PeerError)
    assert not caught.value.retryable


def test_part_ids_are_fixed() -> None:
    starts = [
        event.part
        for event in remaining_events(COMPOSED["english"], None)
        if hasattr(event, "part") and not hasattr(event, "text") and not hasattr(event, "cut")
    ]

    assert starts == ["reasoning-1", "text-1"]
    assert TextStart(part="text-1") in list(remaining_events(COMPOSED["english"], None))
