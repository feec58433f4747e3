"""Amounts that people write, in figures and in words: «50к», «сто двадцать тысяч». Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from potok_apps.jewelry.texts import listed
from potok_apps.jewelry.words import Word

__all__ = ["Amount", "find_amounts", "value_of_figures"]

_NAMES = {
    0: "ноль нуля zero",
    1: "один одна одну одного одной one",
    2: "два две двух двум two",
    3: "три трех трем three",
    4: "четыре четырех четырем four",
    5: "пять пяти five",
    6: "шесть шести six",
    7: "семь семи seven",
    8: "восемь восьми eight",
    9: "девять девяти nine",
    10: "десять десяти десятка десятку ten",
    11: "одиннадцать одиннадцати eleven",
    12: "двенадцать двенадцати twelve",
    13: "тринадцать тринадцати thirteen",
    14: "четырнадцать четырнадцати fourteen",
    15: "пятнадцать пятнадцати fifteen",
    16: "шестнадцать шестнадцати sixteen",
    17: "семнадцать семнадцати seventeen",
    18: "восемнадцать восемнадцати eighteen",
    19: "девятнадцать девятнадцати nineteen",
    20: "двадцать двадцати двацать двадцатка twenty",
    30: "тридцать тридцати тридцатка thirty",
    40: "сорок сорока forty",
    50: "пятьдесят пятидесяти пядесят полтинник полтинника fifty",
    60: "шестьдесят шестидесяти шесьдесят sixty",
    70: "семьдесят семидесяти семьдесять seventy",
    80: "восемьдесят восьмидесяти eighty",
    90: "девяносто девяноста ninety",
    100: "сто ста сотня сотню сотни сотней hundred",
    200: "двести двухсот",
    300: "триста трехсот",
    400: "четыреста четырехсот",
    500: "пятьсот пятисот",
    600: "шестьсот шестисот",
    700: "семьсот семисот",
    800: "восемьсот восьмисот",
    900: "девятьсот девятисот",
}
_NUMBERS: Mapping[str, float] = {
    **{name: value for value, names in _NAMES.items() for name in names.split()},
    **dict.fromkeys(("полтора", "полторы", "полутора"), 1.5),
    **dict.fromkeys(("пара", "пару", "пары", "парочку", "couple"), 2),
    **dict.fromkeys(("полсотни", "полста"), 50),
    **dict.fromkeys(("пол", "half"), 0.5),
}
_NOT_ALONE = frozenset(
    listed("пол half пара пару пары парочку couple один одна одну одного одной one")
)
_THOUSANDS = (
    "тыс тысяч тысяча тысячу тысячи тысячам тысячами тысячей тысячах тыщ тыща тыщи тыщу тысчь"
    " тысечь тыр к k тр косарь косаря косарей штукарей thousand thousands grand"
)
_MILLIONS = "млн миллион миллиона миллионов миллиону миллионами лям ляма лямов mln million millions"
_SCALES: Mapping[str, int] = {
    **dict.fromkeys(_THOUSANDS.split(), 1_000),
    **dict.fromkeys(_MILLIONS.split(), 1_000_000),
    **dict.fromkeys(listed("млрд миллиард миллиарда миллиардов billion"), 1_000_000_000),
}
# «тысяч за сорок» has its number later; the other scales need one before.
_ALONE = frozenset(listed("тысяча тысячу тысячи миллион миллиона лям ляма thousand million"))
# «50к» is a number, «пару к серьгам» is not.
_LETTERS = frozenset(("к", "k"))
_HALVES = {"полмиллиона": 500_000, "полтысячи": 500, "полляма": 500_000}
_ROUBLES = frozenset(
    listed(
        "₽ р руб рубль рубля рублей рублям рублями рублях рублик рубликов rub rubles roubles ruble"
    )
)
_FOREIGN = frozenset(
    listed(
        "$ € ¥ £ доллар доллара долларов доллары бакс бакса баксов евро юань юаней тенге гривен"
        " usd eur dollars dollar euro euros"
    )
)
_WORDS_MAX = 8  # words of one amount: «сто двадцать пять тысяч пятьсот рублей»


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A number at the words `begin` to `end` (not included).

    `is_scaled`: thousands or millions were said; `currency`: `rub`, `foreign`, or empty.
    """

    value: float
    begin: int
    end: int
    is_scaled: bool
    is_figures: bool
    currency: str


