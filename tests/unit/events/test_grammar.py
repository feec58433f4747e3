import pytest
from hypothesis import given
from hypothesis import strategies as st

from potok.errors import GrammarViolation
from potok.events.closing import closing_events
from potok.events.fold import Fold
from potok.events.grammar import RULES, GrammarChecker, State
from potok.events.kinds import (
    KINDS,
    Event,
    PartDiscard,
    RunEnd,
    RunStart,
    StageEnd,
    StageStart,
    Status,
    TextDelta,
    TextEnd,
    TextStart,
    ToolDelta,
    ToolEnd,
    ToolResult,
    ToolStart,
    Unknown,
)
from tests.unit.events.strategies import colliding_event

START = RunStart(run="r", version=1, model="m")
END = RunEnd(outcome="finished")


def after(*events: Event) -> GrammarChecker:
    checker = GrammarChecker()
    for event in (START, *events):
        checker.admit(event)
    return checker


def test_the_table_names_every_kind() -> None:
    assert set(RULES) == set(KINDS)


def test_open_things_are_told_oldest_first() -> None:
    checker = after(
        StageStart(stage="s1"),
        TextStart(part="t1"),
        ToolStart(call="c1", name="f"),
        TextEnd(part="t1"),
        TextStart(part="t2"),
        StageStart(stage="s2", attempt=3, agent="a"),
    )

    assert checker.open_parts == (("tool", "c1"), ("text", "t2"))
    assert checker.open_stages == ("s1", "s2")
    assert checker.open_attempts[1] == StageStart(stage="s2", attempt=3, agent="a")
    assert checker.run is State.OPEN


def test_an_ended_stage_is_not_open() -> None:
    assert after(StageStart(stage="s1"), StageEnd(stage="s1")).open_attempts == ()


@pytest.mark.parametrize(
    ("before", "event", "words"),
    [
        ([], START, "run-start may not come while the run is open"),
        ([END], END, "while the run is ended"),
        ([END], START, "while the run is ended"),
        ([END], Unknown(kind="x", fields={}), "while the run is ended"),
        ([TextStart(part="t1")], END, r"these are open: \['t1'\]"),
        ([StageStart(stage="s1")], END, r"these are open: \['s1'\]"),
        ([], TextDelta(part="t1", text="x"), "text unseen"),
        ([TextStart(part="t1")], TextStart(part="t1"), "text open"),
        ([TextStart(part="t1")], ToolDelta(call="t1", text="x"), "text open"),
        ([ToolStart(call="c", name="f")], ToolResult(call="c"), "tool open"),
        ([StageStart(stage="s1")], StageStart(stage="s1"), "open"),
        ([], StageEnd(stage="s1"), "unseen"),
        ([], PartDiscard(part="t1", reason="x"), "unseen"),
        ([TextStart(part="t1")], PartDiscard(part="t1", reason="x", keep=-1), "keeps -1"),
        ([], Unknown(kind="text-delta", fields={}), "were not read as such"),
    ],
)
def test_a_refusal_says_why_and_changes_nothing(
    before: list[Event], event: Event, words: str
) -> None:
    checker = after(*before)
    told = (checker.run, checker.open_parts, checker.open_attempts)

    with pytest.raises(GrammarViolation, match=words):
        checker.admit(event)

    assert (checker.run, checker.open_parts, checker.open_attempts) == told


def test_nothing_may_come_before_the_start() -> None:
    with pytest.raises(GrammarViolation, match="while the run is unseen"):
        GrammarChecker().admit(Status(text="x", code="x"))


def test_a_name_taken_back_is_never_used_again() -> None:
    checker = after(TextStart(part="t1"), PartDiscard(part="t1", reason="x"))

    with pytest.raises(GrammarViolation, match="text gone"):
        checker.admit(TextStart(part="t1"))
    with pytest.raises(GrammarViolation, match="gone"):
        checker.admit(PartDiscard(part="t1", reason="x"))


def test_a_part_that_keeps_some_text_stays_as_it_was() -> None:
    opened = after(TextStart(part="t1"), PartDiscard(part="t1", reason="x", keep=1))
    ended = after(
        ToolStart(call="c", name="f"),
        ToolEnd(call="c"),
        PartDiscard(part="c", reason="x", keep=1),
    )

    opened.admit(TextDelta(part="t1", text="y"))
    ended.admit(ToolResult(call="c"))
    ended.admit(END)

    assert opened.open_parts == (("text", "t1"),)
    assert ended.run is State.ENDED


@given(
    events=st.lists(colliding_event, max_size=40), outcome=st.sampled_from(["finished", "failed"])
)
def test_whatever_comes_only_the_grammars_own_error_is_raised_and_a_run_can_be_closed(
    events: list[Event], outcome: str
) -> None:
    checker, fold = after(), Fold()
    fold.feed(START)
    admitted = 0
    for event in events:
        try:
            checker.admit(event)
        except GrammarViolation:
            continue
        fold.feed(event)
        admitted += 1
    end = RunEnd(outcome=outcome)  # type: ignore[arg-type]

    for event in [*closing_events(checker, outcome=end.outcome), end]:
        checker.admit(event)
        fold.feed(event)

    assert checker.run is State.ENDED
    assert all(part.state != "open" for part in fold.message.parts)
    assert all(stage.outcome for stage in fold.message.stages)
