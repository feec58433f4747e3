"""Answers that rest on the prompt: its sentences are quoted, never put into other words."""

import re

from potok.limits import DEMO_PASSAGES_MAX
from potok.models.demo.conversation import Conversation, Material, candidates
from potok.models.demo.language import terms_of
from potok.models.demo.phrases import PHRASES
from potok.models.demo.quoting import capitalised, quoted, second_person, shortened
from potok.models.demo.retrieval import Hit, Index, Query, Search
from potok.models.demo.sentences import is_statement
from potok.models.demo.smalltalk import introduced_name

__all__ = [
    "answer_from_context",
    "asks_about_asker",
    "asks_own_name",
    "own_name",
    "search_context",
    "summary",
]

_HITS_MAX = 12
_QUOTES_MAX = 3
_QUOTES_IN_DETAIL_MAX = 12
_SUMMARY_SENTENCES = 3
_SUMMARY_SENTENCE_CHARACTERS_MAX = 300
# Shares of a question that a sentence must match; a chance match is likelier in what people said.
_COVERAGE_MIN = 0.5
_COVERAGE_IMPERSONAL_MIN = 0.6
_COVERAGE_SURE = 0.75
_NEAR_SCORE = 0.7
_NEAR_COVERAGE = 0.1

_PERSONAL = re.compile(
    r"\b(?:i|my|mine|me|our|we|я|мне|меня|мой|моя|мое|мои|моего|моей|моему|моих|моим|мою|мы"
    r"|наш\w*)\b"
)
_ABOUT_ASKER = re.compile(
    r"\b(?:my|mine|am i|was i|did i say|have i (?:told|said)"
    r"|do i (?:live|work|like|love|have|prefer|study|own|speak|want|look)"
    r"|мой|моя|мое|мои|моего|моей|мою|моих|мне лет|меня"
    r"|я (?:живу|работаю|люблю|учусь|говорил\w*|сказал\w*|писал\w*|предпочитаю))\b"
)
_OWN_NAME = re.compile(
    r"\bwhat(?:'s|’s| is| was) my (?:first |own |full )?name\b|\bwho am i\b|\bmy name\?"
    r"|\b(?:know|remember|recall|tell me|forgot|guess) my name\b"
    r"|\bкак меня зовут\b|\bкак мое имя\b|\bкто я\b|\bкаково мое имя\b"
    r"|\b(?:помнишь|знаешь|помните|знаете|назови|скажи),?(?: как)? (?:мое имя|меня зовут)\b"
)


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
        if hit.score >= _NEAR_SCORE * best.score
        and hit.plain_coverage >= best.plain_coverage - _NEAR_COVERAGE
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


def summary(conversation: Conversation) -> str:
    """Return the sentences of the newest text that share most words with its other sentences."""
    phrases = PHRASES[conversation.language]
    texts = [
        [
            sentence.text
            for sentence in material.sentences
            if is_statement(sentence.text, from_instructions=material.source == "given")
        ]
        for material in sorted(conversation.material, key=_pasted_first)
    ]
    sentences = next((text for text in texts if len(text) > 1), [])[:DEMO_PASSAGES_MAX]
    if not sentences:
        return phrases.nothing_to_summarise
    counts: dict[str, int] = {}
    for sentence in sentences:
        for term in dict.fromkeys(terms_of(sentence)):
            counts[term] = counts.get(term, 0) + 1

    def weight(at: int) -> float:
        terms = list(dict.fromkeys(terms_of(sentences[at])))
        # A first sentence says more often than others what a text is about.
        return -(sum(counts[term] - 1 for term in terms) + (2 if at == 0 else 0)) / (len(terms) + 4)

    chosen = sorted(sorted(range(len(sentences)), key=weight)[:_SUMMARY_SENTENCES])
    lines = [f"- {shortened(sentences[at], _SUMMARY_SENTENCE_CHARACTERS_MAX)}" for at in chosen]
    return phrases.summary + "\n" + "\n".join(lines)


def _pasted_first(material: Material) -> int:
    return {"message": 0, "earlier": 1}.get(material.source, 2)
