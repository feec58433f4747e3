"""Words as search sees them: pure, and the same for every database.

Texts are folded (small letters, ё = е, NFKC), split into words, and each word is cut to its stem:
кольцо, кольца and кольцом are one word, and so are ring and rings. The databases only compare.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from snowballstemmer.english_stemmer import EnglishStemmer  # type: ignore[import-untyped]
from snowballstemmer.russian_stemmer import RussianStemmer  # type: ignore[import-untyped]

from potok.limits import (
    SEARCH_PREFIX_CHARACTERS_MIN,
    SEARCH_QUERY_WORDS_MAX,
    SEARCH_WORD_BYTES_MAX,
    SEARCH_WORDS_BYTES_MAX,
    SEARCH_WORDS_MAX,
    SNIPPET_CHARACTERS_MAX,
    STEMS_KEPT_MAX,
)

__all__ = ["Query", "parse_query", "snippet_of", "words_of"]

# A letter of these scripts stands for a word of its own: they put no blanks between words.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_PLAIN = re.compile(r"[0-9a-zа-я]+")
_RUSSIAN = re.compile(r"[а-я]+")
_ENGLISH = re.compile(r"[a-z]+")


class Query:
    """Words that must all be there; `prefix` is what one more word must begin with.

    `prefixes` are the forms of that: the letters as they stand, and their stem.
    """

    __slots__ = ("prefixes", "words")

    def __init__(self, words: tuple[str, ...], prefixes: tuple[str, ...]) -> None:
        self.words = words
        self.prefixes = prefixes

    @property
    def is_empty(self) -> bool:
        """Whether nothing can be looked for."""
        return not self.words and not self.prefixes


def words_of(content: str) -> list[str]:
    """Return the different words of a text, within bounds, in the order of the alphabet."""
    found: set[str] = set()
    size = 0
    for match in _WORD.finditer(_folded(content)):
        word = _stem(match[0])
        if word in found:
            continue
        size += len(word.encode())
        if len(found) >= SEARCH_WORDS_MAX or size > SEARCH_WORDS_BYTES_MAX:
            break
        found.add(word)
    return sorted(found)


def parse_query(typed: str) -> Query:
    """Return what somebody looks for; its last word may not be typed to its end."""
    words = [match[0] for match in _WORD.finditer(_folded(typed))][:SEARCH_QUERY_WORDS_MAX]
    if not words:
        return Query((), ())
    last = words[-1]
    is_open = len(last) >= SEARCH_PREFIX_CHARACTERS_MIN and typed[-1:].isalnum()
    whole = words[:-1] if is_open else words
    forms = tuple(dict.fromkeys((_stem(last), _storable(last)))) if is_open else ()
    # Whatever begins with the longer form begins with the shorter one: it is not asked for twice.
    prefixes = tuple(
        form for form in forms if not any(form.startswith(one) for one in forms if one != form)
    )
    return Query(tuple(dict.fromkeys(_stem(word) for word in whole)), prefixes)


def snippet_of(content: str, query: Query) -> str:
    """Return a piece of a text around the first word that the query looks for, on one line."""
    begin = 0
    for match in _places(content):
        word = _stem(match[0])
        if word in query.words or any(word.startswith(one) for one in query.prefixes):
            begin = max(0, match.start() - SNIPPET_CHARACTERS_MAX // 3)
            break
    if begin:
        # Not in the middle of a word.
        begin = content.find(" ", begin, begin + 40) + 1 or begin
    end = begin + SNIPPET_CHARACTERS_MAX
    piece = " ".join(content[begin:end].split())
    return f"{'…' if begin else ''}{piece}{'…' if end < len(content) else ''}"


def _places(content: str) -> Iterator[re.Match[str]]:
    # Not NFKC, which would move the places; a word that needs it is found, and shown from the top.
    return _WORD.finditer(content.lower().replace("ё", "е"))


def _folded(content: str) -> str:
    return unicodedata.normalize("NFKC", content).lower().replace("ё", "е")


@lru_cache(maxsize=1)
def _stemmers() -> tuple[Any, Any]:
    return RussianStemmer(), EnglishStemmer()


@lru_cache(maxsize=STEMS_KEPT_MAX)
def _stem(word: str) -> str:
    russian, english = _stemmers()
    if _RUSSIAN.fullmatch(word):
        word = russian.stemWord(word).replace("ё", "е")
    elif _ENGLISH.fullmatch(word):
        word = english.stemWord(word)
    return _storable(word)


def _storable(word: str) -> str:
    """Return a word in letters that every database takes for letters, and of bounded length."""
    if not _PLAIN.fullmatch(word):
        word = f"x{word.encode().hex()}"
    while len(word.encode()) > SEARCH_WORD_BYTES_MAX:
        word = word[: SEARCH_WORD_BYTES_MAX // 2 if not word.isascii() else SEARCH_WORD_BYTES_MAX]
    return word
