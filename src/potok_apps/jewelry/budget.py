"""What somebody wants to spend: «до 100 тысяч», «от 20 до 30 тыс», «около сорока тысяч». Pure.

Sizes, dates, ages, carats and fineness are numbers too, and are left alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from potok_apps.jewelry.bounds import PRICE_RUB_MAX
from potok_apps.jewelry.numerals import Amount, find_amounts
from potok_apps.jewelry.texts import listed
from potok_apps.jewelry.words import Word

__all__ = ["Budget", "find_budget"]

Bound = Literal["max", "min", "about", "between"]

_CUES: dict[str, Bound] = {
    **dict.fromkeys(
        listed(
            "до максимум макс максимальный максимально пределах потолок лимит бюджет бюджета"
            " бюджете бюджетом бюджету есть имею за на меньше дешевле менее ниже уложиться"
            " укладываюсь потратить располагаю under below within max maximum budget than"
        ),
        "max",
    ),
    **dict.fromkeys(
        listed("от больше дороже более выше свыше минимум начиная over above from minimum"),
        "min",
    ),
    **dict.fromkeys(
        listed(
            "около примерно порядка приблизительно ориентировочно районе примерный about around"
            " approximately roughly ~ ≈"
        ),
        "about",
    ),
    **dict.fromkeys(["между", "между", "between"], "between"),
}
_UP = frozenset(["more"])
_TURNED = frozenset(listed("больше дороже более выше свыше more over"))
_TURNED_UP = frozenset(listed("меньше дешевле менее ниже less"))
_SPEND = frozenset(listed("потрачу потратим дам дадим хочу могу готов готова хотелось заплачу"))
# Words that may stand between a cue and its number, or before a budget without a cue.
_FILLERS = frozenset(
    listed(
        "примерно где то суммы сумме сумму цены цене ценой стоимости стоимостью рублей в мой наш"
        " у меня нас это составляет до - : is of my are the price"
    )
)
_STRONG = frozenset(
    listed("бюджет бюджета бюджете бюджетом бюджету потратить пределах лимит budget")
)
_UNITS = frozenset(
    listed(
        "лет год года годом году годика мес месяц месяца месяцев день дня дней см сантиметр"
        " сантиметра сантиметров мм карат карата каратов ct carat carats г гр грамм грамма граммов"
        " размер размера проба пробы пробу шт штук штуки штука процент процента процентов % час"
        " часа часов раз раза января февраля марта апреля мая июня июля августа сентября октября"
        " ноября декабря е й го ого летие летию летний летняя лепестков камней камня камнями"
        " человек years year days cm mm g grams size january february march april may june july"
        " august september october november december"
    )
)
_UNITS_BEFORE = frozenset(listed("размер размера размером пробы проба № size номер тел телефон"))
_SMALL_BELOW = 1_000  # «до 50»: no piece costs so little, so thousands are meant
_TELLING_FROM = 1_500  # a bare number from here on is money, unless it may be a year
_YEARS = range(1900, 2101)
_WORDS_FROM = 10  # «до трёх» may be anything
_ABOUT = 0.15  # how far «около» reaches
_CUE_REACH = 4  # words before a number that may say what it bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Roubles from `low` to `high`; None where there is no bound.

    `is_foreign`: an amount in another currency was named, which nobody here can convert.
    """

    low: int | None = None
    high: int | None = None
    is_foreign: bool = False


@dataclass(frozen=True, slots=True)
class _Said:
    bound: Bound
    roubles: int
    begin: int
    end: int


def find_budget(words: Sequence[Word]) -> Budget | None:
    """Return the budget that a text names, None if it names none."""
    amounts = list(find_amounts(words))
    said: list[_Said] = []
    is_foreign = False
    for place, amount in enumerate(amounts):
        if amount.currency == "foreign":
            is_foreign = True
            continue
        following = amounts[place + 1] if place + 1 < len(amounts) else None
        one = _read(words, amount, following, said[-1] if said else None)
        if one is not None:
            said.append(one)
    if not said:
        return Budget(is_foreign=True) if is_foreign else None
    return _joined(said, is_foreign)


def _read(
    words: Sequence[Word], amount: Amount, following: Amount | None, last: _Said | None
) -> _Said | None:
    if _is_measure(words, amount):
        return None
    bound, is_cued = _bound_of(words, amount)
    opens_range = following is not None and _is_range(words, amount, following)
    closes_range = (
        last is not None
        and last.bound in ("min", "between")
        and (_gap(words, last.end, amount.begin) <= {"-", "–", "—", "до", "и", "to", "and", "."})
    )
    roubles = amount.value
    if not amount.is_scaled and not amount.currency:
        if opens_range and following is not None and roubles < following.value:
            # «от 20 до 30 тыс»: the second says what both are.
            if following.is_scaled and roubles < _SMALL_BELOW:
                roubles *= 1_000_000 if following.value >= 1_000_000 else 1_000
        elif not (is_cued or closes_range or roubles >= _TELLING_FROM):
            return None
        if roubles in _YEARS and not is_cued and not opens_range:
            return None
        if roubles < _SMALL_BELOW:
            if not (_is_small_budget(words, amount, bound) or opens_range or closes_range):
                return None
            roubles *= 1_000
    if not 0 < roubles <= PRICE_RUB_MAX:
        return None
    if opens_range and bound != "min":
        bound = "between"
    if closes_range:
        bound = "max"
    return _Said(bound, round(roubles), amount.begin, amount.end)


