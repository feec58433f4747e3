"""Composes the whole answer to a request: a pure function, the same in every process.

Rules are tried in a fixed order and the first that applies answers: what needs no knowledge, small
talk, the conversation, the documentation, and last the admission that it does not know.
"""

import re
from dataclasses import dataclass

from potok.events.kinds import Usage
from potok.events.run_request import JsonObject, text_of
from potok.limits import DEMO_ANSWER_CHARACTERS_MAX, DEMO_COUNTED_CHARACTERS_MAX
from potok.models.contract import ChatRequest
from potok.models.demo.arithmetic import calculate
from potok.models.demo.calling import tell_results
from potok.models.demo.context_answers import (
    answer_from_context,
    asks_about_asker,
    asks_own_name,
    own_name,
    search_context,
    summary,
)
from potok.models.demo.conversation import Conversation, read_conversation
from potok.models.demo.document_answers import (
    answer_from_documents,
    is_on_topic,
    long_documents,
    search_documents,
)
from potok.models.demo.facts import is_told_to_translate, told_facts
from potok.models.demo.language import is_readable, plain, words_of
from potok.models.demo.phrases import PHRASES
from potok.models.demo.pieces import count_pieces, split_pieces
from potok.models.demo.quoting import second_person
from potok.models.demo.retrieval import Search
from potok.models.demo.sentences import is_question, is_request
from potok.models.demo.smalltalk import introduced_name, recognise, without_greeting
from potok.models.demo.tasks import count, listed, repeat
from potok.models.demo.thinking import thinking
from potok.models.demo.wishes import answer_in_json

__all__ = ["Composition", "Plan", "compose", "plan_answer"]

