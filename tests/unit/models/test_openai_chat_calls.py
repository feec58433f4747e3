from typing import Any

import pytest

from potok.errors import UpstreamMalformed
from potok.events.kinds import Event, ToolDelta, ToolEnd, ToolStart
from potok.limits import DELTA_CHARACTERS_MAX, EVENT_BYTES_MAX
from potok.models.openai_chat_calls import PartNames, ToolCalls


def new_calls(*, choice: int = 0) -> ToolCalls:
    return ToolCalls(choice=choice, names=PartNames(), provider="test")


def take(*fragments: dict[str, Any], choice: int = 0) -> list[Event]:
    calls, events = new_calls(choice=choice), list[Event]()
    for fragment in fragments:
        calls.take(fragment, {}, events)
    calls.close(events)
    return events


def fragment(
    name: str | None = None, arguments: Any = "", *, index: int | None = None, id: str | None = None
) -> dict[str, Any]:
    function = {"arguments": arguments} | ({"name": name} if name else {})
    return (
        {"function": function}
        | ({} if index is None else {"index": index})
        | ({} if id is None else {"id": id})
    )


def arguments_of(events: list[Event]) -> dict[str, str]:
    said: dict[str, str] = {}
    for event in events:
        if isinstance(event, ToolStart):
            said[event.call] = ""
        if isinstance(event, ToolDelta):
            said[event.call] += event.text
    return said


def test_mixed_fragments_find_their_calls_by_index() -> None:
    events = take(
        fragment("f", "1", index=0, id="a"),
        fragment("g", "2", index=1, id="b"),
        fragment(None, "3", index=0),
        fragment(None, "4", index=1),
    )

    assert arguments_of(events) == {"a": "13", "b": "24"}
    assert [event.index for event in events if isinstance(event, ToolStart)] == [0, 1]
    assert events[-2:] == [ToolEnd(call="a"), ToolEnd(call="b")]


def test_mixed_fragments_without_an_index_find_their_calls_by_id() -> None:
    events = take(
        fragment("f", "1", id="a"),
        fragment("g", "2", id="b"),
        fragment(None, "3", id="a"),
        fragment(None, "4"),
    )

    assert arguments_of(events) == {"a": "13", "b": "24"}


def test_calls_that_all_have_index_0_are_told_apart_by_their_ids() -> None:
    events = take(
        fragment("f", "1", index=0, id="a"),
        fragment("g", "2", index=0, id="b"),
        fragment(None, "3", index=0),
    )

    assert arguments_of(events) == {"a": "1", "b": "23"}


def test_calls_without_index_and_id_are_told_apart_by_their_names() -> None:
    events = take(fragment("f", "1"), fragment(None, "2"), fragment("f", "3"))

    assert arguments_of(events) == {"call-0": "12", "call-1": "3"}


def test_an_id_that_changes_from_fragment_to_fragment_is_no_new_call() -> None:
    events = take(fragment("f", "1", index=0, id="a"), fragment(None, "2", index=0, id="z"))

    assert arguments_of(events) == {"a": "12"}


def test_a_call_without_an_id_is_named_by_its_place_and_choice() -> None:
    assert list(arguments_of(take(fragment("f", index=3)))) == ["call-0"]
    assert list(arguments_of(take(fragment("f", index=0), choice=1))) == ["call-0.1"]


def test_calls_that_share_an_id_get_names_of_their_own() -> None:
    events = take(fragment("f", "1", index=0, id="x"), fragment("f", "2", index=1, id="x"))

    assert arguments_of(events) == {"x": "1", "x~2": "2"}


def test_a_call_begins_once_its_name_is_known_and_loses_nothing() -> None:
    calls, events = new_calls(), list[Event]()

    calls.take(fragment(None, "1", index=0, id="a") | {"note": 1}, {}, events)
    assert events == []
    calls.take(fragment("f", "2", index=0), {}, events)

    assert events == [
        ToolStart(call="a", name="f", extra={"note": 1}),
        ToolDelta(call="a", text="12"),
    ]


def test_a_call_that_never_gets_a_name_is_malformed() -> None:
    with pytest.raises(UpstreamMalformed):
        take(fragment(None, "1", index=0, id="a"))


def test_endless_arguments_for_a_call_without_a_name_are_malformed() -> None:
    calls = new_calls()

    with pytest.raises(UpstreamMalformed):
        calls.take(fragment(None, "x" * (EVENT_BYTES_MAX + 1), index=0), {}, [])


def test_unknown_fields_stay_with_the_call() -> None:
    signature = {"extra_content": {"google": {"thought_signature": "s"}}, "nothing": None}
    calls, events = new_calls(), list[Event]()

    calls.take(fragment("f", index=0, id="a") | signature, {"beside": 1}, events)
    calls.take(fragment(None, index=0) | {"late": True}, {}, events)

    assert events == [
        ToolStart(
            call="a",
            name="f",
            extra={"beside": 1, "extra_content": {"google": {"thought_signature": "s"}}},
        ),
        ToolDelta(call="a", text="", tokens=0, extra={"late": True}),
    ]


def test_arguments_that_are_no_text_become_their_json() -> None:
    assert arguments_of(take(fragment("f", {"город": "Псков"}, id="a"))) == {
        "a": '{"город":"Псков"}'
    }
    assert arguments_of(take(fragment("f", None, id="a"))) == {"a": ""}


def test_a_custom_tool_is_a_call_that_says_so() -> None:
    events = take({"index": 0, "id": "a", "type": "custom", "custom": {"name": "f", "input": "x"}})

    assert events[:2] == [
        ToolStart(call="a", name="f", extra={"type": "custom"}),
        ToolDelta(call="a", text="x"),
    ]


def test_long_arguments_are_cut_for_readers() -> None:
    text = '"' * (DELTA_CHARACTERS_MAX + 1)

    deltas = [event for event in take(fragment("f", text)) if isinstance(event, ToolDelta)]

    assert "".join(delta.text for delta in deltas) == text
    assert [delta.tokens for delta in deltas] == [1, 0]
