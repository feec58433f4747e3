"""The eight questions of the taste test, and how an answer in free words is read. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from potok_apps.jewelry.budget import find_budget
from potok_apps.jewelry.mentions import find_mentions
from potok_apps.jewelry.texts import Language, Text
from potok_apps.jewelry.words import Word, fold, words_of
from potok_apps.jewelry.zodiac import find_birthday

__all__ = [
    "QUESTIONS",
    "Option",
    "Question",
    "Values",
    "read_answer",
]

Values = tuple[tuple[str, str], ...]
"""(kind, value) pairs; no pairs say that anything will do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One answer to choose; clients may send its code."""

    code: str
    text: Text
    values: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question; `kinds` are the values that an answer in free words may name."""

    id: str
    text: Text
    kinds: tuple[str, ...]
    options: tuple[Option, ...] = ()
    type: Literal["choice", "date"] = "choice"

    def as_metadata(self, language: Language) -> dict[str, Any]:
        """Return the question as clients show it."""
        return {
            "id": self.id,
            "text": self.text.within(language),
            "type": self.type,
            "options": [
                {"code": option.code, "text": option.text.within(language)}
                for option in self.options
            ],
        }


def _option(code: str, ru: str, en: str, *values: tuple[str, str]) -> Option:
    return Option(code=code, text=Text(ru, en), values=values)


def _gold(color: str) -> Values:
    return (("metal", "gold"), ("metal_color", color))


def _money(low: int | None, high: int | None) -> Values:
    bounds = (("budget_min", low), ("budget_max", high))
    return tuple((kind, str(value)) for kind, value in bounds if value is not None)


def _stones(*stones: str) -> Values:
    return tuple(("stone", stone) for stone in stones)


QUESTIONS: tuple[Question, ...] = (
    Question(
        id="metal",
        text=Text(
            "Какой металл вам ближе?",
            "Which metal do you like best?",
        ),
        kinds=("metal", "metal_color"),
        options=(
            _option("yellow_gold", "Жёлтое золото", "Yellow gold", *_gold("yellow")),
            _option("white_gold", "Белое золото", "White gold", *_gold("white")),
            _option("rose_gold", "Розовое золото", "Rose gold", *_gold("rose")),
            _option("silver", "Серебро", "Silver", ("metal", "silver")),
            _option("platinum", "Платина", "Platinum", ("metal", "platinum")),
        ),
    ),
    Question(
        id="style",
        text=Text("В каком стиле вам уютно?", "Which style feels like you?"),
        kinds=("style",),
        options=(
            _option("classic", "Классика", "Classic", ("style", "classic")),
            _option("minimalism", "Минимализм", "Minimalism", ("style", "minimalism")),
            _option("vintage", "Винтаж", "Vintage", ("style", "vintage")),
            _option("avant_garde", "Авангард", "Avant-garde", ("style", "avant_garde")),
            _option("ethnic", "Этника", "Ethnic", ("style", "ethnic")),
        ),
    ),
    Question(
        id="stone",
        text=Text("Какие камни притягивают взгляд?", "Which stones catch your eye?"),
        kinds=("stone",),
        options=(
            _option("clear", "Прозрачные", "Clear", *_stones("diamond", "zirconia")),
            _option("blue", "Синие", "Blue", *_stones("sapphire", "topaz", "aquamarine")),
            _option("green", "Зелёные", "Green", *_stones("emerald", "malachite", "peridot")),
            _option("red", "Красные", "Red", *_stones("ruby", "garnet")),
            _option("soft", "Жемчуг и янтарь", "Pearl and amber", *_stones("pearl", "amber")),
            _option("none", "Без камней", "No stones", *_stones("none")),
        ),
    ),
    Question(
        id="occasion",
        text=Text("Для какого случая украшение?", "What is the occasion?"),
        kinds=("occasion",),
        options=(
            _option("everyday", "На каждый день", "Every day", ("occasion", "everyday")),
            _option("evening", "Для вечера", "Evening", ("occasion", "evening")),
            _option("engagement", "Помолвка", "Engagement", ("occasion", "engagement")),
            _option("wedding", "Свадьба", "Wedding", ("occasion", "wedding")),
            _option("birthday", "День рождения", "Birthday", ("occasion", "birthday")),
            _option("anniversary", "Годовщина", "Anniversary", ("occasion", "anniversary")),
        ),
    ),
    Question(
        id="recipient",
        text=Text("Кому выбираем?", "Who is it for?"),
        kinds=("recipient",),
        options=(
            _option("self", "Себе", "Myself", ("recipient", "self")),
            _option("woman", "Женщине", "A woman", ("recipient", "woman")),
            _option("man", "Мужчине", "A man", ("recipient", "man")),
            _option("child", "Ребёнку", "A child", ("recipient", "child")),
        ),
    ),
    Question(
        id="scale",
        text=Text("Насколько заметным должно быть украшение?", "How bold should it be?"),
        kinds=("scale",),
        options=(
            _option("small", "Едва заметным", "Barely visible", ("scale", "small")),
            _option("medium", "Умеренным", "Moderate", ("scale", "medium")),
            _option("bold", "Крупным", "Bold", ("scale", "bold")),
        ),
    ),
    Question(
        id="budget",
        text=Text("Сколько готовы потратить?", "How much would you spend?"),
        kinds=("budget",),
        options=(
            _option("to_10", "До 10 000 ₽", "Up to 10,000 ₽", *_money(None, 10_000)),
            _option("to_30", "10 000–30 000 ₽", "10,000–30,000 ₽", *_money(10_000, 30_000)),
            _option("to_70", "30 000–70 000 ₽", "30,000–70,000 ₽", *_money(30_000, 70_000)),
            _option("to_150", "70 000–150 000 ₽", "70,000–150,000 ₽", *_money(70_000, 150_000)),
            _option("more", "Больше 150 000 ₽", "Over 150,000 ₽", *_money(150_000, None)),
        ),
    ),
    Question(
        id="birthday",
        text=Text(
            "Когда день рождения? Можно без года, и можно пропустить: это для игры в знаки.",
            "When is the birthday? No year needed, and you may skip it: it is for the zodiac game.",
        ),
        kinds=("birthday",),
        type="date",
    ),
)

