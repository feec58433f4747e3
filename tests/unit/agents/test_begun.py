"""An answer that goes on in another run: what stands in all, and what its own log takes."""

from potok.agents.begun import Reopened, whole_of
from potok.events.fold import Message, Part
from potok.events.grammar import GrammarChecker
from potok.events.kinds import (
    GRAMMAR_VERSION,
    Event,
    PartDiscard,
    ReasoningDelta,
    ReasoningEnd,
    RunStart,
    SourceChange,
    TextDelta,
    TextEnd,
    TextStart,
)

BEGUN = Message(
    model="m",
    parts=[
        Part(type="reasoning", id="r", text="Hm.", state="done"),
        Part(type="text", id="t", text="Half "),
    ],
)


def test_nothing_more_was_said_yet() -> None:
    whole = whole_of(BEGUN, None)

    assert whole.parts == BEGUN.parts
    assert whole.parts[1] is not BEGUN.parts[1]


def test_a_part_that_went_on_is_one_part_and_others_follow() -> None:
    said = Message(
        run="r2",
        parts=[
            Part(type="reasoning", id="r@1", text="Oh.", state="cut"),
            Part(type="text", id="t", text="and half", state="done"),
        ],
        tokens=2,
    )

    whole = whole_of(BEGUN, said)

    assert [(part.id, part.text, part.state) for part in whole.parts] == [
        ("r", "Hm.", "done"),
        ("t", "Half and half", "done"),
        ("r@1", "Oh.", "cut"),
    ]
    assert (whole.run, whole.tokens, whole.text) == ("r2", 2, "Half and half")
    assert BEGUN.text == "Half "


def test_the_log_is_told_that_a_part_begins_with_its_first_word() -> None:
    events: list[Event] = [
        SourceChange(reason="continued", attempt=1, how="prefill"),
        TextDelta(part="t", text="and "),
        TextDelta(part="t", text="half"),
        TextEnd(part="t"),
    ]

    fitted = Reopened(BEGUN, None).take(events)

    checker = GrammarChecker()
    for event in (RunStart(run="r2", version=GRAMMAR_VERSION), *fitted):
        checker.admit(event)
    assert fitted == [events[0], TextStart(part="t"), *events[1:]]


def test_what_begins_anew_under_an_old_name_is_left_as_it_is() -> None:
    events: list[Event] = [TextStart(part="t"), TextDelta(part="t", text="x"), TextEnd(part="t")]

    assert Reopened(BEGUN, None).take(events) == events


def test_ends_of_parts_that_said_nothing_here_are_nothing_to_the_log() -> None:
    reopened = Reopened(BEGUN, None)

    ended = reopened.take([ReasoningEnd(part="r", cut=True), TextEnd(part="t")])
    taken_back = reopened.take([PartDiscard(part="t", reason="upstream_lost")])

    assert ended == taken_back == []


def test_after_a_crash_the_log_has_the_part_already() -> None:
    said = Message(parts=[Part(type="text", id="t", text="and ")])
    events: list[Event] = [
        ReasoningDelta(part="r", text="!"),
        TextDelta(part="t", text="half"),
        TextEnd(part="t"),
    ]

    fitted = Reopened(BEGUN, said).take(events)

    assert [type(event).__name__ for event in fitted] == [
        "ReasoningStart",
        "ReasoningDelta",
        "TextDelta",
        "TextEnd",
    ]
