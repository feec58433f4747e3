from potok.events.closing import closing_events
from potok.events.grammar import GrammarChecker
from potok.events.kinds import (
    Event,
    ReasoningEnd,
    ReasoningStart,
    RunStart,
    StageEnd,
    StageStart,
    TextEnd,
    TextStart,
    ToolEnd,
    ToolStart,
)


def after(*events: Event) -> GrammarChecker:
    checker = GrammarChecker()
    for event in (RunStart(run="r", version=1), *events):
        checker.admit(event)
    return checker


def test_a_closed_run_needs_nothing() -> None:
    assert closing_events(after(), outcome="finished") == []


def test_everything_open_is_ended_newest_first_parts_before_stages() -> None:
    checker = after(
        StageStart(stage="s1"),
        StageStart(stage="s2"),
        ReasoningStart(part="r1"),
        TextStart(part="t1"),
        ToolStart(call="c1", name="f"),
    )

    assert closing_events(checker, outcome="finished") == [
        ToolEnd(call="c1"),
        TextEnd(part="t1"),
        ReasoningEnd(part="r1"),
        StageEnd(stage="s2"),
        StageEnd(stage="s1"),
    ]


def test_parts_of_a_run_that_did_not_finish_are_cut() -> None:
    checker = after(ReasoningStart(part="r1"), TextStart(part="t1"), ToolStart(call="c1", name="f"))

    ends = closing_events(checker, outcome="cancelled")

    assert ends == [
        ToolEnd(call="c1", cut=True),
        TextEnd(part="t1", cut=True),
        ReasoningEnd(part="r1", cut=True),
    ]


def test_a_stage_ends_with_the_attempt_and_the_agent_that_were_open() -> None:
    checker = after(
        StageStart(stage="coder", attempt=1, agent="a"),
        StageEnd(stage="coder", agent="a"),
        StageStart(stage="coder", attempt=2, agent="a"),
    )

    assert closing_events(checker, outcome="failed") == [
        StageEnd(stage="coder", outcome="failed", attempt=2, agent="a")
    ]