_ANYTHING = (
    *("любой", "любая", "любое", "любые", "неважно", "все равно", "всё равно", "без разницы"),
    *("не важно", "не имеет значения", "что угодно", "any", "anything", "whatever"),
)
_SCALES = {
    "small": ("едва", "незаметн", "маленьк", "мелк", "крошечн", "миниатюр", "тонк", "скромн"),
    "medium": ("умерен", "средн", "обычн", "не слишком", "medium", "moderate"),
    "bold": ("крупн", "больш", "заметн", "ярк", "массивн", "объемн", "bold", "large", "big"),
}
_ORDINALS = ("перв", "втор", "трет", "четверт", "пят", "шест")
_ORDINAL_WORDS_MAX = 3  # «давайте второй вариант»; in longer answers the word means something else


def read_answer(question: Question, text: str) -> Values | None:
    """Return what an answer names, None if it cannot be understood."""
    words = [word for word in words_of(text) if not word.is_mark]
    option = _chosen(question, text, words)
    if option is not None:
        return option.values
    found = _free_values(question, text)
    if found:
        return found
    folded = fold(text)
    return () if any(one in folded for one in _ANYTHING) and question.type == "choice" else None


def _chosen(question: Question, text: str, words: Sequence[Word]) -> Option | None:
    """Return the option that is named by its code, its text, or its number."""
    said = fold(text).strip(' .!«»"')
    for option in question.options:
        if said in (option.code, fold(option.text.ru), fold(option.text.en)):
            return option
    place = None
    if len(words) == 1 and words[0].text.isdigit():
        place = int(words[0].text)
    elif len(words) == 2 and words[0].text in ("вариант", "номер", "option"):
        place = int(words[1].text) if words[1].text.isdigit() else None
    elif words and len(words) <= _ORDINAL_WORDS_MAX:
        heads = [
            n
            for n, begin in enumerate(_ORDINALS, 1)
            for word in words
            if word.text.startswith(begin) and word.text[len(begin) :] in _ORDINAL_ENDINGS
        ]
        place = heads[0] if heads else None
    return question.options[place - 1] if place and 1 <= place <= len(question.options) else None


_ORDINAL_ENDINGS = ("ый", "ая", "ое", "ой", "ую", "ий", "ья", "ье", "ьего", "ого", "ью")


def _free_values(question: Question, text: str) -> Values:
    if question.id == "birthday":
        birthday = find_birthday(text, is_asked=True)
        if birthday is None:
            return ()
        year = f"{birthday.year:04d}-" if birthday.year else ""
        return (("birthday", f"{year}{birthday.month:02d}-{birthday.day:02d}"),)
    words = words_of(text)
    if question.id == "budget":
        return _budget_values(words)
    if question.id == "scale":
        return _scale_values(words)
    return tuple(
        dict.fromkeys(
            (one.kind, one.value)
            for one in find_mentions(words)
            if one.kind in question.kinds and one.stance == "wanted" and one.value != "any"
        )
    ) or _bare_receiver(question, words)


def _bare_receiver(question: Question, words: Sequence[Word]) -> Values:
    """«мама», «жена»: an answer to «кому?» needs no preposition."""
    if question.id != "recipient":
        return ()
    pointed = words_of("для " + " ".join(word.text for word in words))
    return tuple((one.kind, one.value) for one in find_mentions(pointed) if one.kind == "recipient")


def _budget_values(words: Sequence[Word]) -> Values:
    budget = find_budget(words)
    if budget is None:
        # «50» and «пятьдесят» are thousands where money is asked for.
        budget = find_budget(words_of("бюджет " + " ".join(word.text for word in words)))
    if budget is not None and (budget.low is not None or budget.high is not None):
        return _money(budget.low, budget.high)
    levels = [one.value for one in find_mentions(words) if one.kind == "price"]
    if levels:
        return _money(None, 30_000) if levels[0] == "low" else _money(150_000, None)
    return ()


def _scale_values(words: Sequence[Word]) -> Values:
    for scale, begins in _SCALES.items():
        if any(word.text.startswith(begins) for word in words):
            return (("scale", scale),)
    return ()
