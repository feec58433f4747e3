"""Answers that rest on Potok's own documentation."""

import re
from collections.abc import Iterable, Iterator

from potok.limits import DEMO_LONG_ANSWER_PIECES
from potok.models.demo.conversation import Conversation
from potok.models.demo.documents import Library, library
from potok.models.demo.language import is_weak, stems_in, terms_of, words_of
from potok.models.demo.phrases import PHRASES
from potok.models.demo.pieces import split_pieces
from potok.models.demo.retrieval import Hit, Query, Search

__all__ = ["answer_from_documents", "is_on_topic", "long_documents", "search_documents"]

_HITS_MAX = 12
_RELATED_MAX = 2
# Shares of a question that a passage must match, found by trying questions of both kinds.
_COVERAGE_MIN = 0.5
_COVERAGE_CLOSEST_MIN = 0.4
_TOPIC_SHARE_MIN = 0.6
_RELATED_SCORE = 0.4
_LONG_BEGINNINGS = 3

_POTOK_TERMS = frozenset({"potok", "поток"})
_DEFINES = re.compile(
    r"^(?:what (?:is|are|does)|what's|define|что такое|что значит|что означает)\b"
)
_HOW = re.compile(
    r"\bhow (?:do|can|to|should|would|could)\b|^(?:а |и |ну )?как\b(?! (?:называ|дел))"
)
_WHAT = re.compile(
    r"^(?:what|which|who|where|when|why|что|какой|какая|какое|какие|кто|где|зачем|почему|когда)\b"
)


def search_documents(conversation: Conversation) -> Search:
    """Look for the question's words in Potok's documentation."""
    index = library(conversation.language).index
    query = Query.of(conversation.topic, without=_POTOK_TERMS)
    hits = index.search(query, hits_max=len(index.passages))
    if query.terms and _POTOK_TERMS.issuperset(query.terms):
        # Every page names Potok; who asks for it alone begins with the first page.
        hits.sort(key=lambda hit: hit.position)
    return Search(query, len(index.passages), tuple(hits[:_HITS_MAX]))


def answer_from_documents(conversation: Conversation, search: Search) -> str | None:
    """Return passages of Potok's documentation with a short introduction, or None if none fits."""
    question = conversation.topic
    defines = bool(_DEFINES.match(question))
    hits = _preferred(search, defines=defines)
    if not hits:
        return None
    best = hits[0]
    is_sure = best.coverage >= _COVERAGE_MIN
    if best.passage.source != "definition" and not _names_domain(question, search.query):
        # Words that everybody uses prove nothing by themselves.
        asks_common = len(search.query.terms) == 1 and not is_on_topic(search)
        if not is_sure or defines or asks_common or all(map(is_weak, search.query.terms)):
            return None
    elif best.coverage < _COVERAGE_CLOSEST_MIN:
        return None
    phrases = PHRASES[conversation.language]
    if conversation.wants_detail:
        body = long_documents(conversation, hits)
        return f"{phrases.documents_long}\n\n{body}"
    paragraphs = [_introduction(conversation, is_sure=is_sure), best.passage.text]
    others = [
        hit.passage.title
        for hit in hits[1 : 1 + _RELATED_MAX]
        if hit.coverage >= _COVERAGE_MIN and hit.score >= _RELATED_SCORE * best.score
    ]
    if others:
        opening, closing = phrases.quotes
        named = ", ".join(f"{opening}{title}{closing}" for title in others)
        paragraphs.append(phrases.related.format(named))
    return "\n\n".join(paragraphs)


def _names_domain(question: str, query: Query) -> bool:
    """Tell whether a question names Potok or something that Potok is about."""
    if not _POTOK_TERMS.isdisjoint(words_of(question)):
        return True
    return not stems_in("domain").isdisjoint(query.terms)


def _introduction(conversation: Conversation, *, is_sure: bool) -> str:
    phrases = PHRASES[conversation.language]
    if not is_sure:
        return phrases.documents_closest
    if _HOW.search(conversation.topic):
        return phrases.documents_how
    if _WHAT.search(conversation.topic):
        return phrases.documents_what
    return phrases.documents_other


def is_on_topic(search: Search) -> bool:
    """Tell whether the best passage is about most of the question, and does not just contain it."""
    found = [hit.passage for hit in search.hits if hit.passage.source != "definition"]
    if not found:
        return False
    passage = found[0]
    topic = set(terms_of(f"{passage.title} {passage.keywords}"))
    asked = [term for term in search.query.terms if not is_weak(term)]
    return len(topic.intersection(asked)) >= _TOPIC_SHARE_MIN * max(len(asked), 1)


def _preferred(search: Search, *, defines: bool) -> list[Hit]:
    """Put definitions first for a question that asks what a word means, and away for all others."""
    others = [hit for hit in search.hits if hit.passage.source != "definition"]
    defined = [
        hit
        for hit in search.hits
        if hit.passage.source == "definition"
        and set(terms_of(hit.passage.keywords)).issuperset(search.query.terms)
    ]
    return defined[:1] + others if defines else others


def long_documents(conversation: Conversation, hits: Iterable[Hit]) -> str:
    """Return as much documentation as was asked for, what fits best first."""
    shelf = library(conversation.language)
    wanted = conversation.pieces_wanted or DEMO_LONG_ANSWER_PIECES
    sections: list[str] = []
    pieces = 0
    for position in _reading_order(shelf, hits):
        passage = shelf.passages[position]
        section = f"### {passage.title}\n\n{passage.text}"
        sections.append(section)
        pieces += len(split_pieces(section))
        if pieces >= wanted:
            break
    else:
        sections.append(PHRASES[conversation.language].all_i_have)
    return "\n\n".join(sections)


def _reading_order(shelf: Library, hits: Iterable[Hit]) -> Iterator[int]:
    """Yield each position once: close hits, the rest of the first's topic, then all in order."""
    close = [hit for hit in hits if hit.coverage >= _COVERAGE_MIN][:_LONG_BEGINNINGS]
    order = [hit.position for hit in close]
    topics = {shelf.topics[position] for position in order[:1]}
    order += [at for at in range(len(shelf.passages)) if shelf.topics[at] in topics]
    order += range(len(shelf.passages))
    yield from dict.fromkeys(order)
