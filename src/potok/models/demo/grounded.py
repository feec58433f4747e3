"""Answers that rest on a text: sentences of the prompt, or Potok's own documentation."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from potok.limits import DEMO_LONG_ANSWER_PIECES
from potok.models.demo.conversation import Conversation, candidates
from potok.models.demo.documents import Library, library
from potok.models.demo.language import is_weak, stems_in, terms_of, words_of
from potok.models.demo.phrases import PHRASES
from potok.models.demo.pieces import split_pieces
from potok.models.demo.quoting import capitalised, quoted, second_person, shortened
from potok.models.demo.retrieval import Hit, Index, Query
from potok.models.demo.smalltalk import introduced_name

__all__ = [
    "Search",
    "answer_from_context",
    "answer_from_documents",
    "asks_about_asker",
    "asks_own_name",
    "long_documents",
    "own_name",
    "search_context",
    "search_documents",
    "summary",
]

_HITS_MAX = 12
_QUOTES_MAX = 3
_QUOTES_IN_DETAIL_MAX = 12
_SUMMARY_SENTENCES = 3
# Shares of a question that have to be matched, found by trying questions of both kinds.
_COVERAGE_MIN = 0.5
_COVERAGE_IMPERSONAL_MIN = 0.6
_COVERAGE_SURE = 0.75
_COVERAGE_CLOSEST_MIN = 0.4
_NEAR_SCORE = 0.7

_POTOK_TERMS = frozenset({"potok", "поток"})
_PERSONAL = re.compile(
    r"\b(?:i|my|mine|me|our|we|я|мне|меня|мой|моя|мое|мои|моего|моей|моему|моих|моим|мою|мы|наш\w*)\b"
)
_ABOUT_ASKER = re.compile(
    r"\b(?:my|mine|am i|was i|did i say|have i (?:told|said)|do i (?:live|work|like|love|have|prefer"
    r"|study|own|speak|want|look)|мой|моя|мое|мои|моего|моей|мою|моих|мне лет|меня|я (?:живу|работаю"
    r"|люблю|учусь|говорил\w*|сказал\w*|писал\w*|предпочитаю))\b"
)
_OWN_NAME = re.compile(
    r"\bwhat(?:'s|’s| is| was) my (?:first |own |full )?name\b|\bwho am i\b|\bmy name\?"
    r"|\b(?:know|remember|recall|tell me|forgot|guess) my name\b"
    r"|\bкак меня зовут\b|\bкак мое имя\b|\bкто я\b|\bкаково мое имя\b"
    r"|\b(?:помнишь|знаешь|помните|знаете|назови|скажи),?(?: как)? (?:мое имя|меня зовут)\b"
)
_DEFINES = re.compile(
    r"^(?:what (?:is|are|does)|what's|define|что такое|что значит|что означает)\b"
)
_HOW = re.compile(
    r"\bhow (?:do|can|to|should|would|could)\b|^(?:а |и |ну )?как\b(?! (?:называ|дел))"
)
_WHAT = re.compile(
    r"^(?:what|which|who|where|when|why|что|какой|какая|какое|какие|кто|где|зачем|почему|когда)\b"
)


@dataclass(frozen=True, slots=True)
class Search:
    """What was looked for, among how many passages, and what was found, best first."""

    query: Query
    passages: int
    hits: tuple[Hit, ...]


def asks_own_name(topic: str) -> bool:
    """Tell whether a question is for the asker's name."""
    return bool(_OWN_NAME.search(topic))


def own_name(conversation: Conversation) -> str | None:
    """Return the asker's name as the chat tells it, None if it does not."""
    said = [conversation.message]
    said += [turn.text for turn in reversed(conversation.turns) if turn.role == "user"]
    return next((name for name in map(introduced_name, said) if name), None)


def asks_about_asker(topic: str) -> bool:
    """Tell whether a question is about the one who asks."""
    return bool(_ABOUT_ASKER.search(topic))


def search_context(conversation: Conversation) -> Search:
    """Look for the question's words among the statements of the prompt."""
    query = Query.of(conversation.topic)
    passages = candidates(conversation, query) if query.terms else []
    hits = Index(passages, knows_related=True).search(query, hits_max=_HITS_MAX) if passages else []
    return Search(query, len(passages), tuple(hits))