def _is_measure(words: Sequence[Word], amount: Amount) -> bool:
    after = words[amount.end].text if amount.end < len(words) else ""
    if after in "-‑" and amount.end + 1 < len(words):
        after = words[amount.end + 1].text
    before = words[amount.begin - 1].text if amount.begin else ""
    if "jw" in {word.text for word in words[max(0, amount.begin - 2) : amount.begin]}:
        return True
    if amount.currency or amount.is_scaled:
        return False
    # «03.04.1990» and «3/4» are no amounts.
    neighbours = {before, after} & {".", "/", ","}
    is_date = bool(neighbours) and _touches_number(words, amount)
    return after in _UNITS or before in _UNITS_BEFORE or is_date


def _touches_number(words: Sequence[Word], amount: Amount) -> bool:
    around = [*words[max(0, amount.begin - 2) : amount.begin], *words[amount.end : amount.end + 2]]
    marks = {word.text for word in around if word.is_mark}
    numbers = [word for word in around if word.is_number]
    return bool(numbers) and bool(marks & {"/", "."}) and all(len(one.text) <= 7 for one in numbers)


def _is_range(words: Sequence[Word], first: Amount, second: Amount) -> bool:
    gap = [word.text for word in words[first.end : second.begin]]
    if gap in (["-"], ["–"], ["—"], ["до"], [".", "."], ["…"], ["to"]):
        return True
    before = {word.text for word in words[max(0, first.begin - 3) : first.begin]}
    return gap in (["и"], ["and"]) and bool(before & {"между", "between"})


def _gap(words: Sequence[Word], begin: int, end: int) -> set[str]:
    return {word.text for word in words[begin:end]}


def _bound_of(words: Sequence[Word], amount: Amount) -> tuple[Bound, bool]:
    """Return what a number bounds, and whether a word says so."""
    after = [word.text for word in words[amount.end : amount.end + 3] if not word.is_mark]
    if after[:1] and (
        after[0] in _TURNED or (after[0] in {"и", "или", "and", "or"} and set(after[1:2]) & _TURNED)
    ):
        return "min", True
    if after[:1] and after[0] in {"и", "или", "or"} and set(after[1:2]) & _TURNED_UP:
        return "max", True
    if after[:1] and after[0] in {"максимум", "макс", "max"}:
        return "max", True
    if after[:1] == ["не"] and set(after[1:2]) & _SPEND:
        return "max", True
    if after[:1] and after[0] in {"минимум", "min"}:
        return "min", True
    before = [word.text for word in words[max(0, amount.begin - _CUE_REACH) : amount.begin]]
    for distance, text in enumerate(reversed(before)):
        if text in _CUES:
            return _turned(before, distance, _CUES[text]), True
        if text not in _FILLERS:
            break
    return "max", False


def _turned(before: Sequence[str], distance: int, bound: Bound) -> Bound:
    """Return a bound the other way round where «не» stands before it: «не дороже»."""
    place = len(before) - 1 - distance
    cue, earlier = before[place], set(before[max(0, place - 2) : place])
    if cue == "than":
        return (
            "min"
            if earlier & (_UP | {"over"}) and "not" not in earlier and "no" not in earlier
            else "max"
        )
    if not earlier & {"не", "not", "no"}:
        return "min" if cue in _TURNED else bound
    return "max" if cue in _TURNED else "min" if cue in _TURNED_UP else bound


def _is_small_budget(words: Sequence[Word], amount: Amount, bound: Bound) -> bool:
    """Whether a number under a thousand is a budget in thousands: «до 50», «бюджет 80»."""
    before = {word.text for word in words[max(0, amount.begin - _CUE_REACH) : amount.begin]}
    if before & _STRONG or before & {"тысяч", "тыс"}:
        return True
    if not amount.is_figures and amount.value < _WORDS_FROM:
        return False
    cue = words[amount.begin - 1].text if amount.begin else ""
    is_last = amount.end >= len(words) or words[amount.end].is_mark
    return (
        cue in {"до", "дороже", "больше", "около", "under", "максимум"}
        and (is_last or bound in ("max", "about"))
        and amount.value >= 3
    )


def _joined(said: Sequence[_Said], is_foreign: bool) -> Budget:
    low: int | None = None
    high: int | None = None
    for one in said:
        if one.bound == "about":
            low, high = round(one.roubles * (1 - _ABOUT)), round(one.roubles * (1 + _ABOUT))
        elif one.bound in ("min", "between"):
            low = one.roubles
        else:
            high = one.roubles
    if low is not None and high is not None and low > high:
        low, high = high, low
    return Budget(low=low, high=high, is_foreign=is_foreign)
