"""Russian and English: which one a text is in, its words, and words reduced to search terms.

The stemmers are light on purpose: they only have to map two forms of one word to the same term;
what they miss, `retrieval` finds by groups of three letters.
"""

import re
from functools import cache, lru_cache
from typing import Literal

from potok.models.demo.vocabulary import lines_of, words_in

__all__ = [
    "Language",
    "is_readable",
    "is_weak",
    "language_of",
    "plain",
    "related_terms",
    "stem",
    "stems_in",
    "terms_of",
    "words_of",
]

Language = Literal["ru", "en"]

_WORD = re.compile(r"[^\W_]+")
_CYRILLIC = re.compile(r"[а-яё]")
_LATIN = re.compile(r"[a-z]")

_RUSSIAN_ENDING_CHARACTERS_MAX = 5
_ENGLISH_SUFFIXES = (
    ("ation", 3),
    ("ating", 4),
    ("ment", 4),
    ("able", 4),
    ("ing", 3),
    ("ion", 4),
    ("ed", 3),
    ("er", 4),
    ("ly", 4),
)


def plain(text: str) -> str:
    """Return a text in lower case with `е` for `ё`: the form that rules and word lists are in."""
    return text.lower().replace("ё", "е")


def words_of(text: str) -> list[str]:
    """Return the plain words of a text, without punctuation."""
    return _WORD.findall(plain(text))


def language_of(text: str, *, default: str) -> Language:
    """Return the language of a question: Russian if half its words, or its first one, are Cyrillic.

    The first word decides for «Переведи: good morning», where the quoted words outnumber it.
    `default` (any language tag) decides where there is neither Cyrillic nor Latin.
    """
    words = words_of(text)
    cyrillic = [bool(_CYRILLIC.search(word)) for word in words]
    if any(cyrillic) and (cyrillic[0] or sum(cyrillic) * 2 >= len(words)):
        return "ru"
    if any(_LATIN.search(word) for word in words):
        return "en"
    return "ru" if default.lower().startswith("ru") else "en"


def is_readable(text: str) -> bool:
    """Tell whether a text has Cyrillic or Latin letters."""
    return bool(_CYRILLIC.search(plain(text)) or _LATIN.search(plain(text)))


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Return the part of a plain word that its other forms share."""
    if len(word) <= 3 or word.isdigit():
        return word
    return _stem_russian(word) if _CYRILLIC.search(word) else _stem_english(word)


def _stem_russian(word: str) -> str:
    endings = words_in("search", "russian endings")
    if len(word) > 5 and word.endswith(("ся", "сь")):
        word = word[:-2]
    for length in range(min(_RUSSIAN_ENDING_CHARACTERS_MAX, len(word) - 3), 0, -1):
        if word[-length:] in endings:
            return word[:-length]
    return word


def _stem_english(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "xes", "ches", "shes", "zes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for suffix, kept in _ENGLISH_SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= kept:
            word = word[: -len(suffix)]
            break
    if word[-1] == "e" and len(word) > 3:
        word = word[:-1]
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    return word


def terms_of(text: str) -> list[str]:
    """Return the search terms of a text in order: stems of all words but the stop words."""
    stop_words = words_in("search", "stop")
    return [stem(word) for word in words_of(text) if word not in stop_words]


@cache
def stems_in(section: str) -> frozenset[str]:
    """Return the stems of a section of the search's word list."""
    return frozenset(stem(word) for word in words_in("search", section))


def is_weak(term: str) -> bool:
    """Tell whether a term says little about what a text is about."""
    return term in stems_in("weak")


@cache
def _related_table() -> dict[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for line in lines_of("search", "related"):
        group = tuple(dict.fromkeys(stem(word) for word in line.split()))
        for term in group:
            table[term] = tuple(other for other in group if other != term)
    return table


def related_terms(term: str) -> tuple[str, ...]:
    """Return terms that people use for the same thing, in both languages."""
    return _related_table().get(term, ())
