import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potok import limits
from potok.errors import CallerError, MessageMalformed, MessageTooLarge
from potok.wire.json_messages import parse_message

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@given(message=st.dictionaries(st.text(max_size=5), json_values, max_size=4))
def test_an_object_is_read_from_text_and_from_bytes(message: dict[str, object]) -> None:
    text = json.dumps(message, ensure_ascii=False)

    assert parse_message(text, bytes_max=100_000) == message
    assert parse_message(text.encode(), bytes_max=100_000) == message


@pytest.mark.parametrize(
    ("text", "place", "why"),
    [
        ("", "the end", "cut off"),
        ("  ", "the end", "cut off"),
        ('{"op":"pi', "the end", "cut off"),
        ('{"op":}', "byte 6", "invalid character"),
        ("{'op':1}", "byte 1", "keys must be strings"),
        ('{"op":1,}', "byte 8", "trailing comma"),
        ('{"op":1} x', "byte 10", "trailing characters"),
        ('{"op":NaN}', "byte 6", "invalid character"),
        ('{"op":"a\nb"}', "byte 8", "invalid character"),
        ('{"op":"\\ud800 and more"}', "byte 13", "surrogate"),
        ('{"op":"\\udc00"}', "byte 13", "surrogate"),
        ('{"я":"\ud800"}', "byte 7", "surrogate"),
        ("\ufeff{}", "byte 0", "invalid character"),
        (b'{"op":"\xff"}', "byte 7", "UTF-8"),
        ('{"я":"'.encode() + b'x\xff"}', "byte 8", "UTF-8"),
        ('{"op":1e999}', "the whole message", "out of range"),
        ("[]", "the whole message", "not a JSON object"),
        ("7", "the whole message", "not a JSON object"),
        ('"text"', "the whole message", "not a JSON object"),
        ("null", "the whole message", "not a JSON object"),
    ],
)
def test_a_malformed_message_names_the_place_of_the_fault(
    text: str | bytes, place: str, why: str
) -> None:
    with pytest.raises(MessageMalformed) as caught:
        parse_message(text, bytes_max=1_000)

    assert caught.value.place == place
    assert why in caught.value.why
    assert place in str(caught.value)


@pytest.mark.parametrize("cut", range(len('{"я":["🎉",1,{"b":true}]}'.encode())))
def test_a_message_cut_anywhere_is_malformed_and_never_crashes(cut: int) -> None:
    whole = '{"я":["🎉",1,{"b":true}]}'.encode()

    with pytest.raises(MessageMalformed):
        parse_message(whole[:cut], bytes_max=1_000)


@given(noise=st.binary(max_size=60))
def test_noise_is_an_object_or_a_caller_error(noise: bytes) -> None:
    try:
        message = parse_message(noise, bytes_max=50)
    except CallerError:
        return
    assert isinstance(message, dict)


@pytest.mark.parametrize("message", ['{"a":"яяя"}', '{"a":"яяя"}'.encode()])
def test_the_size_is_counted_in_bytes(message: str | bytes) -> None:
    assert parse_message(message, bytes_max=14) == {"a": "яяя"}
    with pytest.raises(MessageTooLarge) as caught:
        parse_message(message, bytes_max=13)
    assert (caught.value.code, caught.value.limit_bytes) == ("message_too_large", 13)


def test_a_text_with_more_letters_than_bytes_allowed_is_refused_unread() -> None:
    with pytest.raises(MessageTooLarge):
        parse_message("\ud800" * 11, bytes_max=10)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_a_message_may_nest_up_to_the_limit_and_no_deeper(opening: str, closing: str) -> None:
    inner = limits.JSON_DEPTH_MAX - 1
    # The empty list beside it makes more brackets than levels, so that levels are counted.
    allowed = '{"b":[],"a":' + opening * inner + "1" + closing * inner + "}"
    refused = '{"a":' + opening * (inner + 1) + "1" + closing * (inner + 1) + "}"

    assert isinstance(parse_message(allowed, bytes_max=10_000), dict)
    with pytest.raises(MessageMalformed, match="nested deeper than"):
        parse_message(refused, bytes_max=10_000)


def test_many_brackets_side_by_side_are_not_deep() -> None:
    message = {"a": [[] for _ in range(limits.JSON_DEPTH_MAX * 2)], "b": "[" * 1_000}

    assert parse_message(json.dumps(message), bytes_max=10_000) == message


def test_nesting_beyond_the_stack_is_refused_like_any_other() -> None:
    with pytest.raises(MessageMalformed, match="nested deeper than"):
        parse_message('{"a":' * 100_000, bytes_max=1_000_000)
