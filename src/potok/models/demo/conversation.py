"""Reads a request into what the demo model needs: a question, what may be quoted, wishes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from potok.events.run_request import JsonObject, text_of
from potok.limits import (
    DEMO_CONTEXT_CHARACTERS_MAX,
    DEMO_COUNT_MAX,
    DEMO_LONG_ANSWER_PIECES,
    DEMO_PASSAGES_MAX,
    DEMO_PROBES_MAX,
    DEMO_QUESTION_CHARACTERS_MAX,
)
from potok.models.contract import ChatRequest
from potok.models.demo.language import Language, language_of, plain
from potok.models.demo.retrieval import Passage, Query
from potok.models.demo.sentences import (
    Sentence,
    is_question,
    is_request,
    is_statement,
    split_sentences,
)
from potok.models.demo.smalltalk import without_greeting

__all__ = ["Conversation", "Material", "Turn", "candidates", "read_conversation"]

_DETAIL = re.compile(
    r"\b(?:in (?:great |full |more |much )?details?|detailed|at (?:great )?length|thorough(?:ly)?"
    r"|comprehensive(?:ly)?|extensive(?:ly)?|essay|everything(?: you know)?|as much as (?:you can"
    r"|possible)|elaborate|(?:very |really )?long(?:er)?(?= (?:answer|text|story|tale|explanation"
    r"|reply|essay|poem|response|version|stream|one|description)))\b"
    r"|\b(?:поподробн\w+|подробн\w+|детальн\w+|развернут\w+|длинн\w+|побольше|как можно больше"
    r"|все,? что (?:ты |вы )?(?:знаешь|знаете|можешь|можете)|все (?=о |об |про ))"
)
_AMOUNT = re.compile(r"(\d{2,6})\s*(?:words?|tokens?|pieces|слов|токен)")
_MORE = re.compile(
    r"(?:(?:tell|give|say|show) me |and |а |ну |расскажи |расскажите |please |пожалуйста )*"
    r"(?:more|more details?|in (?:more )?detail|elaborate|подробнее|поподробнее|подробно|еще"
    r"|больше)(?:,? (?:please|пожалуйста|about it|об этом))*"
)
_CONTINUE = re.compile(
    r"(?:please |пожалуйста,? )?(?:continue|go on|keep going|carry on|продолжай|продолжи"
    r"|продолжайте|дальше|давай дальше)(?:,? (?:please|пожалуйста))?"
)
_THINK = re.compile(
    r"\b(?:think|reason)(?: step by step| carefully| hard| deeply| aloud| out loud| it over"
    r"| about it| first| before (?:you answer|answering))+"
    r"|\b(?:let s |let's |let’s )?think(?= [^ ]+:|[:,.]|$)"
    r"|\bstep by step\b|\bshow (?:me )?your (?:thinking|reasoning)"
    r"|\b(?:подумай|подумайте|поразмысли|поразмышляй|порассуждай|рассуждай)"
    r"(?: (?:хорошенько|как следует|вслух|шаг за шагом|пошагово|сначала|и ответь))*\b"
    r"|\b(?:шаг за шагом|пошагово)\b"
)
_REMARKS_MAX = 3
_REMARK_WORDS_MAX = 6
_NO_EFFORT = ("none", "minimal")


@dataclass(frozen=True, slots=True)
class Turn:
    """One message: `role` is `given` (system, developer), `user` or `assistant`."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Material:
    """Sentences of one source; the sources are those of `Passage`."""

    source: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A request as the demo model sees it.

    `message` is the user's newest message, `question` what it asks, without what was pasted around
    it, `topic` the question in plain words without greeting and wishes about the answer's form.
    `material` holds the rest of the message and of the prompt: instructions first, then newest
    first. `begun` is the assistant's text after that message, which the answer has to go on from;
    with `continues` the user asked for that by a message of its own.
    """

    language: Language
    message: str
    question: str
    topic: str
    turns: tuple[Turn, ...]
    material: tuple[Material, ...]
    begun: str
    continues: bool
    pieces_wanted: int
    wants_thinking: bool

    @property
    def wants_detail(self) -> bool:
        """Whether a long answer was asked for."""
        return self.pieces_wanted > 0

    @property
    def answers(self) -> tuple[str, ...]:
        """What was answered before the newest message, oldest first."""
        return tuple(turn.text for turn in self.turns if turn.role == "assistant")


def read_conversation(request: ChatRequest) -> Conversation:
    """Read the messages of a request; whatever is not a message with a text is passed over."""
    turns = _turns_of(request.messages)
    newest, continues = _newest_question(turns)
    message = turns[newest].text.strip() if newest >= 0 else ""
    said = [turn.text for turn in turns[newest + 1 :] if turn.role == "assistant"]
    earlier = turns[:newest] if newest >= 0 else turns
    question, pasted = _split_message(message)
    asked = plain(question)
    wishes = " ".join([asked, *_short_remarks(pasted)])
    wants_thinking = _asks_effort(request.parameters) or bool(_THINK.search(wishes))
    pieces_wanted = _pieces_wanted(wishes)
    if _asks_more(question):
        # "In more detail, please" asks the question before it once more.
        said_before = [turn.text for turn in earlier if turn.role == "user"]
        before = [text for text in said_before if not _asks_more(text)]
        question = _split_message(before[-1])[0] if before else question
        pieces_wanted = DEMO_LONG_ANSWER_PIECES if before else 0
    return Conversation(
        language=language_of(question, default=request.language),
        message=message,
        question=question,
        topic=_topic(question),
        turns=tuple(earlier),
        material=_material(earlier, pasted),
        begun="".join(said) if newest >= 0 else "",
        continues=continues,
        pieces_wanted=pieces_wanted,
        wants_thinking=wants_thinking,
    )


def _asks_more(message: str) -> bool:
    # Longer messages are none, and need not be read to their end.
    return len(message) < 100 and bool(_MORE.fullmatch(plain(message).strip(" .!?")))


def _newest_question(turns: list[Turn]) -> tuple[int, bool]:
    """Return the place of the user's newest message, -1 for none, and whether it was "continue".

    "Continue" after an answer asks for the rest of it: then the place is that of its question.
    """
    asked = [at for at, turn in enumerate(turns) if turn.role == "user"]
    newest = asked[-1] if asked else -1
    for at in reversed(asked):
        if not _CONTINUE.fullmatch(turns[at].text.lower().strip(" .!…")):
            break
        if not any(turn.role == "assistant" for turn in turns[:at]):
            break
    else:
        return newest, False
    return at, at != newest


def _turns_of(messages: Sequence[JsonObject]) -> list[Turn]:
    turns = []
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        if role in ("system", "developer"):
            role = "given"
        if role not in ("given", "user", "assistant"):
            continue
        # A lone half of a surrogate pair could never be sent on, so it is replaced here.
        text = text_of(message).encode("utf-8", "replace").decode("utf-8")
        turns.append(Turn(role, text))
    return turns


def _split_message(message: str) -> tuple[str, list[Sentence]]:
    """Return what a message asks, and its other sentences.

    Of several questions the last one counts, then the last request: people paste a text and ask
    below it, or ask and paste below.
    """
    if not message:
        return "", []
    sentences = split_sentences(message)
    asking = _asking(sentences)
    if asking is None:
        question = message if len(sentences) <= 1 else message[:DEMO_QUESTION_CHARACTERS_MAX]
        rest = sentences if len(message) > DEMO_QUESTION_CHARACTERS_MAX else []
        return question[:DEMO_QUESTION_CHARACTERS_MAX], rest
    question = sentences[asking].text
    if sentences[asking].heading and len(question.split()) <= 1:
        question = f"{sentences[asking].heading} {question}"
    return question, sentences[:asking] + sentences[asking + 1 :]


def _asking(sentences: list[Sentence]) -> int | None:
    count = len(sentences)
    ends: list[int] = [*range(count - 1, max(count - 4, -1), -1), *range(min(3, count))]
    for asks in (is_question, is_request):
        for at in ends:
            if asks(sentences[at].text):
                return at
    return next((at for at in range(count - 1, -1, -1) if is_question(sentences[at].text)), None)


def _topic(question: str) -> str:
    topic = plain(without_greeting(question)[0])
    for wish in (_THINK, _AMOUNT, _DETAIL):
        topic = wish.sub(" ", topic)
    # A message that is nothing but wishes is searched by them.
    return topic.strip(" .,:;!-—") or plain(question)


def _short_remarks(sentences: Sequence[Sentence]) -> list[str]:
    """Return what may be a wish beside the question, as "In detail, please."."""
    beside = [*sentences[:_REMARKS_MAX], *sentences[_REMARKS_MAX:][-_REMARKS_MAX:]]
    remarks = [plain(sentence.text) for sentence in beside]
    return [remark for remark in remarks if len(remark.split()) <= _REMARK_WORDS_MAX]


def _pieces_wanted(wishes: str) -> int:
    amount = _AMOUNT.search(wishes)
    if amount:
        return max(1, min(int(amount[1]), DEMO_COUNT_MAX))
    return DEMO_LONG_ANSWER_PIECES if _DETAIL.search(wishes) else 0


def _asks_effort(parameters: JsonObject) -> bool:
    effort: object = parameters.get("reasoning_effort")
    reasoning = parameters.get("reasoning")
    if effort is None and isinstance(reasoning, dict):
        effort = reasoning.get("effort")
    return isinstance(effort, str) and effort not in _NO_EFFORT


def _material(earlier: Sequence[Turn], pasted: list[Sentence]) -> tuple[Material, ...]:
    """Return what may be quoted, as much as is read: instructions, then newest first."""
    material = []
    left = DEMO_CONTEXT_CHARACTERS_MAX
    given = [turn for turn in earlier if turn.role == "given"]
    said = [turn for turn in reversed(earlier) if turn.role == "user"]
    for at, turn in enumerate(given + said):
        if at == len(given):
            material.append(Material("message", tuple(pasted)))
        if left > 0:
            source = "given" if turn.role == "given" else "earlier"
            material.append(Material(source, tuple(split_sentences(turn.text[:left]))))
            left -= len(turn.text)
    if not said:
        material.append(Material("message", tuple(pasted)))
    return tuple(material)


def candidates(conversation: Conversation, query: Query) -> list[Passage]:
    """Return the statements of the prompt that may answer a question, at most what is indexed.

    Of a long prompt those that contain most words of the question are taken, wherever they stand.
    """
    sentences = [
        (sentence, material.source)
        for material in conversation.material
        for sentence in material.sentences
    ]
    if len(sentences) > DEMO_PASSAGES_MAX:
        sentences = _likeliest(sentences, query)
    return [
        Passage(text=sentence.text, source=source, title=sentence.heading)
        for sentence, source in sentences
        if is_statement(sentence.text, from_instructions=source == "given")
    ]


def _likeliest(sentences: list[tuple[Sentence, str]], query: Query) -> list[tuple[Sentence, str]]:
    """Return the sentences that contain most terms of a question, in their order."""
    # A stem may end in another letter than its word, as `continu` of `continue` does.
    probes = [term[:-1] if len(term) > 4 else term for term in query.terms[:DEMO_PROBES_MAX]]
    counted = []
    for at, (sentence, _) in enumerate(sentences):
        lowered = plain(sentence.text)
        count = sum([probe in lowered for probe in probes])
        if count:
            counted.append((-count, at))
    chosen = sorted(at for _, at in sorted(counted)[:DEMO_PASSAGES_MAX])
    return [sentences[at] for at in chosen]
