from potok.agents.holding import Held, as_choice
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
from potok.limits import DELTA_CHARACTERS_MAX, JSON_ANSWER_CHARACTERS_MAX

THOUGHT: list[Event] = [
    ReasoningStart(part="r1"),
    ReasoningDelta(part="r1", text="hm"),
    ReasoningEnd(part="r1"),
]
CALL: list[Event] = [
    ToolStart(call="c1", name="look"),
    ToolDelta(call="c1", text="{}"),
    ToolEnd(call="c1"),
]


def text(part: str, *pieces: str, choice: int = 0) -> list[Event]:
    deltas = [TextDelta(part=part, text=piece, choice=choice) for piece in pieces]
    return [TextStart(part=part, choice=choice), *deltas, TextEnd(part=part)]


def held(*events: Event) -> Held:
    holding = Held()
    holding.take(events)
    return holding


def test_only_the_thinking_before_the_answer_is_told_at_once() -> None:
    holding = Held()
    later: list[Event] = [ReasoningStart(part="r2"), ReasoningEnd(part="r2")]

    assert holding.take([*THOUGHT, *text("t1", "{}"), *later]) == THOUGHT
    assert holding.release() == [*text("t1", "{}"), *later]
    assert holding.has_said


def test_what_people_are_told_while_they_wait_is_told_at_once() -> None:
    status = Status(text="Waiting...", code="queued")
    holding = held(*text("t1", "{"))

    assert holding.take([status]) == [status]
    assert not held(status).has_said


def test_counts_and_the_end_are_kept_apart() -> None:
    usage, end = Usage(prompt_tokens=1), RunEnd(outcome="finished", finish_reason="stop")

    holding = held(*text("t1", "{}"), usage, end)

    assert (holding.usage, holding.ending) == (usage, end)
    assert holding.release() == text("t1", "{}")


def test_a_choice_that_said_nothing_has_to_be_json_too() -> None:
    assert held(*text("t1", "a")).texts(choices=2) == {0: "a", 1: ""}


def test_a_choice_that_calls_need_not_be_json_and_its_neighbour_must() -> None:
    holding = held(*text("t1", "I look."), *CALL, *text("t2", "{}", choice=1))

    assert holding.texts(choices=2) == {1: "{}"}


def test_what_is_said_already_stays_piece_by_piece() -> None:
    holding = held(*text("t1", "{", "}"))

    holding.say(0, "{}")

    assert holding.release() == text("t1", "{", "}")


def test_another_text_takes_the_place_of_a_choices_own_in_pieces_of_usual_size() -> None:
    holding = held(*text("t1", "no"), *text("t2", "two", choice=1))
    words = "x" * (DELTA_CHARACTERS_MAX + 1)

    holding.say(0, words)

    *other, start, first, second, end = holding.release()
    assert other == text("t2", "two", choice=1)
    assert isinstance(first, TextDelta)
    assert isinstance(second, TextDelta)
    assert first.text + second.text == words
    assert (start, end) == (TextStart(part="json-0"), TextEnd(part="json-0"))


def test_the_reason_of_what_was_mended_takes_the_place_of_the_old_one() -> None:
    ends = RunEnd(outcome="finished", finish_reason="stop", finish_reasons=("stop", "stop"))
    holding = held(*text("t1", "{}"), *text("t2", "no", choice=1), ends)

    holding.replace(1, as_choice(text("t3", "{"), 1), reason="length")

    assert holding.ending is not None
    assert holding.ending.finish_reasons == ("stop", "length")
    assert holding.release()[-3:] == text("t3", "{", choice=1)


def test_an_answer_beyond_all_bounds_is_known() -> None:
    holding = held(*text("t1", "x" * JSON_ANSWER_CHARACTERS_MAX))
    assert not holding.is_too_long

    holding.take([TextDelta(part="t1", text="x")])

    assert holding.is_too_long
