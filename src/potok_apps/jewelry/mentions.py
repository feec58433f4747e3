"""Which known values a text names, and whether it wants them or not. Pure.

«не золото», «без бриллиантов и сапфиров», «кроме жемчуга» and «жемчуг не люблю» refuse a value;
«не обязательно золото» only stops asking for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Literal

from potok_apps.jewelry.bounds import TEXTS_KEPT_MAX
from potok_apps.jewelry.patterns import SKIPPED_MARKS, Patterns
from potok_apps.jewelry.texts import listed
from potok_apps.jewelry.thesaurus import (
    NAMES,
    ORDINARY,
    RECIPIENT_FORMS,
    TYPO_FORMS,
    Meaning,
)
from potok_apps.jewelry.words import Typos, Word, words_of

__all__ = ["Mention", "find_mentions", "read_text"]

Stance = Literal["wanted", "refused", "optional"]

_REACH = 4  # words before a value that may refuse it: «не хочу больше золото»

_REFUSERS = frozenset(
    listed(
        "без кроме исключая исключи исключить ненавижу вместо аллергия without except no avoid"
        " hate instead"
    )
)
_NOT = frozenset(listed("не ни нет not don doesn never dislike"))
# Between «не» and a value: these make it a refusal, others make «не» speak of something else.
_VERBS = frozenset(
    listed(
        "хочу хочет хотим хотел хотела хотелось хочется ношу носит носят нужно нужны нужен нужна"
        " надо люблю любит любим нравится нравятся интересует интересуют предлагай предлагайте"
        " показывай показывайте советуй советуйте терплю терпит терпеть идет подходит подходят"
        " переношу переносит рассматриваю рассматриваем бери берите буду want like wear need"
    )
)
_UNWANTED = _VERBS | frozenset(
    listed(
        "больше из в с со на про к для ничего никакого никаких никакие очень слишком"
        " сильно t any желтое белое розовое красное белого желтого розового красного"
    )
)
_OPTIONAL = frozenset(["обязательно", "важно", "принципиально", "necessarily"])
# Adjectives and the like that may stand between a word that speaks of a receiver and the receiver.
_POINTS_AT_RECEIVER = frozenset(
    listed(
        "для у подарок подарки подарка подарю подарить порадовать поздравить удивить моя мой моей"
        " моему мою моего наша наш нашей нашему его ее любимой любимому любимая любимый своей"
        " своему дорогой for to my your his her our"
    )
)
_PEOPLE = frozenset(listed("мне ей ему она он я"))
_CONJUNCTIONS = frozenset(listed("и или либо ни да or and nor"))
_ADJECTIVES_FOR_PEOPLE = frozenset(("woman", "man", "child"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A value that a text names, at the words `begin` to `end` (not included)."""

    kind: str
    value: str
    begin: int
    end: int
    stance: Stance = "wanted"


@lru_cache(maxsize=TEXTS_KEPT_MAX)
def read_text(text: str) -> tuple[tuple[Word, ...], tuple[Mention, ...]]:
    """Return the words of a text and what it names; texts are read once while they are in use."""
    words = tuple(words_of(text))
    return words, tuple(find_mentions(words))


def find_mentions(words: Sequence[Word]) -> list[Mention]:
    """Return what a text names, in order; each word has one meaning, of the longest pattern."""
    found: list[Mention] = []
    place = 0
    while place < len(words):
        match = _match_at(words, place) if not words[place].is_mark else None
        if match is None:
            place += 1
            continue
        meaning, end = match
        for kind, value in _meanings(meaning):
            mention = Mention(kind=kind, value=value, begin=place, end=end)
            # «серьги-кольца» are earrings: the first half of a compound says what it is.
            if words[place].is_attached and kind in {one.kind for one in found[-1:]}:
                continue
            found.append(mention)
        if words[place].text.startswith("крестик"):
            found.append(Mention(kind="occasion", value="christening", begin=place, end=end))
        place = end
    return _with_stances(words, _without_hours(words, found))


@cache
def _patterns() -> Patterns[Meaning]:
    return Patterns(NAMES)


@cache
def _receivers() -> Mapping[str, tuple[str, bool]]:
    """Word form -> (recipient, whether it needs a word that points at it)."""
    forms: dict[str, tuple[str, bool]] = {}
    for recipient, (dative, others) in RECIPIENT_FORMS.items():
        forms.update(dict.fromkeys(others.split("|"), (recipient, True)))
        forms.update(dict.fromkeys(dative.split("|"), (recipient, False)))
    return forms


@cache
def _typos() -> Typos:
    return Typos(TYPO_FORMS.split(), ORDINARY.split())


