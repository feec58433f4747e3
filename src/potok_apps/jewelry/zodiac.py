"""Signs of the zodiac by day and month, as play: nothing is priced or refused by them. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from potok_apps.jewelry.bounds import MESSAGE_CHARACTERS_MAX
from potok_apps.jewelry.texts import Text, listed
from potok_apps.jewelry.words import Word, words_of

__all__ = [
    "SIGNS",
    "Birthday",
    "Sign",
    "find_birthday",
    "find_sign",
    "sign_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One sign: it begins on (month, day); `stones` are those that custom gives it."""

    code: str
    name: Text
    begins: tuple[int, int]
    stones: tuple[str, ...]
    mood: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Birthday:
    """A day of birth; people often leave the year out."""

    day: int
    month: int
    year: int | None = None

    @property
    def sign(self) -> Sign:
        """The sign of that day."""
        return sign_of(self.month, self.day)


def _sign(code: str, name: Text, begins: tuple[int, int], stones: str, mood: Text) -> Sign:
    return Sign(code=code, name=name, begins=begins, stones=tuple(stones.split()), mood=mood)


_BY_YEAR = (
    _sign(
        "aquarius",
        Text("Водолей", "Aquarius"),
        (1, 20),
        "amethyst aquamarine zirconia",
        Text("любит вещи, каких нет у других", "likes what nobody else has"),
    ),
    _sign(
        "pisces",
        Text("Рыбы", "Pisces"),
        (2, 19),
        "aquamarine moonstone amethyst",
        Text("выбирает мягкий свет и плавные линии", "chooses soft light and flowing lines"),
    ),
    _sign(
        "aries",
        Text("Овен", "Aries"),
        (3, 21),
        "diamond ruby garnet",
        Text("решает быстро и любит яркое", "decides fast and likes it bright"),
    ),
    _sign(
        "taurus",
        Text("Телец", "Taurus"),
        (4, 20),
        "emerald turquoise malachite",
        Text("ценит вес, материал и удобство", "values weight, material and comfort"),
    ),
    _sign(
        "gemini",
        Text("Близнецы", "Gemini"),
        (5, 21),
        "citrine pearl topaz",
        Text("легко меняет украшения под настроение", "changes jewellery with the mood"),
    ),
    _sign(
        "cancer",
        Text("Рак", "Cancer"),
        (6, 21),
        "pearl moonstone ruby",
        Text("бережёт вещи с историей", "keeps things that have a story"),
    ),
    _sign(
        "leo",
        Text("Лев", "Leo"),
        (7, 23),
        "amber ruby diamond",
        Text("не боится крупных форм и золота", "is not afraid of large shapes and gold"),
    ),
    _sign(
        "virgo",
        Text("Дева", "Virgo"),
        (8, 23),
        "sapphire peridot emerald",
        Text("замечает точность и тонкую работу", "notices precision and fine work"),
    ),
    _sign(
        "libra",
        Text("Весы", "Libra"),
        (9, 23),
        "opal aquamarine sapphire",
        Text("ищет равновесие и чистый силуэт", "looks for balance and a clean outline"),
    ),
    _sign(
        "scorpio",
        Text("Скорпион", "Scorpio"),
        (10, 23),
        "garnet topaz malachite",
        Text("тянется к глубокому цвету", "is drawn to deep colour"),
    ),
    _sign(
        "sagittarius",
        Text("Стрелец", "Sagittarius"),
        (11, 22),
        "turquoise amethyst topaz",
        Text("привозит украшения из поездок", "brings jewellery home from journeys"),
    ),
    _sign(
        "capricorn",
        Text("Козерог", "Capricorn"),
        (12, 22),
        "onyx garnet zirconia",
        Text("предпочитает строгость и надёжный замок", "prefers strict form and a safe clasp"),
    ),
)
SIGNS: Mapping[str, Sign] = MappingProxyType({sign.code: sign for sign in _BY_YEAR})
"""Code -> sign."""

_SIGN_CUES = ("знак", "зодиак", "гороскоп", "астролог", "созвезд", "zodiac", "horoscope", "sign")
_BIRTH_CUES = ("род", "рожд", "именин", "born", "birth", *_SIGN_CUES)
_HOLIDAYS = {(1, 1), (1, 7), (2, 14), (2, 23), (3, 8), (12, 31)}
_DATE_WORDS_MAX = 4  # «3 апреля 1990 года»
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_YEARS = range(1900, 2101)
_SHORT_YEAR_TURN = 30  # «90» is 1990 and «05» is 2005

