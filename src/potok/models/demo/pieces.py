"""Cuts a text into pieces the size of tokens; joined again they are the very same text."""

import re

__all__ = ["count_pieces", "split_pieces"]

# Every character is a word's, a space or neither, so that nothing falls between the alternatives.
_PIECE = re.compile(r" ?\w{1,16}| ?[^\w\s]{1,8}|\n+|\s")


def split_pieces(text: str) -> list[str]:
    """Return words with the space before them, punctuation and line breaks, in order."""
    return _PIECE.findall(text)


def count_pieces(text: str, *, exact_characters: int) -> int:
    """Return how many pieces `text` has; beyond `exact_characters` at the rate until there."""
    if len(text) <= exact_characters:
        return len(_PIECE.findall(text))
    begun = len(_PIECE.findall(text[:exact_characters]))
    return begun * len(text) // exact_characters