def answer_from_context(conversation: Conversation, search: Search) -> str | None:
    """Return an answer that quotes the prompt, or None if nothing in it matches well enough."""
    is_personal = bool(_PERSONAL.search(conversation.topic))
    hits = [hit for hit in search.hits if _is_close(hit, is_personal=is_personal)]
    if not hits:
        return None
    best = hits[0]
    near = [
        hit
        for hit in hits
        if hit.score >= _NEAR_SCORE * best.score and hit.plain_coverage >= best.plain_coverage - 0.1
    ]
    near = near[: _QUOTES_IN_DETAIL_MAX if conversation.wants_detail else _QUOTES_MAX]
    phrases = PHRASES[conversation.language]
    told = best.passage.source != "given"
    if told and is_personal:
        # Of two answers to a personal question the newer one counts, and it comes first.
        near = near[:1]
    unsure = f"{phrases.unsure} " if best.plain_coverage < _COVERAGE_SURE else ""
    if len(near) > 1:
        lines = [f"- {hit.passage.text.strip()}" for hit in near]
        return phrases.several + "\n" + "\n".join(lines)
    source = best.passage.source
    turned = second_person(best.passage.text, conversation.language) if told else None
    if turned and is_personal:
        pattern = phrases.flipped_earlier if source == "earlier" else phrases.flipped_message
        return unsure + pattern.format(capitalised(turned))
    pattern = {"given": phrases.given, "earlier": phrases.earlier}.get(source, phrases.message)
    return unsure + pattern.format(quoted(best.passage.text, conversation.language))


def _is_close(hit: Hit, *, is_personal: bool) -> bool:
    needed = _COVERAGE_MIN
    if hit.passage.source == "earlier" and not is_personal:
        needed = _COVERAGE_IMPERSONAL_MIN
    return hit.plain_coverage >= needed


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
    names_potok = not _POTOK_TERMS.isdisjoint(words_of(question))
    in_domain = names_potok or not stems_in("domain").isdisjoint(search.query.terms)
    if not in_domain and (defines or all(map(is_weak, search.query.terms))):
        return None
    phrases = PHRASES[conversation.language]
    hits = _preferred(search, defines=defines)
    if not hits:
        return None
    best = hits[0]
    is_sure = best.coverage >= _COVERAGE_MIN
    if not is_sure and not (in_domain and best.coverage >= _COVERAGE_CLOSEST_MIN):
        return None
    if conversation.wants_detail:
        body = long_documents(conversation, hits)
        return f"{phrases.documents_long}\n\n{body}"
    if not is_sure:
        introduction = phrases.documents_closest
    elif _HOW.search(question):
        introduction = phrases.documents_how
    elif _WHAT.search(question):
        introduction = phrases.documents_what
    else:
        introduction = phrases.documents_other
    paragraphs = [introduction, best.passage.text]
    others = [
        hit.passage.title
        for hit in hits[1:3]
        if hit.coverage >= _COVERAGE_MIN and hit.score >= best.score / 3
    ]
    if others:
        opening, closing = phrases.quotes
        named = ", ".join(f"{opening}{title}{closing}" for title in others)
        paragraphs.append(phrases.related.format(named))
    return "\n\n".join(paragraphs)


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
    """Yield each position once: close hits, then the rest of their topic, then all from the start."""
    close = [hit for hit in hits if hit.coverage >= _COVERAGE_MIN][:3]
    order = [hit.position for hit in close]
    topics = {shelf.topics[position] for position in order[:1]}
    order += [at for at in range(len(shelf.passages)) if shelf.topics[at] in topics]
    order += range(len(shelf.passages))
    yield from dict.fromkeys(order)


def summary(conversation: Conversation) -> str:
    """Return the sentences of the newest text that share most words with its other sentences."""
    phrases = PHRASES[conversation.language]
    texts = [
        [sentence.text for sentence in material.sentences]
        for material in sorted(conversation.material, key=_pasted_first)
    ]
    sentences = next((text for text in texts if len(text) > 1), [])[:500]
    if not sentences:
        return phrases.nothing_to_summarise
    counts: dict[str, int] = {}
    for sentence in sentences:
        for term in dict.fromkeys(terms_of(sentence)):
            counts[term] = counts.get(term, 0) + 1

    def weight(at: int) -> float:
        terms = list(dict.fromkeys(terms_of(sentences[at])))
        return -sum(counts[term] - 1 for term in terms) / (len(terms) + 4)

    chosen = sorted(sorted(range(len(sentences)), key=weight)[:_SUMMARY_SENTENCES])
    lines = [f"- {shortened(sentences[at], 300)}" for at in chosen]
    return phrases.summary + "\n" + "\n".join(lines)


def _pasted_first(material: object) -> int:
    source = getattr(material, "source", "")
    return {"message": 0, "earlier": 1}.get(source, 2)
