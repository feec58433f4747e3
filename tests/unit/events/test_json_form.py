import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potok.errors import GrammarViolation
from potok.events.json_form import canonical_json, decode_event, encode_event, encode_fields
from potok.events.kinds import KINDS, Event, TextDelta, TextEnd, Unknown, Usage, kind_of
from tests.unit.events.strategies import any_event, json_values, of_kind, texts, unknown


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_every_kind_comes_back_as_it_was(kind: str, data: st.DataObject) -> None:
    event = data.draw(of_kind(kind))

    assert decode_event(encode_event(event)) == event


@given(event=unknown)
def test_an_unknown_kind_comes_back_as_it_was(event: Event) -> None:
    assert decode_event(encode_event(event)) == event


@given(event=any_event)
def test_the_tag_comes_first_and_the_line_is_one(event: Event) -> None:
    line = encode_event(event)

    assert line.startswith(b'{"event":%b' % json_text(kind_of(event)))
    assert b"\n" not in line
    assert b"\r" not in line


def json_text(text: str) -> bytes:
    return canonical_json(text)


@given(event=any_event)
def test_the_fields_are_the_line_without_its_tag(event: Event) -> None:
    whole = json.loads(encode_event(event))

    fields = json.loads(encode_fields(event))

    assert {"event": kind_of(event), **fields} == whole
    assert "event" not in fields


def test_defaults_are_left_out() -> None:
    assert encode_event(TextDelta(part="t1", text="x")) == (
        b'{"event":"text-delta","part":"t1","text":"x"}'
    )
    assert encode_fields(TextEnd(part="t1")) == b'{"part":"t1"}'
    assert encode_fields(Unknown(kind="x", fields={})) == b"{}"


def test_a_known_kind_without_fields_is_an_empty_object() -> None:
    assert encode_fields(Usage()) == b"{}"


def test_a_field_cannot_change_the_kind() -> None:
    event = Unknown(kind="picture", fields={"event": "run-end", "url": "u"})

    assert encode_event(event) == b'{"event":"picture","url":"u"}'
    assert encode_fields(event) == b'{"url":"u"}'


def test_fields_of_a_later_version_are_passed_over() -> None:
    assert decode_event(b'{"event":"text-end","part":"t1","colour":"red"}') == TextEnd(part="t1")


def test_the_tag_need_not_come_first_to_be_read() -> None:
    assert decode_event(b'{"part":"t1","event":"text-end"}') == TextEnd(part="t1")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"event":5}',
        b'{"event":null,"a":1}',
        b'{"event":"text-delta"}',
        b'{"event":"text-delta","part":1,"text":"x"}',
        b'{"event":"text-delta","part":"\xff","text":"x"}',
        b'{"event":"picture","a":"\xff"}',
        b'{"event":"picture","a":"\\ud800"}',
        b'{"event":"picture","a":1e999}',
        b'{"event":"stage-end","stage":"s","outcome":"bored"}',
        b'{"event":"picture","a":' + b"[" * 100_000,
        b'{"event":"data","name":"a","data":' + b"[" * 100_000,
        b'{"event":"text-end","part":"t1"} x',
    ],
    ids=lambda line: line[:40].decode(errors="replace"),
)
def test_what_is_no_event_is_refused_and_nothing_else_is_raised(line: bytes) -> None:
    with pytest.raises(GrammarViolation):
        decode_event(line)


@given(event=any_event, data=st.data())
def test_a_torn_line_is_no_event(event: Event, data: st.DataObject) -> None:
    line = encode_event(event)
    cut = data.draw(st.integers(0, len(line) - 1))

    with pytest.raises(GrammarViolation):
        decode_event(line[:cut])


@given(value=st.dictionaries(texts, json_values, max_size=4))
def test_equal_values_have_equal_bytes(value: dict[str, object]) -> None:
    backwards = dict(reversed(value.items()))

    assert canonical_json(value) == canonical_json(backwards)
