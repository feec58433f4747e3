import io

import pytest

from potok.cli.answers import AnswerWriter
from potok.cli.terminal import Terminal
from potok.events.fold import Fold
from potok.events.kinds import (
    Event,
    PartDiscard,
    ReasoningDelta,
    ReasoningStart,
    RunEnd,
    RunStart,
    SourceChange,
    Status,
    TextDelta,
    TextEnd,
    TextStart,
    ToolDelta,
    ToolEnd,
    ToolStart,
)

TEXT: list[Event] = [
    RunStart(run="r", version=1, model="demo"),
    TextStart(part="t"),
    TextDelta(part="t", text="Hello"),
    TextDelta(part="t", text=" there"),
]
END = RunEnd(outcome="finished")


def shown(events: list[Event], *, shows_remarks: bool = True, folds: bool = False) -> str:
    out, fold = io.StringIO(), Fold()
    writer = AnswerWriter(Terminal(out), shows_remarks=shows_remarks, fold=fold if folds else None)
    for event in events:
        fold.feed(event)
        writer.take(event)
    return out.getvalue()


def test_text_is_shown_as_it_is() -> None:
    assert shown([*TEXT, TextEnd(part="t"), END]) == "Hello there\n"


def test_thinking_stands_apart_from_the_answer() -> None:
    thought: list[Event] = [ReasoningStart(part="r"), ReasoningDelta(part="r", text="Hm.")]

    assert shown([TEXT[0], *thought, *TEXT[1:], END]) == "Hm.\n\nHello there\n"


def test_without_remarks_only_text_is_shown() -> None:
    around: list[Event] = [
        ReasoningStart(part="r"),
        ReasoningDelta(part="r", text="Hm."),
        Status(text="Searching", code="search"),
        ToolStart(call="c", name="look_up"),
        SourceChange(reason="worker_lost", attempt=2, how="replay"),
    ]

    assert shown([TEXT[0], *around, *TEXT[1:], END], shows_remarks=False) == "Hello there\n"


def test_statuses_calls_and_changes_of_source_are_told() -> None:
    around: list[Event] = [
        Status(text="Searching", code="search"),
        ToolStart(call="c", name="look_up"),
        ToolDelta(call="c", text='{"x": 1}'),
        ToolEnd(call="c"),
        SourceChange(reason="worker_lost", attempt=2, how="replay"),
    ]

    assert shown([TEXT[0], *around, *TEXT[1:], END]) == (
        'Searching\ncalls look_up({"x": 1})\n[goes on after: worker_lost]\nHello there\n'
    )


def test_other_choices_are_not_mixed_into_the_answer() -> None:
    other = TextDelta(part="u", text="Other", choice=1)

    assert shown([*TEXT, TextStart(part="u", choice=1), other, END]) == "Hello there\n"


def test_text_that_was_taken_back_is_written_again_without_it() -> None:
    events = [*TEXT, PartDiscard(part="t", reason="restart", keep=5), END]

    said = shown(events, folds=True)

    assert said == "Hello there\n[What stands above was taken back; the answer is:]\nHello\n"


def test_a_program_hears_of_taken_back_text_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    events = [*TEXT, PartDiscard(part="t", reason="restart", keep=5), END]

    said = shown(events, shows_remarks=False, folds=True)

    assert said == "Hello there\nHello\n"
    assert "taken back" in capsys.readouterr().err