def value_of_figures(figures: str) -> float:
    """Return what figures mean: `50 000`, `50.000`, `50,000` are fifty thousand, `17,5` is not."""
    groups = figures.replace("\u00a0", " ").replace("\u202f", " ")
    for mark in " .,":
        parts = groups.split(mark)
        if len(parts) > 1 and all(len(part) == 3 for part in parts[1:]):
            return float("".join(parts))
    return float(groups.replace(" ", "").replace(",", "."))


def find_amounts(words: Sequence[Word]) -> Iterator[Amount]:
    """Yield all numbers of a text in order, each with its thousands and its currency."""
    place = 0
    while place < len(words):
        amount = _amount_at(words, place)
        if amount is None:
            place += 1
        else:
            yield amount
            place = amount.end


def _amount_at(words: Sequence[Word], begin: int) -> Amount | None:
    value, place, is_scaled = _number_at(words, begin)
    if place == begin:
        return None
    place, currency = _currency_at(words, place)
    first = words[begin]
    if not is_scaled and not currency and first.text in _NOT_ALONE and place == begin + 1:
        return None
    # «$500»
    if not currency and begin and words[begin - 1].text in _FOREIGN:
        currency = "foreign"
    return Amount(
        value=value,
        begin=begin,
        end=place,
        is_scaled=is_scaled,
        is_figures=first.is_number,
        currency=currency,
    )


def _number_at(words: Sequence[Word], begin: int) -> tuple[float, int, bool]:
    """Return a number, where it ends (`begin` if there is none), and whether it was scaled."""
    total, group, place, is_scaled = 0.0, None, begin, False
    lowest = 1000.0
    while place < min(len(words), begin + _WORDS_MAX):
        text = words[place].text
        if text in _HALVES and place == begin:
            return float(_HALVES[text]), place + 1, True
        scale = _SCALES.get(text)
        if text in _LETTERS and not (place > begin and words[place - 1].is_number):
            scale = None
        if scale is not None and (group is not None or text in _ALONE):
            total, group, is_scaled, lowest = total + (group or 1) * scale, None, True, 1000.0
            place = _after_dot(words, place)
            continue
        if words[place].is_number and group is None and place == begin:
            group, lowest = value_of_figures(text), 0.0
        elif text in _NUMBERS and _NUMBERS[text] < lowest:
            group = (group or 0.0) + _NUMBERS[text]
            lowest = _step_below(_NUMBERS[text])
        elif text == "hundred" and group is not None:
            group *= 100
        else:
            break
        place += 1
    # «т.р.» and «т р»
    if group is not None and _is_short_thousand(words, place):
        total, group, is_scaled = total + group * 1000, None, True
        place = _after_dot(words, place)
    return total + (group or 0.0), place, is_scaled


def _step_below(value: float) -> float:
    """Return what a next number word must be under: «сто» may take «двадцать», not «двести»."""
    return 100.0 if value >= 100 else 10.0 if value >= 20 else 0.0


def _is_short_thousand(words: Sequence[Word], place: int) -> bool:
    following = [word.text for word in words[place : place + 3]]
    return following[:1] == ["т"] and ("р" in following[1:] or "руб" in following[1:])


def _after_dot(words: Sequence[Word], place: int) -> int:
    """Return the place after an abbreviation, over its full stop if more of the amount follows."""
    place += 1
    if place + 1 < len(words) and words[place].text == ".":
        after = words[place + 1].text
        if after in _ROUBLES:
            return place + 1
    return place


def _currency_at(words: Sequence[Word], place: int) -> tuple[int, str]:
    if place < len(words):
        if words[place].text in _ROUBLES:
            return place + 1, "rub"
        if words[place].text in _FOREIGN:
            return place + 1, "foreign"
    return place, ""
