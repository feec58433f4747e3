from collections.abc import Collection

from potok.agents.stitching import Spent, Stitch
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
from potok.protocol.overlap import Join

END = RunEnd(outcome="finished", finish_reason="stop")


def stitched(
    *events: Event,
    open_text: str | None = None,
    said: str | None = None,
    taken: Collection[str] | None = (),
) -> list[Event]:
    join = None if said is None else Join(said)
    return Stitch(ordinal=2, taken=taken, open_text=open_text, join=join).take(events)


def test_the_first_text_goes_on_in_the_open_part_and_ends_it() -> None:
    told = stitched(
        TextStart(part="text-1"),
        TextDelta(part="text-1", text=" on"),
        TextEnd(part="text-1"),
        END,
        open_text="t",
        said="go",
    )

    assert told == [TextDelta(part="t", text=" on"), TextEnd(part="t"), END]


def test_further_parts_get_names_of_their_own() -> None:
    told = stitched(
        ReasoningStart(part="reasoning-1"),
        ReasoningDelta(part="reasoning-1", text="Hm"),
        ReasoningEnd(part="reasoning-1"),
        TextStart(part="text-1"),
        TextEnd(part="text-1"),
        TextStart(part="text-2"),
        TextDelta(part="text-2", text="x"),
        open_text="text-1",
    )

    assert [getattr(event, "part", None) for event in told] == [
        "reasoning-1@2",
        "reasoning-1@2",
        "reasoning-1@2",
        "text-1",
        "text-2@2",
        "text-2@2",
    ]


def test_without_an_open_part_the_text_is_a_part_of_its_own_and_still_joined() -> None:
    told = stitched(
        TextStart(part="text-1"),
        TextDelta(part="text-1", text="all of this, and more"),
        said="This is all of this",
    )

    assert told == [TextStart(part="text-1@2"), TextDelta(part="text-1@2", text=", and more")]


def test_what_is_held_back_comes_with_the_parts_end() -> None:
    told = stitched(
        TextStart(part="text-1"),
        TextDelta(part="text-1", text="this is"),
        TextEnd(part="text-1"),
        open_text="t",
        said="Look, this is all",
    )

    assert told == [TextDelta(part="t", text="this is"), TextEnd(part="t")]


def test_an_open_text_to_which_nothing_is_added_ends_before_calls_and_before_the_end() -> None:
    call = ToolStart(call="c", name="look")

    assert stitched(END, open_text="t") == [TextEnd(part="t"), END]
    assert stitched(call, END, open_text="t") == [TextEnd(part="t"), call, END]


def test_a_calls_name_stays_unless_it_was_used() -> None:
    def names(call: str, taken: Collection[str] | None) -> set[str]:
        told = stitched(
            ToolStart(call=call, name="look"),
            ToolDelta(call=call, text="{}"),
            ToolEnd(call=call),
            taken=taken,
        )
        return {event.call for event in told if isinstance(event, ToolStart | ToolDelta | ToolEnd)}

    assert names("abc", ()) == {"abc"}
    assert names("abc", {"abc"}) == {"abc@2"}
    assert names("abc", None) == {"abc@2"}
    assert names("call-0", ()) == {"call-0@2"}


def test_other_events_pass() -> None:
    status = Status(text="x", code="y")

    assert stitched(status) == [status]


def test_one_calls_counts_stand_as_they_are() -> None:
    usage = Usage(prompt_tokens=1, completion_tokens=2, extra={"total_tokens": 3})

    assert Spent().sum_with(usage) is usage


def test_counts_and_pieces_of_several_calls_are_added_up() -> None:
    spent = Spent()
    spent.add_pieces(5)

    usage = spent.sum_with(
        Usage(
            prompt_tokens=10,
            completion_tokens=2,
            reasoning_tokens=1,
            tokens_per_second=9.0,
            cost=0.5,
            extra={"total_tokens": 12, "tier": "x"},
        )
    )

    assert usage == Usage(
        prompt_tokens=10,
        completion_tokens=7,
        reasoning_tokens=1,
        cost=0.5,
        extra={"tier": "x", "estimated_tokens": 5},
    )


def test_every_call_that_told_its_counts_is_in_the_sum() -> None:
    spent = Spent()

    usages = [spent.sum_with(Usage(prompt_tokens=10, completion_tokens=n)) for n in (1, 2, 4)]

    assert [usage.prompt_tokens for usage in usages] == [10, 20, 30]
    assert [usage.completion_tokens for usage in usages] == [1, 3, 7]
