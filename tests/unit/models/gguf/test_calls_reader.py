"""Replies in our own form, read at every cut: names, arguments as they were written, answers."""

import json

import pytest

from potok.models.gguf.calls_reader import CallsReader, Piece


def read(*pieces: str) -> list[Piece]:
    """Feed pieces and join what goes on over their borders."""
    reader = CallsReader()
    joined: list[Piece] = []
    for kind, text in (piece for one in pieces for piece in reader.feed(one)):
        if joined and joined[-1][0] == kind and kind in ("answer", "arguments"):
            joined[-1] = (kind, joined[-1][1] + text)
        else:
            joined.append((kind, text))
    return joined


ARGUMENTS = {"city": 'Псков "на" Великой', "days": [1, 2], "deep": {"calls": [{"name": "x"}]}}
CALLS = {"calls": [{"name": "weather", "arguments": ARGUMENTS}, {"name": "now", "arguments": {}}]}
MADE = json.dumps(ARGUMENTS, ensure_ascii=False, separators=(",", ":"))
CASES: list[tuple[str, list[Piece]]] = [
    (
        json.dumps(CALLS, ensure_ascii=False),
        [
            ("name", "weather"),
            ("arguments", MADE),
            ("end", ""),
            ("name", "now"),
            ("arguments", "{}"),
            ("end", ""),
        ],
    ),
    (
        '{ \n"calls" :[ {"name"\t: "a", "arguments" : { "n" : 1 } } ]}',
        [("name", "a"), ("arguments", '{"n":1}'), ("end", "")],
    ),
    ('{"answer": "Да, \\"нет\\"\\n{}[],:"}', [("answer", 'Да, "нет"\n{}[],:')]),
    ('{"answer": "\\u0414\\u0430 \\ud83c\\udf89"}', [("answer", "Да 🎉")]),
    ('{"answer": "\\ud83c"}', [("answer", "\ufffd")]),
    ('{"answer": "\\ud83cab"}', [("answer", "\ufffdab")]),
    ('{"answer": "\\ud83c\\n!"}', [("answer", "\ufffd\n!")]),
    ('{"answer": {"a": [1, "x, }"], "b": null}}', [("answer", '{"a":[1,"x, }"],"b":null}')]),
    ('{"answer": 12.5}', [("answer", "12.5")]),
]


@pytest.mark.parametrize(("reply", "wanted"), CASES)
def test_a_reply_is_read_whole(reply: str, wanted: list[Piece]) -> None:
    assert read(reply) == wanted


@pytest.mark.parametrize(("reply", "wanted"), CASES)
def test_it_does_not_matter_where_a_reply_was_cut(reply: str, wanted: list[Piece]) -> None:
    assert read(*reply) == wanted
    for cut in range(len(reply)):
        assert read(reply[:cut], reply[cut:]) == wanted


def test_arguments_are_json_as_soon_as_their_call_has_ended() -> None:
    pieces = read(json.dumps(CALLS))

    assert [json.loads(text) for kind, text in pieces if kind == "arguments"] == [ARGUMENTS, {}]


@pytest.mark.parametrize("cut", range(len(CASES[0][0])))
def test_a_reply_that_breaks_off_says_nothing_that_was_not_there(cut: int) -> None:
    reply, wanted = CASES[0]

    pieces = read(reply[:cut])

    assert [kind for kind, _ in pieces] == [kind for kind, _ in wanted[: len(pieces)]]
    for (_, text), (_, whole) in zip(pieces, wanted, strict=False):
        assert whole.startswith(text)
