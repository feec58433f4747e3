"""One writer's rules."""

import msgspec
import pytest

from potok.errors import GrammarViolation
from potok.events.fold import Message
from potok.events.kinds import (
    Data,
    Event,
    RunEnd,
    RunStart,
    TextDelta,
    TextEnd,
    TextStart,
    ToolStart,
    Unknown,
)
from potok.limits import EVENT_BYTES_MAX
from potok.protocol.production import Production

START = RunStart(run="r" * 16, version=1, model="demo")
END = RunEnd(outcome="finished", finish_reason="stop")


def begun(*events: Event) -> Production:
    production = Production()
    production.begin(START)
    production.admit(list(events))
    return production


def test_a_batch_is_merged_and_given_again_until_it_is_written() -> None:
    production = begun(
        TextStart(part="t"), TextDelta(part="t", text="a"), TextDelta(part="t", text="b")
    )

    first, again = production.take(), production.take()

    assert first is again
    assert first == (START, TextStart(part="t"), TextDelta(part="t", text="ab", tokens=2))
    production.written()
    assert production.is_settled


def test_what_comes_while_a_batch_is_under_way_waits_for_the_next_one() -> None:
    production = begun()
    under_way = production.take()

    production.admit([TextStart(part="t")])

    assert production.take() == under_way
    production.written()
    assert production.take() == (TextStart(part="t"),)


def test_the_end_closes_what_is_open_and_comes_last() -> None:
    production = begun(TextStart(part="t"), ToolStart(call="c", name="search"))

    production.end(RunEnd(outcome="cancelled"))

    kinds = [type(event).__name__ for event in production.take()]
    assert kinds == ["RunStart", "TextStart", "ToolStart", "ToolEnd", "TextEnd", "RunEnd"]
    assert production.is_ended


def test_a_second_end_changes_nothing() -> None:
    production = begun()
    production.end(END)
    before = production.take()

    production.end(RunEnd(outcome="failed", code="late", message="too late"))

    assert production.take() == before
    assert production.message.outcome == "finished"


def test_nothing_follows_the_end() -> None:
    production = begun()
    production.end(END)

    with pytest.raises(GrammarViolation, match="after the run's end"):
        production.admit([TextStart(part="t")])


def test_the_agents_own_end_is_handed_back_and_not_written() -> None:
    production = begun()

    handed_back = production.admit([TextStart(part="t"), END])

    assert handed_back == END
    assert not production.is_ended


@pytest.mark.parametrize(
    "events",
    [
        [END, TextStart(part="t")],
        [START],
        [TextDelta(part="never opened", text="x")],
        [TextStart(part="t"), TextEnd(part="t"), TextDelta(part="t", text="late")],
    ],
)
def test_an_agent_that_breaks_the_grammar_is_refused(events: list[Event]) -> None:
    production = begun()

    with pytest.raises(GrammarViolation):
        production.admit(events)


def test_a_run_that_did_not_begin_takes_nothing_else() -> None:
    with pytest.raises(GrammarViolation):
        Production().admit([TextStart(part="t")])


def test_an_event_over_the_limit_is_refused() -> None:
    production = begun()

    with pytest.raises(GrammarViolation, match="larger than"):
        production.admit([Data(name="big", data="x" * EVENT_BYTES_MAX)])


def test_text_with_half_a_surrogate_pair_is_refused_before_it_reaches_the_log() -> None:
    production = begun(TextStart(part="t"))

    with pytest.raises(GrammarViolation, match="surrogate"):
        production.admit([TextDelta(part="t", text="\ud83d")])


def test_pending_bytes_grow_with_text_and_fall_when_a_batch_is_taken() -> None:
    production = begun(TextStart(part="t"))

    production.admit([TextDelta(part="t", text="x" * 1000)])

    assert production.pending_bytes > 1000
    production.take()
    assert production.pending_bytes == 0


def test_a_replayed_run_goes_on_in_its_open_part_and_writes_only_what_is_new() -> None:
    production = Production()
    production.replay([START, TextStart(part="t"), TextDelta(part="t", text="half ")])

    production.admit([TextDelta(part="t", text="whole")])
    production.end(END)

    assert production.take()[0] == TextDelta(part="t", text="whole")
    assert production.message.text == "half whole"


def test_the_snapshot_is_the_folded_message() -> None:
    production = begun(TextStart(part="t"), TextDelta(part="t", text="да"))
    production.end(END)

    message = msgspec.json.decode(production.snapshot(), type=Message)

    assert (message.text, message.outcome) == ("да", "finished")


def test_kinds_of_a_later_version_pass_through() -> None:
    production = begun(Unknown(kind="new-thing", fields={"x": 1}))

    assert production.take()[-1] == Unknown(kind="new-thing", fields={"x": 1})
