"""Pieces: the size of tokens, and nothing lost between them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potok.models.demo.pieces import count_pieces, split_pieces


@given(st.text())
def test_joined_pieces_are_the_text_itself(text: str) -> None:
    assert "".join(split_pieces(text)) == text


@given(st.text(max_size=200))
def test_no_piece_is_empty_or_long(text: str) -> None:
    assert all(1 <= len(piece) <= 17 or not piece.strip("\n") for piece in split_pieces(text))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Hello, big world!", ["Hello", ",", " big", " world", "!"]),
        ("Привет, мир", ["Привет", ",", " мир"]),
        ("a\n\nb  c", ["a", "\n\n", "b", " ", " c"]),
        ("👩‍👩‍👧 ok", ["👩‍👩‍👧", " ok"]),
        ("x" * 20, ["x" * 16, "x" * 4]),
        ("", []),
    ],
)
def test_words_come_with_the_space_before_them(text: str, pieces: list[str]) -> None:
    assert split_pieces(text) == pieces


def test_a_short_text_is_counted_piece_by_piece() -> None:
    assert count_pieces("one two, three", exact_characters=100) == 4


def test_a_long_text_is_counted_by_its_beginning() -> None:
    assert count_pieces("word " * 1_000, exact_characters=500) == pytest.approx(1_000, rel=0.02)
