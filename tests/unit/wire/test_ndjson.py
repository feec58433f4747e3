import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potok.errors import FrameTooLarge
from potok.wire.ndjson import NdjsonDecoder, encode_line

BODY = b'{"a":1}\n\n{"b":"' + "я🎉".encode() + b'"}\r\n \t\r\n{"c":3}'
LINES = [b'{"a":1}', '{"b":"я🎉"}'.encode(), b'{"c":3}']

any_value = st.dictionaries(st.text(max_size=5), st.text(max_size=20) | st.integers(), max_size=3)


def read(chunks: Iterable[bytes]) -> list[bytes]:
    decoder = NdjsonDecoder()
    return [line for chunk in chunks for line in decoder.feed(chunk)] + decoder.flush()


def fail(decoder: NdjsonDecoder, chunks: Iterable[bytes]) -> tuple[list[bytes], FrameTooLarge]:
    """Feed until the decoder refuses; return all lines that came before, and the error."""
    lines = []
    for chunk in chunks:
        try:
            lines += decoder.feed(chunk)
        except FrameTooLarge as error:
            return lines + decoder.lines_before_fault, error
    pytest.fail("no limit was reached")


def test_a_line_is_its_json_and_a_line_feed() -> None:
    assert encode_line(b'{"a":"x\\ny"}') == b'{"a":"x\\ny"}\n'


@pytest.mark.parametrize("broken", [b'{"a":\n1}', b'{"a":1}\r', b"{}\n", b"", b" \t"])
def test_json_that_is_not_one_line_is_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match="an NDJSON line cannot"):
        encode_line(broken)


@given(values=st.lists(any_value, max_size=5), cut=st.integers(0, 200))
def test_what_was_encoded_is_decoded_however_it_was_cut(
    values: list[dict[str, object]], cut: int
) -> None:
    body = b"".join(encode_line(json.dumps(value).encode()) for value in values)

    lines = read([body[:cut], body[cut:]])

    assert [json.loads(line) for line in lines] == values


@pytest.mark.parametrize("cut", range(len(BODY) + 1))
def test_lines_do_not_depend_on_where_the_bytes_were_cut(cut: int) -> None:
    assert read([BODY[:cut], b"", BODY[cut:]]) == LINES


def test_lines_fed_byte_by_byte_are_the_same() -> None:
    assert read(BODY[place : place + 1] for place in range(len(BODY))) == LINES


def test_a_line_without_its_end_comes_with_the_flush_and_only_once() -> None:
    decoder = NdjsonDecoder()
    fed = decoder.feed(b'{"a":1}')

    flushed = [decoder.flush(), decoder.flush()]

    assert (fed, flushed) == ([], [[b'{"a":1}'], []])


@pytest.mark.parametrize("cut", range(len(b'{"a":1}\n{"b":22}\n{}\n') + 1))
def test_a_line_over_the_limit_stops_at_the_same_place_wherever_cut(cut: int) -> None:
    body = b'{"a":1}\n{"b":22}\n{}\n'
    decoder = NdjsonDecoder(line_bytes_max=7)

    lines, error = fail(decoder, [body[:cut], body[cut:]])

    assert lines == [b'{"a":1}']
    assert (error.what, error.limit_bytes) == ("NDJSON line", 7)


def test_a_decoder_that_went_over_the_limit_refuses_all_that_follows() -> None:
    decoder = NdjsonDecoder(line_bytes_max=7)
    with pytest.raises(FrameTooLarge):
        decoder.feed(b"12345678")

    with pytest.raises(FrameTooLarge):
        decoder.feed(b"\n1\n")
    with pytest.raises(FrameTooLarge):
        decoder.flush()
