"""Patterns of words, such as `бел* золот*`, found in a text. Pure.

A pattern is one or several words; `*` stands for any ending. Hyphens and apostrophes of the text
are passed over. Longer patterns win over shorter ones.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from potok_apps.jewelry.words import Word

__all__ = ["SKIPPED_MARKS", "PatternMatch", "Patterns"]

_Meaning = TypeVar("_Meaning")
SKIPPED_MARKS = frozenset("-‑'’")
_ENDING_CHARACTERS_MAX = 7  # a longer rest makes another word
_KEY_CHARACTERS = 2  # patterns are looked up by how their first word begins


class PatternMatch(NamedTuple, Generic[_Meaning]):
    """What was found, and the place after its last word."""

    meaning: _Meaning
    end: int


class Patterns(Generic[_Meaning]):
    """Patterns with what each of them means; alternatives are divided by `|`."""

    def __init__(self, names: Mapping[_Meaning, str] | Iterable[tuple[_Meaning, str]]) -> None:
        pairs = names.items() if isinstance(names, Mapping) else names
        index: dict[str, list[tuple[tuple[str, ...], _Meaning]]] = {}
        for meaning, alternatives in pairs:
            for name in alternatives.split("|"):
                index.setdefault(name[:_KEY_CHARACTERS], []).append((tuple(name.split()), meaning))
        for patterns in index.values():
            patterns.sort(key=lambda one: (len(one[0]), len("".join(one[0]))), reverse=True)
        self._index = index

    def match_at(self, words: Sequence[Word], place: int) -> PatternMatch[_Meaning] | None:
        """Return the longest pattern that begins at a word."""
        for pattern, meaning in self._index.get(_key(words[place].text), ()):
            end = _end_of(pattern, words, place)
            if end is not None:
                return PatternMatch(meaning, end)
        return None

    def meaning_of(self, word: str) -> _Meaning | None:
        """Return what a single word means, None if no pattern of one word fits it."""
        for pattern, meaning in self._index.get(_key(word), ()):
            if len(pattern) == 1 and _is_form(word, pattern[0]):
                return meaning
        return None


def _key(word: str) -> str:
    return word[:_KEY_CHARACTERS] if len(word) > 1 else word + " "


def _end_of(pattern: Sequence[str], words: Sequence[Word], begin: int) -> int | None:
    place = begin
    for wanted in pattern:
        while begin < place < len(words) and words[place].text in SKIPPED_MARKS:
            place += 1
        if place >= len(words) or not _is_form(words[place].text, wanted):
            return None
        place += 1
    return place


def _is_form(word: str, pattern: str) -> bool:
    if not pattern.endswith("*"):
        return word == pattern
    return word.startswith(pattern[:-1]) and len(word) - len(pattern) < _ENDING_CHARACTERS_MAX
