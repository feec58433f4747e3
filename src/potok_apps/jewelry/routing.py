"""Which agents answer a message: rules first; `is_unsure` where a model should decide. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from potok_apps.jewelry.bounds import (
    AGENTS_MAX,
    HISTORY_CHARACTERS_MAX,
    HISTORY_TURNS_MAX,
    MESSAGE_CHARACTERS_MAX,
)
from potok_apps.jewelry.budget import find_budget
from potok_apps.jewelry.mentions import read_text
from potok_apps.jewelry.patterns import Patterns
from potok_apps.jewelry.routing_words import AGENTS, EVIDENCE, EVIDENCE_FORMS, FOLLOW_UPS
from potok_apps.jewelry.texts import Text, joined
from potok_apps.jewelry.titles import find_titles
from potok_apps.jewelry.wishes import Said
from potok_apps.jewelry.words import Typos, Word, words_of
from potok_apps.jewelry.zodiac import find_birthday, find_sign

__all__ = ["Routing", "route_message"]

_SURE = 2.0  # less evidence than this is a guess
_ALSO = 2.5  # evidence for one more agent beside the first
_ALSO_SHARE = 0.35  # of the first one's evidence
_ALONE = {"consultant": 0.5}  # enough where nothing speaks for another agent
_ALONE_OTHERS = 1.0
_LEAD = (1.5, 0.5)  # enough evidence, if it is so much more than the second has
_MENTIONS = {
    "category": 1.0,
    "absent": 1.5,
    "price": 0.5,
    "style": 0.5,
    "metal": 0.5,
    "stone": 0.5,
    "occasion": 0.5,
    "recipient": 0.5,
}
_BUDGET = 1.5
_NAMED = 1.5
_SIGN = 3.0
_WANT = 0.4  # of wishing alone, without a word of what is wished for
_WANTING = ("хочу", "хотел", "хотим", "нужн", "мне бы", "want", "need", "покаж", "посовет")
_BIRTHDAY = 2.0
_SHORT_WORDS_MAX = 8  # a reply to what was just said; longer messages stand by themselves
_WORDS_TOLD = 4  # of the evidence, in the reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """The agents that answer, strongest first, and why.

    `is_unsure`: rules found too little; `agents` is then only the best guess.
    """

    agents: tuple[str, ...]
    reason: Text
    is_unsure: bool
    scores: Mapping[str, float]


def route_message(
    message: str,
    history: Iterable[Said] = (),
    *,
    is_test_open: bool = False,
    explicit: str | None = None,
) -> Routing:
    """Choose agents for a message.

    Args:
        is_test_open: The user is in the middle of the taste test, so a message that asks for
            nothing else is an answer.
        explicit: An agent that the caller named; it answers alone.
    """
    if explicit is not None:
        reason = Text("Агент выбран в запросе.", "The request names the agent.")
        return Routing(agents=(explicit,), reason=reason, is_unsure=False, scores={explicit: 1.0})
    text = message[:MESSAGE_CHARACTERS_MAX]
    scores, evidence = _evidence(text)
    if is_test_open and not _leaves_test(text, scores):
        reason = Text("Идёт тест вкуса, это ответ на вопрос.", "The taste test is open.")
        return Routing(agents=("taste",), reason=reason, is_unsure=False, scores=scores)
    is_sure = _is_sure(scores)
    if not is_sure and (earlier := _earlier(text, history)) is not None:
        return earlier
    if not is_sure:
        agents = _best_guess(scores)
        reason = Text(
            "Явных признаков мало, поэтому начнём с того, кто ближе.",
            "There is little to go by, so the nearest one begins.",
        )
        return Routing(agents=agents, reason=reason, is_unsure=True, scores=scores)
    agents = _chosen(scores)
    return Routing(agents=agents, reason=_reason(agents, evidence), is_unsure=False, scores=scores)


@cache
def _patterns() -> Patterns[tuple[str, float]]:
    return Patterns(EVIDENCE)


@cache
def _follow_ups() -> Patterns[str]:
    return Patterns({"follow": FOLLOW_UPS})


@cache
def _typos() -> Typos:
    return Typos(EVIDENCE_FORMS.split(), ())


def _evidence(text: str) -> tuple[dict[str, float], dict[str, list[str]]]:
    """Return points and telling words by agent; a word that comes twice counts once."""
    words, mentions = read_text(text)
    scores: dict[str, float] = {}
    told: dict[str, list[str]] = {}

    def count(agent: str, points: float, said: str) -> None:
        if said in told.setdefault(agent, []):
            return
        told[agent].append(said)
        scores[agent] = scores.get(agent, 0.0) + points

    place = 0
    while place < len(words):
        meaning, end = _evidence_at(words, place)
        if meaning is not None:
            agent, points = meaning
            said = " ".join(word.text for word in words[place:end])
            if not _is_receiver(words, place, said):
                count(agent, points, said)
        place = max(end, place + 1)
    for kind in {one.kind for one in mentions} & _MENTIONS.keys():
        count("consultant", _MENTIONS[kind], f"({kind})")
    if find_titles(words):
        count("consultant", _NAMED, "(name)")
    if find_budget(words) is not None:
        count("consultant", _BUDGET, "(budget)")
    if _only_wants(told.get("consultant", ())):
        # «хочу почувствовать себя красивой» asks for no piece.
        scores["consultant"] = _WANT
    if (sign := find_sign(text)) is not None:
        count("girlfriend", _SIGN, sign.name.ru.lower())
    elif find_birthday(text) is not None:
        count("girlfriend", _BIRTHDAY, "(birthday)")
    return scores, told


def _only_wants(told: Sequence[str]) -> bool:
    return bool(told) and all(said.startswith(_WANTING) for said in told)


def _evidence_at(words: Sequence[Word], place: int) -> tuple[tuple[str, float] | None, int]:
    if words[place].is_mark:
        return None, place + 1
    match = _patterns().match_at(words, place)
    if match is not None:
        return match.meaning, match.end
    meant = _typos().known_word(words[place].text)
    return (_patterns().meaning_of(meant) if meant is not None else None), place + 1


def _is_receiver(words: Sequence[Word], place: int, said: str) -> bool:
    """«у меня подруга» is a person spoken of, «подруга, ...» one spoken to."""
    if said not in ("подруга", "дорогая", "милая"):
        return False
    return place > 0 and words[place - 1].clause == words[place].clause


def _chosen(scores: Mapping[str, float]) -> tuple[str, ...]:
    ranked = _ranked(scores)
    best = scores[ranked[0]]
    others = [agent for agent in ranked[1:] if scores[agent] >= max(_ALSO, _ALSO_SHARE * best)]
    return (ranked[0], *others)[:AGENTS_MAX]


def _is_sure(scores: Mapping[str, float]) -> bool:
    ranked = sorted(scores.items(), key=lambda one: -one[1])
    if not ranked:
        return False
    agent, best = ranked[0]
    if len(ranked) == 1:
        return best >= _ALONE.get(agent, _ALONE_OTHERS)
    return best >= _SURE or (best >= _LEAD[0] and best - ranked[1][1] >= _LEAD[1])


def _ranked(scores: Mapping[str, float]) -> list[str]:
    # Of equals the consultant is last: pieces are named in questions of every kind.
    order = list(AGENTS)
    return sorted(
        scores, key=lambda agent: (-scores[agent], agent == "consultant", order.index(agent))
    )


def _best_guess(scores: Mapping[str, float]) -> tuple[str, ...]:
    ranked = _ranked(scores)
    # Small talk, where nothing at all was said of jewellery.
    return (ranked[0],) if ranked else ("girlfriend",)


def _leaves_test(text: str, scores: Mapping[str, float]) -> bool:
    """Whether somebody in the middle of the test asks for something else."""
    others = {agent: score for agent, score in scores.items() if agent != "taste"}
    asks = "?" in text or len(words_of(text)) > _SHORT_WORDS_MAX
    return asks and max(others.values(), default=0.0) >= _SURE


def _earlier(text: str, history: Iterable[Said]) -> Routing | None:
    """Return who answered before, for a short reply such as «а подешевле?»."""
    turns = [said for role, said in list(history)[-HISTORY_TURNS_MAX:] if role == "user"]
    words = [word for word in words_of(text) if not word.is_mark]
    if not turns or not words or len(words) > _SHORT_WORDS_MAX:
        return None
    is_reply = _follow_ups().match_at(words, 0) is not None or bool(read_text(text)[1])
    for turn in reversed(turns) if is_reply or len(words) <= _SHORT_WORDS_MAX // 2 else ():
        scores, _ = _evidence(turn[:HISTORY_CHARACTERS_MAX])
        if max(scores.values(), default=0.0) >= _SURE:
            reason = Text("Продолжаем прежний разговор.", "This goes on with what was said before.")
            return Routing(
                agents=_chosen(scores)[:1], reason=reason, is_unsure=False, scores=scores
            )
    return None


_HINTS = {
    "(category)": Text("вид украшения", "kind of piece"),
    "(metal)": Text("металл", "metal"),
    "(stone)": Text("камень", "stone"),
    "(occasion)": Text("повод", "occasion"),
    "(recipient)": Text("для кого", "for whom"),
    "(name)": Text("название", "a name"),
    "(budget)": Text("бюджет", "budget"),
    "(absent)": Text("изделие", "a piece"),
    "(price)": Text("цена", "price"),
    "(style)": Text("стиль", "style"),
    "(birthday)": Text("дата рождения", "a day of birth"),
}


def _reason(agents: Sequence[str], evidence: Mapping[str, Sequence[str]]) -> Text:
    parts = []
    for agent in agents:
        name = AGENTS[agent]
        telling = joined(
            _HINTS.get(said) or Text(f"«{said}»", f"“{said}”")
            for said in evidence.get(agent, ())[:_WORDS_TOLD]
        )
        parts.append(Text(f"{name.ru} ({telling.ru})", f"{name.en} ({telling.en})"))
    who = joined(parts, "; ")
    return Text(f"Поможет {who.ru}.", f"Answered by {who.en}.")