_CREATE = re.compile(
    r"\b(?:write|compose|create|generate|invent|draw|design|rewrite|imagine|make up|code)\b"
    r"|\b(?:напиши|сочини|придумай|нарисуй|создай|сгенерируй|перепиши|пошути|спой)(?:те)?\b"
)
_WORK_OF_ART = re.compile(
    r"\b(?:poem|haiku|story|joke|essay|song|lyrics|novel|tale|limerick|email)\b"
    r"|\b(?:стих\w*|рассказ\b|сказк\w+|истори[юи]\b|анекдот\w*|шутк\w+|песн\w+|эссе|хокку|хайку)"
)
_TRANSLATE = re.compile(
    r"\btranslat|\bпереве(?:ди|сти|дите)\b|\bперевод\b"
    r"|\bhow (?:do|would) (?:you|i) say\b|\bкак (?:будет|сказать|переводится)\b.*\b(?:по-|на )"
    r"|\b(?:in|into) (?:french|german|spanish|italian|chinese|japanese)\b"
)
_SUMMARISE = re.compile(
    r"\bsummar|\btl;?dr\b|\bперескажи|\bрезюм|\bсуммируй|\bподытож|\bкратко (?:изложи|опиши)"
    r"|\bо чем (?:этот |данный )?(?:текст|отрывок|статья)|\bвыжимк"
)
_TELLS = re.compile(
    r"^(?:please )?(?:my |i am |i'm |i’m |i |remember|note that|call me|the |our |we |this is "
    r"|меня |мой |моя |мое |мои |мне |я |у меня |запомни|учти|наш|мы |это )"
)
_STATEMENT_WORDS_MIN = 3
_SURE_COVERAGE = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An answer before it is cut into pieces: which rule gave it, and what was searched for it."""

    rule: str
    text: str
    context: Search | None = None
    documents: Search | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """The whole answer in pieces; `reasoning` is empty unless thinking was asked for."""

    reasoning: tuple[str, ...]
    text: tuple[str, ...]
    finish_reason: str
    usage: Usage


def compose(request: ChatRequest) -> Composition:
    """Return the whole answer to a request; `request.said` and `request.model` play no part."""
    conversation = read_conversation(request)
    plan = plan_answer(conversation)
    thought = ""
    if conversation.wants_thinking:
        thought = thinking(
            conversation.question,
            conversation.language,
            plan.rule,
            context=plan.context,
            documents=plan.documents,
        )
    answer = tell_results(request) or _remaining(conversation, plan)
    answer = answer_in_json(request, answer) or answer
    text, finish_reason = _bounded(answer, request.parameters)
    reasoning_pieces, text_pieces = split_pieces(thought), split_pieces(text)
    allowed = _pieces_allowed(request.parameters)
    if allowed is not None and len(reasoning_pieces) + len(text_pieces) > allowed:
        finish_reason = "length"
        reasoning_pieces = reasoning_pieces[:allowed]
        text_pieces = text_pieces[: allowed - len(reasoning_pieces)]
    return Composition(
        reasoning=tuple(reasoning_pieces),
        text=tuple(text_pieces),
        finish_reason=finish_reason,
        usage=Usage(
            prompt_tokens=_prompt_tokens(request),
            completion_tokens=len(reasoning_pieces) + len(text_pieces),
            reasoning_tokens=len(reasoning_pieces),
        ),
    )


def plan_answer(conversation: Conversation) -> Plan:
    """Return the answer of the first rule that applies."""
    phrases = PHRASES[conversation.language]
    if not conversation.message:
        told = any(turn.role == "given" for turn in conversation.turns)
        return Plan(rule="empty", text=phrases.only_instructions if told else phrases.nothing_asked)
    if is_told_to_translate(conversation):
        return _no_translation(conversation)
    facts = told_facts(conversation)
    if facts is not None:
        return Plan(rule="facts", text=facts)
    return _task(conversation) or _talk(conversation) or _grounded(conversation)


def _no_translation(conversation: Conversation) -> Plan:
    phrases = PHRASES[conversation.language]
    return Plan(rule="create", text=f"{phrases.cannot_translate}\n\n{phrases.connect}")


def _task(conversation: Conversation) -> Plan | None:
    said = repeat(conversation.message)
    if said is not None:
        return Plan(rule="repeat", text=said)
    question, _ = without_greeting(conversation.question)
    counted = count(question)
    if counted is not None:
        numbers, is_whole = counted
        bounded = "" if is_whole else "\n\n" + PHRASES[conversation.language].count_bounded
        return Plan(rule="count", text=numbers + bounded)
    result = calculate(question, conversation.language)
    if result is not None:
        return Plan(rule="arithmetic", text=result)
    items = listed(conversation.message, conversation.language)
    if items is not None:
        return Plan(rule="list", text=items)
    return None


def _talk(conversation: Conversation) -> Plan | None:
    phrases = PHRASES[conversation.language]
    said = (conversation.message, conversation.question, conversation.topic)
    talk = next((kind for kind in map(recognise, said) if kind), None)
    name = introduced_name(conversation.message)
    _, greeted = without_greeting(conversation.message)
    if talk is None and greeted and name and not is_question(conversation.question):
        return Plan(rule="talk", text=f"{phrases.hello_name.format(name)} {phrases.greeting}")
    if talk is None:
        return None
    text = str(getattr(phrases, talk))
    if talk == "greeting":
        text = f"{phrases.hello} {text}"
    elif talk in ("who_am_i", "what_i_can"):
        text = f"{phrases.who_am_i}\n\n{phrases.what_i_can}\n\n{phrases.connect}"
    return Plan(rule="talk", text=text)


def _grounded(conversation: Conversation) -> Plan:
    """Answer from the conversation or the documentation, whichever says more; else admit it."""
    phrases = PHRASES[conversation.language]
    question = conversation.topic
    if asks_own_name(question):
        name = own_name(conversation)
        if name is None:
            return Plan(rule="name", text=phrases.personal_unknown)
        turned = {"en": "Your name is {}", "ru": "Вас зовут {}"}[conversation.language].format(name)
        return Plan(rule="name", text=phrases.flipped_earlier.format(turned))
    if _SUMMARISE.search(question):
        return Plan(rule="summary", text=summary(conversation))
    if _TRANSLATE.search(question):
        return _no_translation(conversation)
    context = search_context(conversation)
    documents = search_documents(conversation)
    quoting = answer_from_context(conversation, context)
    told = None if quoting else _note(conversation, documents)
    if told:
        return Plan(rule="note", text=told)
    documented = answer_from_documents(conversation, documents)
    if is_request(conversation.question) and _creates(question):
        is_art = bool(_WORK_OF_ART.search(question))
        documented = None if is_art or not is_on_topic(documents) else documented
    if quoting and not (documented and _documents_say_more(context, documents)):
        return Plan(rule="context", text=quoting, context=context, documents=documents)
    if documented:
        return Plan(rule="documents", text=documented, context=context, documents=documents)
    return _admission(conversation, question, context, documents)


def _creates(question: str) -> bool:
    return bool(_CREATE.search(question) or _WORK_OF_ART.search(question))


def _documents_say_more(context: Search, documents: Search) -> bool:
    return documents.hits[0].coverage > context.hits[0].plain_coverage


def _fits(documents: Search) -> bool:
    return bool(documents.hits) and documents.hits[0].coverage >= _SURE_COVERAGE


def _note(conversation: Conversation, documents: Search) -> str | None:
    """Return the answer to a message that tells something and asks nothing, None for others."""
    question = conversation.question
    if is_question(question) or is_request(question):
        return None
    said = plain(question)
    tells = bool(_TELLS.match(said)) or said.rstrip().endswith(".")
    if not tells or len(said.split()) < _STATEMENT_WORDS_MIN:
        return None
    if _fits(documents):
        return None
    phrases = PHRASES[conversation.language]
    turned = second_person(question, conversation.language)
    return phrases.noted_flipped.format(turned) if turned else phrases.noted


def _admission(
    conversation: Conversation, question: str, context: Search, documents: Search
) -> Plan:
    phrases = PHRASES[conversation.language]
    creates = _creates(question)
    if not creates and not conversation.wants_detail and not documents.query.terms:
        words = words_of(question)
        text = phrases.too_common if words else phrases.no_words
        return Plan(rule="vague", text=text)
    if not is_readable(question):
        return Plan(rule="vague", text=phrases.other_script)
    rule = "create" if creates else "unknown"
    first = phrases.cannot_create if creates else phrases.unknown
    if not creates and is_question(conversation.question) and asks_about_asker(question):
        text = phrases.personal_unknown
    elif conversation.wants_detail:
        text = f"{first} {phrases.long_anyway}\n\n{long_documents(conversation, ())}"
    elif any(phrases.what_i_can in answer for answer in conversation.answers):
        text = phrases.cannot_create if creates else phrases.unknown_again
    else:
        text = f"{first}\n\n{phrases.what_i_can}\n\n{phrases.connect}"
    return Plan(rule=rule, text=text, context=context, documents=documents)


def _remaining(conversation: Conversation, plan: Plan) -> str:
    """Return what is left of an answer of which the conversation already holds the beginning."""
    begun = conversation.begun
    if not begun:
        return plan.text
    phrases = PHRASES[conversation.language]
    if not plan.text.startswith(begun):
        return phrases.cannot_continue if conversation.continues else plan.text
    rest = plan.text[len(begun) :]
    return rest or (phrases.whole_said if conversation.continues else "")


def _bounded(text: str, parameters: JsonObject) -> tuple[str, str]:
    """Return a text up to its first stop sequence or its greatest length, and why it ends there."""
    stops = parameters.get("stop")
    if isinstance(stops, str):
        stops = [stops]
    if isinstance(stops, list | tuple):
        places = [text.find(stop) for stop in stops if isinstance(stop, str) and stop]
        text = text[: min((place for place in places if place >= 0), default=len(text))]
    if len(text) > DEMO_ANSWER_CHARACTERS_MAX:
        return text[:DEMO_ANSWER_CHARACTERS_MAX], "length"
    return text, "stop"


def _pieces_allowed(parameters: JsonObject) -> int | None:
    """Return the least of the token limits; what is no whole number above zero is no limit."""
    limits = [
        limit
        for name in ("max_tokens", "max_completion_tokens")
        if isinstance(limit := parameters.get(name), int) and not isinstance(limit, bool)
    ]
    return min((limit for limit in limits if limit > 0), default=None)


def _prompt_tokens(request: ChatRequest) -> int:
    tokens = 0
    left = DEMO_COUNTED_CHARACTERS_MAX
    for message in request.messages:
        text = text_of(message) if isinstance(message, dict) else ""
        # Beyond the bound of the whole prompt a token is taken to be four characters.
        tokens += count_pieces(text, exact_characters=left) if left > 0 else len(text) // 4
        left -= len(text)
    return tokens
