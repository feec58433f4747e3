from potok.events.fold import Fold, Message, Part, RunError
from potok.events.kinds import (
    Data,
    Event,
    PartDiscard,
    ReasoningDelta,
    ReasoningStart,
    RunEnd,
    RunStart,
    SourceChange,
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
    Usage,
)
from potok.testing.samples import RUN, SAMPLES

START = RunStart(run="r", version=1, model="m")


def fold(*events: Event) -> Message:
    folding = Fold()
    for event in (START, *events):
        folding.feed(event)
    return folding.message


def test_text_is_gathered_in_its_part() -> None:
    message = fold(
        TextStart(part="t1"),
        TextDelta(part="t1", text="Hel", tokens=2),
        TextStart(part="t2", agent="a", stage="s"),
        TextDelta(part="t2", text=" you"),
        TextDelta(part="t1", text="lo"),
        TextEnd(part="t1"),
    )

    assert message.text == "Hello you"
    assert message.tokens == 4
    assert message.parts == [
        Part(type="text", id="t1", text="Hello", state="done"),
        Part(type="text", id="t2", text=" you", agent="a", stage="s"),
    ]


def test_the_answer_is_text_of_choice_0_without_code_and_thinking() -> None:
    message = fold(
        ReasoningStart(part="r1"),
        ReasoningDelta(part="r1", text="hm"),
        ReasoningStart(part="r2", choice=1),
        ReasoningDelta(part="r2", text="no"),
        TextStart(part="t1"),
        TextDelta(part="t1", text="one"),
        TextStart(part="t2", choice=1),
        TextDelta(part="t2", text="two"),
        TextStart(part="c1", channel="code"),
        TextDelta(part="c1", text="code"),
    )

    assert (message.text, message.text_of(1), message.text_of(2)) == ("one", "two", "")
    assert message.reasoning == "hm"


def test_a_message_may_be_looked_at_while_it_grows() -> None:
    folding = Fold()
    events: list[Event] = [TextDelta(part="t1", text=letter) for letter in "abc"]
    seen = []

    for event in [START, TextStart(part="t1"), *events]:
        folding.feed(event)
        seen.append(folding.message.text)

    assert seen == ["", "", "a", "ab", "abc"]


def test_a_call_has_its_arguments_and_what_it_gave() -> None:
    message = fold(
        ToolStart(call="c1", name="f", choice=1),
        ToolDelta(call="c1", text='{"a"'),
        ToolDelta(call="c1", text=":1}"),
        ToolEnd(call="c1"),
        ToolResult(call="c1", result=[1]),
        ToolStart(call="c2", name="g"),
        ToolEnd(call="c2", cut=True),
        ToolResult(call="c2", error="No."),
    )

    assert message.parts == [
        Part(type="tool", id="c1", name="f", choice=1, text='{"a":1}', state="done", result=[1]),
        Part(type="tool", id="c2", name="g", state="cut", error="No."),
    ]
    assert message.tokens == 0


def test_later_data_of_a_name_and_agent_replaces_the_earlier_in_its_place() -> None:
    message = fold(
        Data(name="sources", data=1),
        Data(name="sources", data=2, agent="a"),
        Data(name="sources", data=3),
    )

    assert [(part.id, part.agent, part.data) for part in message.parts] == [
        ("data::sources", None, 3),
        ("data:a:sources", "a", 2),
    ]


def test_a_part_may_have_the_name_of_data() -> None:
    message = fold(
        TextStart(part="data::sources"),
        Data(name="sources", data=1),
        TextDelta(part="data::sources", text="x"),
        PartDiscard(part="data::sources", reason="x"),
    )

    assert [(part.type, part.data) for part in message.parts] == [("data", 1)]


def test_a_part_taken_back_is_gone() -> None:
    message = fold(
        TextStart(part="t1"),
        TextDelta(part="t1", text="x"),
        TextStart(part="t2"),
        TextDelta(part="t2", text="y"),
        PartDiscard(part="t1", reason="restart"),
    )

    assert message.text == "y"


def test_text_is_taken_back_after_code_points() -> None:
    message = fold(
        TextStart(part="t1"),
        TextDelta(part="t1", text="🎉a"),
        TextDelta(part="t1", text="bc"),
        PartDiscard(part="t1", reason="x", keep=2),
        TextDelta(part="t1", text="!"),
        PartDiscard(part="t1", reason="x", keep=99),
    )

    assert message.text == "🎉a!"


def test_stages_keep_every_attempt() -> None:
    message = fold(
        StageStart(stage="a", agent="x"),
        StageEnd(stage="a", outcome="failed"),
        StageStart(stage="b"),
        StageStart(stage="a", attempt=2),
        StageEnd(stage="a", attempt=2),
    )

    assert [(stage.stage, stage.attempt, stage.outcome) for stage in message.stages] == [
        ("a", 1, "failed"),
        ("b", 1, None),
        ("a", 2, "finished"),
    ]


def test_the_end_of_a_stage_that_is_not_open_changes_nothing() -> None:
    assert fold(StageEnd(stage="a")).stages == []


def test_the_newest_status_and_usage_count() -> None:
    message = fold(
        Status(text="a", code="a"),
        Usage(prompt_tokens=1),
        Status(text="b", code="b"),
        Usage(prompt_tokens=2),
        SourceChange(reason="x", attempt=2, how="prompt"),
    )

    assert message.status == Status(text="b", code="b")
    assert message.usage == Usage(prompt_tokens=2)
    assert [change.attempt for change in message.sources] == [2]


def test_an_end_takes_the_status_away_and_says_how_it_went() -> None:
    status = Status(text="a", code="a")
    finished = fold(
        status,
        RunEnd(outcome="finished", finish_reason="stop", finish_reasons=("stop", "length")),
    )
    failed = fold(status, RunEnd(outcome="failed", code="c", message="m"))
    without_words = fold(RunEnd(outcome="failed"))

    assert (finished.status, finished.outcome, finished.error) == (None, "finished", None)
    assert finished.finish_reasons == ("stop", "length")
    assert failed.error == RunError(code="c", message="m")
    assert without_words.error == RunError(code="failed", message="The run failed.")


def test_unknown_kinds_change_nothing() -> None:
    assert fold(Unknown(kind="x", fields={"part": "t1"})) == fold()


def test_the_start_names_the_run() -> None:
    folding = Fold()
    folding.feed(SAMPLES["stages, data and code"][0])

    assert (folding.message.run, folding.message.agent, folding.message.model) == (
        RUN,
        "coder",
        None,
    )
