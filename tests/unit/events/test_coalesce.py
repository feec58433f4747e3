import pytest
from hypothesis import given
from hypothesis import strategies as st

from potok.errors import GrammarViolation
from potok.events.coalesce import coalesce, coalesce_stored
from potok.events.envelope import Offset, StoredEvent
from potok.events.fold import Fold, Message
from potok.events.grammar import GrammarChecker
from potok.events.kinds import Event, ReasoningDelta, RunStart, Status, TextDelta, ToolDelta
from potok.limits import DELTA_CHARACTERS_MAX
from potok.testing.samples import SAMPLES
from tests.unit.events.strategies import colliding_event

STATUS = Status(text="x", code="x")


def a(text: str, tokens: int = 1) -> TextDelta:
    return TextDelta(part="a", text=text, tokens=tokens)


def b(text: str) -> TextDelta:
    return TextDelta(part="b", text=text)


def fold(events: list[Event]) -> Message:
    folding = Fold()
    for event in events:
        folding.feed(event)
    return folding.message


@pytest.mark.parametrize(
    ("events", "joined"),
    [
        ([], []),
        ([a("x")], [a("x")]),
        ([a("x"), a("y"), a("z", 3)], [a("xyz", 5)]),
        ([a("x"), b("y"), a("z")], [a("x"), b("y"), a("z")]),
        ([a("x"), STATUS, a("y")], [a("x"), STATUS, a("y")]),
        ([STATUS, a("x"), a("y"), STATUS], [STATUS, a("xy", 2), STATUS]),
        (
            [ToolDelta(call="a", text="x"), ToolDelta(call="a", text="y"), a("z")],
            [ToolDelta(call="a", text="xy", tokens=2), a("z")],
        ),
        (
            [ReasoningDelta(part="a", text="x"), ReasoningDelta(part="a", text="y")],
            [ReasoningDelta(part="a", text="xy", tokens=2)],
        ),
    ],
)
def test_neighbours_of_one_part_become_one(events: list[Event], joined: list[Event]) -> None:
    assert coalesce(events) == joined


@pytest.mark.parametrize(
    "special",
    [
        TextDelta(part="a", text="y", logprobs={"content": []}),
        TextDelta(part="a", text="y", extra={}),
        ToolDelta(call="a", text="y", extra={"k": 1}),
    ],
)
def test_what_carries_more_than_text_is_left_alone(special: Event) -> None:
    events = [a("x"), special, a("z")]

    assert coalesce(events) == events


def test_a_joined_delta_stays_under_its_limit() -> None:
    half = "x" * (DELTA_CHARACTERS_MAX // 2)

    joined = coalesce([a(half), a(half), a("y"), a(half), a(half)])

    sizes = [len(event.text) for event in joined if isinstance(event, TextDelta)]
    assert sizes == [DELTA_CHARACTERS_MAX, DELTA_CHARACTERS_MAX // 2 + 1, DELTA_CHARACTERS_MAX // 2]


def test_one_delta_over_the_limit_is_not_cut_and_takes_no_other() -> None:
    long = a("x" * (DELTA_CHARACTERS_MAX + 1))

    assert coalesce([long, a("y"), a("z")]) == [long, a("yz", 2)]


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())
def test_a_sample_folds_into_the_same_message(sample: tuple[Event, ...]) -> None:
    assert fold(coalesce(sample)) == fold(list(sample))


@given(events=st.lists(colliding_event, max_size=60))
def test_the_message_is_the_same_whatever_was_joined(events: list[Event]) -> None:
    checker = GrammarChecker()
    run: list[Event] = [RunStart(run="r", version=1)]
    checker.admit(run[0])
    for event in events:
        try:
            checker.admit(event)
        except GrammarViolation:
            continue
        run.append(event)

    joined = coalesce(run)

    assert fold(joined) == fold(run)
    assert len(joined) <= len(run)
    assert coalesce(joined) == joined


@given(texts=st.lists(st.tuples(st.sampled_from("ab"), st.text("xy🎉", max_size=5)), max_size=30))
def test_no_text_and_no_token_is_lost(texts: list[tuple[str, str]]) -> None:
    events = [TextDelta(part=part, text=text) for part, text in texts]

    joined = [event for event in coalesce(events) if isinstance(event, TextDelta)]

    assert sum(event.tokens for event in joined) == len(events)
    for part in "ab":
        assert "".join(event.text for event in joined if event.part == part) == "".join(
            text for owner, text in texts if owner == part
        )


def test_stored_deltas_are_joined_at_the_place_of_the_last_one() -> None:
    events: list[Event] = [STATUS, a("1"), a("2", tokens=3), b("3"), a("4"), a("5"), STATUS]
    stored = [StoredEvent(Offset(n), event, float(n)) for n, event in enumerate(events, 7)]

    joined = coalesce_stored(stored)

    assert [(int(one.offset), one.at, one.event) for one in joined] == [
        (7, 7.0, STATUS),
        (9, 9.0, a("12", tokens=4)),
        (10, 10.0, b("3")),
        (12, 12.0, a("45", tokens=2)),
        (13, 13.0, STATUS),
    ]
    assert coalesce_stored([]) == []