_MONTH_STEMS = (
    "январ|янв|january|jan",
    "феврал|фев|february|feb",
    "март|мар|march",
    "апрел|апр|april|apr",
    "мая|май|мае|may",
    "июн|june|jun",
    "июл|july|jul",
    "август|авг|august|aug",
    "сентябр|сен|сент|september|sep",
    "октябр|окт|october|oct",
    "ноябр|ноя|november|nov",
    "декабр|дек|december|dec",
)
_MONTHS = {name: n for n, names in enumerate(_MONTH_STEMS, 1) for name in names.split("|")}
_MONTH_ENDINGS = ("", "я", "ь", "е", "а", "ю", "ем")
_ORDINALS = listed(
    "перв втор треть четверт пят шест седьм восьм девят десят одиннадцат двенадцат тринадцат"
    " четырнадцат пятнадцат шестнадцат семнадцат восемнадцат девятнадцат двадцат"
)
_ORDINAL = re.compile(r"(?:ого|его|ое|ье|ый|ий|ой|ом|ем|ьего|ь)")
_ISO = re.compile(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_FIGURES = re.compile(r"(?<![\d.,])(\d{1,2})[./](\d{1,2})(?:[./](\d{4}|\d{2}))?(?![\d/]|[.,]\d)")

# Stems of signs; those of the second group mean other things as well.
_CLEAR = {
    "овен": "aries",
    "овн": "aries",
    "телец": "taurus",
    "тельц": "taurus",
    "близнец": "gemini",
    "скорпион": "scorpio",
    "стрелец": "sagittarius",
    "стрельц": "sagittarius",
    "козерог": "capricorn",
    "водоле": "aquarius",
    "aries": "aries",
    "taurus": "taurus",
    "gemini": "gemini",
    "scorpio": "scorpio",
    "sagittarius": "sagittarius",
    "capricorn": "capricorn",
    "aquarius": "aquarius",
    "pisces": "pisces",
    "virgo": "virgo",
    "libra": "libra",
}
_ENDINGS = ("", "а", "у", "ом", "ем", "е", "ы", "и", "ей", "й", "я", "ю", "ов", "ам", "ами")
_AMBIGUOUS = {
    **dict.fromkeys(listed("рак рака раку раком раки cancer"), "cancer"),
    **dict.fromkeys(listed("лев льва льву львом львица львицы львице leo"), "leo"),
    **dict.fromkeys(listed("дева девы деве деву девой девам"), "virgo"),
    **dict.fromkeys(["весы", "весов", "весам", "весами"], "libra"),
    **dict.fromkeys(listed("рыбы рыб рыбам рыбами рыба рыбе рыбу"), "pisces"),
}


def sign_of(month: int, day: int) -> Sign:
    """Return the sign of a day; the day must exist in some year."""
    return next((s for s in reversed(_BY_YEAR) if s.begins <= (month, day)), _BY_YEAR[-1])


def find_birthday(text: str, *, is_asked: bool = False) -> Birthday | None:
    """Return the day of birth that a text names, None if there is none.

    Where nobody asked for it, a date counts only if it stands alone, or beside words of birth or
    signs: «подарок на 8 марта» speaks of a holiday.
    """
    found = _find_date(text)
    if found is None or is_asked:
        return found
    words = [word.text for word in words_of(text) if not word.is_mark]
    if any(word.startswith(_BIRTH_CUES) for word in words):
        return found
    is_alone = len(words) <= _DATE_WORDS_MAX and (found.month, found.day) not in _HOLIDAYS
    return found if is_alone else None


def _find_date(text: str) -> Birthday | None:
    for match in _ISO.finditer(text):
        if (found := _checked(match[3], int(match[2]), match[1])) is not None:
            return found
    words = words_of(text[:MESSAGE_CHARACTERS_MAX])
    for place, word in enumerate(words):
        month = _month(word.text)
        if month is not None and (found := _around(words, place, month)) is not None:
            return found
    for match in _FIGURES.finditer(text):
        if (found := _checked(match[1], int(match[2]), match[3])) is not None:
            return found
    return None


def find_sign(text: str) -> Sign | None:
    """Return the sign that a text names; words such as «рыба» count where signs are spoken of."""
    words = words_of(text[:MESSAGE_CHARACTERS_MAX])
    speaks_of_signs = any(word.text.startswith(_SIGN_CUES) for word in words)
    for place, word in enumerate(words):
        for begin, code in _CLEAR.items():
            if word.text.startswith(begin) and word.text[len(begin) :] in _ENDINGS:
                return SIGNS[code]
        code = _AMBIGUOUS.get(word.text, "")
        # «я Рыба», «идёт ли это Девам»; a capital at the beginning of a sentence says nothing.
        is_name = word.is_capital and place > 0 and words[place - 1].text not in '.!?…«"'
        if code and (speaks_of_signs or is_name):
            return SIGNS[code]
    return None


def _month(word: str) -> int | None:
    for ending in _MONTH_ENDINGS:
        base = word.removesuffix(ending) if ending else word
        if base in _MONTHS and (ending == "" or word.endswith(ending)):
            return _MONTHS[base]
    return None


def _around(words: Sequence[Word], place: int, month: int) -> Birthday | None:
    """Read «3 апреля 1990», «третьего апреля» and «April 3, 1990» around a month's name."""
    before = [word.text for word in words[max(0, place - 3) : place] if not word.is_mark]
    after = [word.text for word in words[place + 1 : place + 4] if not word.is_mark]
    while before and before[-1] in {"е", "го", "ого", "of", "th", "st", "nd", "rd"}:
        before.pop()
    day = _day(before)
    rest = after
    if day is None and after and words[place].text.isascii():
        day, rest = _day(after[:1]), after[1:]
    if day is None:
        return None
    year = next((text for text in rest[:1] if text.isdigit() and len(text) == 4), None)
    return _checked(day, month, year)


def _day(before: Sequence[str]) -> int | None:
    if not before:
        return None
    if before[-1].isdigit() and len(before[-1]) <= 2:
        return int(before[-1])
    for number, begin in enumerate(_ORDINALS, 1):
        if before[-1].startswith(begin) and _ORDINAL.fullmatch(before[-1][len(begin) :]):
            tens = {"двадцать": 20, "тридцать": 30}.get(before[-2], 0) if len(before) > 1 else 0
            return tens + number if number < 10 else number
    return 30 if before[-1].startswith("тридцат") else None


def _checked(day: int | str, month: int, year: str | None) -> Birthday | None:
    number = int(day)
    if not 1 <= month <= 12 or not 1 <= number <= _DAYS[month - 1]:
        return None
    full: int | None = None
    if year is not None:
        full = int(year)
        if len(year) == 2:
            full += 2000 if full < _SHORT_YEAR_TURN else 1900
        if full not in _YEARS:
            return None
        if (month, number) == (2, 29) and (full % 4 or (full % 100 == 0 and full % 400)):
            return None
    return Birthday(day=number, month=month, year=full)
