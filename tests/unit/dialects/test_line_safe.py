import json

import pytest

from potok.dialects.line_safe import encode_json, keep_one_line
from potok.testing.samples import HOSTILE_TEXTS


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_any_text_is_one_line_and_comes_back(text: str) -> None:
    line = encode_json({text: text})

    assert len(line.decode().splitlines()) == 1
    assert json.loads(line) == {text: text}


def test_only_the_breaks_of_unicode_are_escaped() -> None:
    assert keep_one_line('"é\u0085\u2028\u2029\u2030"'.encode()) == (
        '"é\\u0085\\u2028\\u2029\u2030"'.encode()
    )


def test_plain_text_is_not_copied() -> None:
    line = b'{"a":1}'

    assert keep_one_line(line) is line
