"""Pieces that a text calls by their own names: «Северное сияние», JW-0042. Pure."""

from collections.abc import Sequence
from functools import cache

from potok_apps.jewelry.catalogue import read_catalogue
from potok_apps.jewelry.patterns import Patterns
from potok_apps.jewelry.words import Word, words_of

__all__ = ["find_titles"]

_ADJECTIVE_ENDINGS = ("ый", "ий", "ая", "яя", "ое")  # «Северного сияния»
_LONG = 5  # letters from which a word has other forms that begin alike
_QUOTES = frozenset("«\"“„'")
_ID_DIGITS = 4


def find_titles(words: Sequence[Word]) -> tuple[str, ...]:
    """Return the ids of the pieces that a text names; several may share a title.

    A title of one word is often an ordinary word: it counts in quotes, or with a capital letter
    where no sentence begins.
    """
    found: list[str] = []
    for place, word in enumerate(words):
        if word.text == "jw":
            found += _by_number(words, place)
        match = None if word.is_mark else _titles().match_at(words, place)
        if match is None:
            continue
        before = words[place - 1].text if place else "."
        is_name = word.is_capital and before not in ".!?"
        if match.end - place > 1 or before in _QUOTES or is_name:
            found += match.meaning
    return tuple(dict.fromkeys(found))


def _by_number(words: Sequence[Word], place: int) -> list[str]:
    digits = next((word.text for word in words[place + 1 : place + 3] if word.is_number), "")
    number = f"JW-{digits:0>{_ID_DIGITS}}"
    return [number] if number in _ids() else []


@cache
def _ids() -> frozenset[str]:
    return frozenset(one.id for one in read_catalogue())


@cache
def _titles() -> Patterns[tuple[str, ...]]:
    by_title: dict[str, list[str]] = {}
    for piece in read_catalogue():
        title = piece.name.partition("«")[2].partition("»")[0]
        pattern = " ".join(_stemmed(word.text) for word in words_of(title) if not word.is_mark)
        by_title.setdefault(pattern, []).append(piece.id)
    return Patterns([(tuple(ids), pattern) for pattern, ids in by_title.items()])


def _stemmed(word: str) -> str:
    if len(word) < _LONG:
        return word
    return word[: -2 if word.endswith(_ADJECTIVE_ENDINGS) else -1] + "*"