def _match_at(words: Sequence[Word], place: int) -> tuple[Meaning, int] | None:
    known = _patterns().match_at(words, place)
    if known is not None:
        return known
    text = words[place].text
    receiver = _receiver_at(words, place)
    if receiver is not None or text in _receivers():
        return receiver
    meant = _typos().known_word(text)
    meaning = _patterns().meaning_of(meant) if meant is not None else None
    return (meaning, place + 1) if meaning is not None else None


def _receiver_at(words: Sequence[Word], place: int) -> tuple[Meaning, int] | None:
    text = words[place].text
    pair = f"{text} {words[place + 1].text}" if place + 1 < len(words) else ""
    if pair in _receivers():
        return ("recipient", _receivers()[pair][0]), place + 2
    if text not in _receivers():
        return None
    recipient, needs_pointer = _receivers()[text]
    before = {word.text for word in words[max(0, place - 2) : place]}
    is_adjective = recipient in _ADJECTIVES_FOR_PEOPLE and text.endswith(("ое", "ий", "ой", "ую"))
    plural = recipient in _ADJECTIVES_FOR_PEOPLE and text.endswith(("ие", "men", "man"))
    if needs_pointer and not (is_adjective or plural or before & _POINTS_AT_RECEIVER):
        return None
    return ("recipient", recipient), place + 1


def _meanings(meaning: Meaning) -> list[Meaning]:
    kind, value = meaning
    if kind == "gold":
        return [("metal", "gold"), ("metal_color", value)]
    if kind == "stones":
        return [("stone", stone) for stone in value.split()]
    return [meaning]


def _without_hours(words: Sequence[Word], found: Sequence[Mention]) -> list[Mention]:
    # «через 5 часов» is no watch, «часов» alone would be; a number before it decides.
    return [
        one
        for one in found
        if not (one.value == "watch" and one.begin and words[one.begin - 1].is_number)
    ]


def _with_stances(words: Sequence[Word], found: Sequence[Mention]) -> list[Mention]:
    result: list[Mention] = []
    for place, mention in enumerate(found):
        same = result[-1] if result and result[-1].begin == mention.begin else None
        if same is not None:
            # One phrase with two values, such as white gold.
            result.append(replace(mention, stance=same.stance))
            continue
        following = next((one.begin for one in found[place + 1 :] if one.begin > mention.end), None)
        stance = _stance_before(words, mention, result[-1] if result else None)
        if stance == "wanted":
            stance = _stance_after(words, mention, following)
        result.append(replace(mention, stance=stance))
    return result


def _stance_before(words: Sequence[Word], mention: Mention, last: Mention | None) -> Stance:
    if mention.value == "none":
        return "wanted"
    between: list[str] = []
    begin = max(last.end if last else 0, mention.begin - _REACH)
    for word in reversed(words[begin : mention.begin]):
        if word.is_mark and word.text not in SKIPPED_MARKS:
            break
        if word.text in _REFUSERS:
            return "refused" if len(between) <= 1 else "wanted"
        if word.text in _NOT:
            return _stance_of(between)
        if not word.is_mark:
            between.append(word.text)
    return _stance_joined(words, mention, last)


def _stance_of(between: Sequence[str]) -> Stance:
    """Return what «не», then these words, say of the value that follows; nearest word first."""
    if set(between) & _OPTIONAL:
        return "optional"
    if "только" in between:
        return "wanted"
    return "refused" if all(word in _UNWANTED for word in between) else "wanted"


def _stance_joined(words: Sequence[Word], mention: Mention, last: Mention | None) -> Stance:
    """«без бриллиантов и сапфиров»: a refusal goes on over «и» to a value of the same kind."""
    if last is None or last.stance == "wanted" or last.kind not in {mention.kind, "metal_color"}:
        return "wanted"
    gap = [word.text for word in words[last.end : mention.begin]]
    return last.stance if len(gap) == 1 and gap[0] in _CONJUNCTIONS else "wanted"


def _stance_after(words: Sequence[Word], mention: Mention, following: int | None) -> Stance:
    """«жемчуг не люблю»: a refusal that ends its clause, with nothing else to refuse in it."""
    texts = [
        word.text
        for word in words[mention.end : mention.end + 4]
        if word.clause == words[mention.begin].clause and not word.is_mark
    ]
    if mention.kind == "recipient" or not texts or texts[0] not in _NOT | _PEOPLE:
        return "wanted"
    places = [place for place, text in enumerate(texts[:2]) if text in _NOT]
    if not places:
        return "wanted"
    after = set(texts[places[0] + 1 : places[0] + 2])
    if after & _OPTIONAL:
        return "optional"
    is_followed = following is not None and following <= mention.end + places[0] + 2
    return "refused" if after & _VERBS and not is_followed else "wanted"
