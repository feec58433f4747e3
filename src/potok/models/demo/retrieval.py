"""Finds the passages that share most with a question: BM25 over an inverted index.

Knows no language beyond `terms_of`, and nothing of where passages come from. Ranks are the same on
every machine: sums run in the order of the question, ties go to the earlier passage.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log

from potok.models.demo.language import is_weak, related_terms, terms_of

__all__ = ["Hit", "Index", "Passage", "Query", "Search"]

# BM25: how fast repeating a term stops to count, and how much a long passage is marked down.
_SATURATION = 1.2
_LENGTH_SHARE = 0.4
_TITLE_FACTOR = 3.0
_KEYWORDS_FACTOR = 1.5
# A match by a related word or by similar letters proves less than the word itself.
_RELATED_FACTOR = 0.7
_SIMILARITY_MIN = 0.55
_SIMILAR_CHARACTERS_MIN = 6
_WEAK_FACTOR = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A text short enough to be quoted; `title` and `keywords` help to find it.

    `source` says whose words they are: `document`, `definition` (a document that only says what a
    word means), `given` (instructions and facts of the prompt),
    `earlier` (what the user said before) or `message` (the user's newest message).
    """

    text: str
    source: str
    title: str = ""
    keywords: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A passage that was found.

    `coverage` is the share of the question, 0 to 1, that the passage matches; `plain_coverage` the
    same where a rare term counts no more than a common one.
    """

    passage: Passage
    position: int
    score: float
    coverage: float
    plain_coverage: float


@dataclass(frozen=True, slots=True)
class Query:
    """The distinct search terms of a question, in its order."""

    terms: tuple[str, ...]

    @classmethod
    def of(cls, question: str, *, without: Iterable[str] = ()) -> "Query":
        """Read a question; the terms of `without` are left out unless nothing else is asked."""
        terms = tuple(dict.fromkeys(terms_of(question)))
        left_out = set(without)
        return cls(tuple(term for term in terms if term not in left_out) or terms)


@dataclass(frozen=True, slots=True)
class Search:
    """What was looked for, among how many passages, and what was found, best first."""

    query: Query
    passages: int
    hits: tuple[Hit, ...]


class Index:
    """An inverted index over passages that never change.

    With `knows_related` a question for the name also finds who is called what.
    """

    def __init__(self, passages: Sequence[Passage], *, knows_related: bool = False) -> None:
        self._knows_related = knows_related
        self.passages = tuple(passages)
        self._postings: dict[str, dict[int, float]] = {}
        lengths = []
        for position, passage in enumerate(self.passages):
            words = terms_of(passage.text)
            lengths.append(len(words))
            self._post(position, words, 1.0)
            if passage.title:
                self._post(position, terms_of(passage.title), _TITLE_FACTOR)
            if passage.keywords:
                self._post(position, terms_of(passage.keywords), _KEYWORDS_FACTOR)
        mean = sum(lengths) / len(lengths) if lengths and sum(lengths) else 1.0
        self._norms = [
            _SATURATION * (1 - _LENGTH_SHARE + _LENGTH_SHARE * length / mean) for length in lengths
        ]

    def _post(self, position: int, terms: list[str], factor: float) -> None:
        for term in terms:
            counts = self._postings.setdefault(term, {})
            counts[position] = counts.get(position, 0.0) + factor

    def search(self, query: Query, *, hits_max: int) -> list[Hit]:
        """Return the passages that match any term, best first."""
        weights = [_WEAK_FACTOR if is_weak(term) else 1.0 for term in query.terms]
        rarities = [self._rarity(self._postings.get(term)) for term in query.terms]
        asked = sum(map(float.__mul__, weights, rarities)) or 1.0
        plain_asked = sum(weights) or 1.0
        scores: dict[int, float] = {}
        covered: dict[int, float] = {}
        plainly_covered: dict[int, float] = {}
        for term, weight, rarity in zip(query.terms, weights, rarities, strict=True):
            for position, (score, share) in self._match(term).items():
                scores[position] = scores.get(position, 0.0) + weight * score
                covered[position] = covered.get(position, 0.0) + weight * rarity * share
                plainly_covered[position] = plainly_covered.get(position, 0.0) + weight * share
        ranked = sorted(scores, key=lambda position: (-round(scores[position], 6), position))
        return [
            Hit(
                passage=self.passages[position],
                position=position,
                score=scores[position],
                coverage=covered[position] / asked,
                plain_coverage=plainly_covered[position] / plain_asked,
            )
            for position in ranked[:hits_max]
        ]

    def _match(self, term: str) -> dict[int, tuple[float, float]]:
        """Return score and share of a term by passage, each by its best way of matching."""
        ways = [(term, 1.0)]
        if self._knows_related:
            ways += [(related, _RELATED_FACTOR) for related in related_terms(term)]
        if term not in self._postings:
            ways += self._similar(term)
        matched: dict[int, tuple[float, float]] = {}
        for found, factor in ways:
            postings = self._postings.get(found)
            if postings is None:
                continue
            rarity = self._rarity(postings) * factor
            for position, count in postings.items():
                score = rarity * count * (_SATURATION + 1) / (count + self._norms[position])
                if score > matched.get(position, (0.0, 0.0))[0]:
                    matched[position] = (score, factor)
        return matched

    def _rarity(self, postings: dict[int, float] | None) -> float:
        found = len(postings) if postings else 0
        return log(1 + (len(self.passages) - found + 0.5) / (found + 0.5))

    def _similar(self, term: str) -> list[tuple[str, float]]:
        """Return the indexed term that shares most groups of three letters, if it shares enough."""
        if len(term) < _SIMILAR_CHARACTERS_MIN or term.isdigit():
            return []
        groups = _letter_groups(term)
        shared: dict[str, int] = {}
        for group in groups:
            for other in self._terms_by_group.get(group, ()):
                shared[other] = shared.get(other, 0) + 1
        best, similarity = "", 0.0
        for other, count in shared.items():
            dice = 2 * count / (len(groups) + len(_letter_groups(other)))
            if (dice, best) > (similarity, other):
                best, similarity = other, dice
        return [(best, similarity)] if similarity >= _SIMILARITY_MIN else []

    @cached_property
    def _terms_by_group(self) -> dict[str, list[str]]:
        table: dict[str, list[str]] = {}
        for term in self._postings:
            if len(term) >= _SIMILAR_CHARACTERS_MIN - 1 and not term.isdigit():
                for group in _letter_groups(term):
                    table.setdefault(group, []).append(term)
        return table


def _letter_groups(term: str) -> list[str]:
    # The marked beginning makes a shared first letter count.
    marked = "^" + term
    return list(dict.fromkeys(marked[at : at + 3] for at in range(len(marked) - 2)))
