"""Numbers that prose may use, and a check of the numbers that it does use. Pure.

A number of a text is true if it is a fact rounded as the text rounds: «1,2 млн» stands for any
fact from 1 150 000 to 1 250 000, «12,5 %» only for percentages.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from potok_apps.jewelry.bounds import PROSE_CHARACTERS_MAX
from potok_apps.jewelry.numerals import find_amounts
from potok_apps.jewelry.words import words_of

__all__ = ["Fact", "Facts", "Unit", "numbers_outside"]

Unit = Literal["rub", "count", "percent", "ratio"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One number: percentages are 0 to 100, not shares."""

    name: str
    value: float
    unit: Unit


@dataclass(frozen=True, slots=True)
class Facts:
    """Numbers, and names that hold figures (`2026-10`, `JW-0001`)."""

    numbers: tuple[Fact, ...]
    names: frozenset[str] = frozenset()

    def __add__(self, other: "Facts") -> "Facts":
        return Facts(self.numbers + other.numbers, self.names | other.names)


_SPACES = "\u00a0\u202f "
_FIGURES = re.compile(
    rf"(?<![\w.,])(?:\d{{1,3}}(?:[{_SPACES}]\d{{3}})+(?:[.,]\d+)?|\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?"
    r"|\d+(?:[.,]\d+)?)(?!\d)"
)
_NAME = re.compile(r"(?<!\w)(?:[A-Z]{2}-\d+|\d{4}-\d{2}(?:-\d{2})?|\d{2}\.\d{2}\.\d{4})(?!\w)")
_MARKER = re.compile(r"^\s*\d{1,2}[.)](?=\s)", re.MULTILINE)
_SCALE = re.compile(
    rf"[{_SPACES}]*(тыс|тысяч\w*|млн|миллион\w*|млрд|миллиард\w*|k|thousand|m|million|bn|billion)\b",
    re.IGNORECASE,
)
_SCALES = (
    *(("тыс", 1e3), ("thousand", 1e3), ("k", 1e3)),
    *(("млрд", 1e9), ("миллиард", 1e9), ("bn", 1e9), ("billion", 1e9)),
    *(("мил", 1e6), ("млн", 1e6), ("m", 1e6)),
)
_AFTER = re.compile(rf"[.{_SPACES}]*(%|процент\w*|percent\w*|₽|руб\w*|р\.|roubles?|rubles?|rub\b)?")
_FREE_WORDS_BELOW = 11  # «два изделия» is grammar, «двадцать процентов» a claim
_TELLING = ("процент", "percent", "%", "раз", "рубл", "times")


@dataclass(frozen=True, slots=True)
class _Claim:
    text: str
    values: tuple[float, ...]
    tolerance: float
    unit: str


def numbers_outside(text: str, facts: Facts) -> list[str]:
    """Return the numbers of a text that are no facts, as they are written, in order.

    Numbers at the beginning of list items, and numbers to ten written as words, are not looked at.
    """
    known = _Known(facts.numbers)
    claims = _claims(text[:PROSE_CHARACTERS_MAX], facts)
    return [claim.text for claim in claims if not known.has(claim)]


class _Known:
    """Facts in order of size, by the units that a claim may have."""

    def __init__(self, numbers: Iterable[Fact]) -> None:
        facts = list(numbers)
        self._values = {
            "%": sorted(abs(fact.value) for fact in facts if fact.unit == "percent"),
            "₽": sorted(abs(fact.value) for fact in facts if fact.unit == "rub"),
            "": sorted(abs(fact.value) for fact in facts if fact.unit != "percent"),
        }

    def has(self, claim: _Claim) -> bool:
        """Whether a claim is some fact, rounded as the claim is."""
        values, width = self._values[claim.unit], claim.tolerance * (1 + 1e-9)
        for said in claim.values:
            place = bisect_left(values, said - width)
            if place < len(values) and values[place] <= said + width:
                return True
        return False


def _claims(text: str, facts: Facts) -> Iterator[_Claim]:
    for match in _NAME.finditer(text):
        if match[0] not in facts.names:
            yield _Claim(match[0], (), 0.0, "")
    plain = _MARKER.sub(" ", _NAME.sub(" ", text))
    for match in _FIGURES.finditer(plain):
        yield _figure_claim(plain, match)
    yield from _word_claims(plain)


def _figure_claim(text: str, match: "re.Match[str]") -> _Claim:
    scaled = _SCALE.match(text, match.end())
    scale, end = 1.0, match.end()
    if scaled is not None:
        word = scaled[1].lower()
        scale = next(by for begin, by in _SCALES if word.startswith(begin))
        end = scaled.end()
    after = _AFTER.match(text, end)
    unit = _unit(after[1] if after is not None else None)
    readings = tuple(_readings(match[0]))
    digits = min(digits for _, digits in readings)
    said = text[match.start() : end].strip() + ({"%": " %", "₽": " ₽"}.get(unit, ""))
    return _Claim(
        said, tuple(value * scale for value, _ in readings), 0.5 * 10**-digits * scale, unit
    )


def _unit(word: str | None) -> str:
    if not word:
        return ""
    return "%" if word.lower().startswith(("%", "процент", "percent")) else "₽"


def _readings(figures: str) -> Iterator[tuple[float, int]]:
    """Yield what figures may mean, with their digits after the point: `1,234` means two things."""
    plain = re.sub(rf"[{_SPACES}]", "", figures)
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", plain):
        english = plain.replace(",", "")
        yield float(english), len(english.partition(".")[2])
    if plain.count(",") + plain.count(".") <= 1:
        russian = plain.replace(",", ".")
        yield float(russian), len(russian.partition(".")[2])


def _word_claims(text: str) -> Iterator[_Claim]:
    words = words_of(text)
    for amount in find_amounts(words):
        if amount.is_figures:
            continue
        following = words[amount.end].text if amount.end < len(words) else ""
        is_telling = following.startswith(_TELLING) or amount.is_scaled or amount.currency
        if amount.value < _FREE_WORDS_BELOW and not is_telling:
            continue
        said = " ".join(word.text for word in words[amount.begin : amount.end])
        is_percent = following.startswith(("%", "процент", "percent"))
        unit = "%" if is_percent else "₽" if amount.currency else ""
        yield _Claim(said, (amount.value,), 0.5, unit)
