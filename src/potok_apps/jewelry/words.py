"""Texts as words: folded, in clauses, and compared by letters where somebody mistyped.

Pure. All words are in small letters, with `е` for `ё`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = [
    "Typos",
    "Word",
    "fold",
    "is_within_edits",
    "words_of",
]

_TOKEN = re.compile(
    r"\d{1,3}(?:[ \u00a0\u202f.,]\d{3})+(?!\d)|\d+(?:[.,]\d+)?|[^\W\d_]+|[^\w\s]", re.UNICODE
)
_ENDS: Final = frozenset('.,;:!?()—–«»"')
_TYPO_CHARACTERS_MIN = 5  # in shorter words one letter makes another word
_SECOND_EDIT_CHARACTERS_MIN = 9  # a long word may have two slips
_LIKENESS_MIN = 0.42  # shared groups of three letters (Dice), below which edits are not counted
_WORD_CHARACTERS_MAX = 40  # nothing longer is a word


@dataclass(frozen=True, slots=True)
class Word:
    """One word, number or mark of a text.

    `clause` rises at every mark that ends a thought; `is_attached` says that a hyphen joins it to
    the word before; `is_capital` that it began with a capital letter.
    """

    text: str
    clause: int
    is_attached: bool
    is_capital: bool

    @property
    def is_mark(self) -> bool:
        """Whether it is neither a word nor a number."""
        return not self.text[0].isalnum()

    @property
    def is_number(self) -> bool:
        """Whether it is written in figures."""
        return self.text[0].isdigit()


def fold(text: str) -> str:
    """Return a text in the form that rules are written in."""
    return text.lower().replace("ё", "е").replace("\u0301", "")


def words_of(text: str) -> list[Word]:
    """Return the words and marks of a text in order."""
    found: list[Word] = []
    clause, end = 0, -1
    for match in _TOKEN.finditer(text.replace("\u0301", "")):
        piece = match[0]
        if piece in _ENDS:
            clause += 1
        is_attached = bool(found) and found[-1].text in "-‑" and end == match.start()
        found.append(Word(fold(piece), clause, is_attached, piece[0].isupper()))
        end = match.end()
    return found


class Typos:
    """Finds the known word that somebody meant, first by groups of three letters, then by edits.

    Args:
        meant: Full forms of known words.
        ordinary: Words of the language that are near a known one and mean themselves.
    """

    def __init__(self, meant: Iterable[str], ordinary: Iterable[str]) -> None:
        self._ordinary = frozenset(ordinary)
        self._groups: Mapping[str, frozenset[str]] = {word: _groups(word) for word in meant}
        index: dict[str, list[str]] = {}
        for word, groups in self._groups.items():
            for group in groups:
                index.setdefault(group, []).append(word)
        self._index = index

    def known_word(self, word: str) -> str | None:
        """Return the known word that is nearest, None where none is near."""
        if not _TYPO_CHARACTERS_MIN <= len(word) <= _WORD_CHARACTERS_MAX:
            return None
        if word in self._ordinary:
            return None
        own = _groups(word)
        shared: dict[str, int] = {}
        for group in own:
            for candidate in self._index.get(group, ()):
                shared[candidate] = shared.get(candidate, 0) + 1
        near = [
            (-2 * count / (len(own) + len(self._groups[candidate])), candidate)
            for candidate, count in shared.items()
        ]
        edits = 2 if len(word) >= _SECOND_EDIT_CHARACTERS_MIN else 1
        for likeness, candidate in sorted(near):
            if -likeness < _LIKENESS_MIN:
                break
            if is_within_edits(word, candidate, edits):
                return candidate
        return None


def is_within_edits(left: str, right: str, edits: int) -> bool:
    """Tell whether two words differ by few letters put in, left out, changed or swapped."""
    if abs(len(left) - len(right)) > edits:
        return False
    before: Sequence[int] = []
    row: Sequence[int] = range(len(right) + 1)
    for i, letter in enumerate(left, 1):
        following = [i]
        for j, other in enumerate(right, 1):
            cost = min(row[j] + 1, following[-1] + 1, row[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == right[j - 2] and left[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            following.append(cost)
        before, row = row, following
    return row[-1] <= edits


def _groups(word: str) -> frozenset[str]:
    padded = f"^{word}$"
    return frozenset(padded[place : place + 3] for place in range(len(padded) - 2))
