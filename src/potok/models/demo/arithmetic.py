"""Calculates: reads an expression in figures or words, in Russian or English, and evaluates it.

Anything that is not wholly an expression is left alone, so that dates and prose stay what they are.
"""

import re
from fractions import Fraction
from functools import cache

from potok.limits import DEMO_DIGITS_MAX
from potok.models.demo.language import Language, plain
from potok.models.demo.vocabulary import lines_of, words_in

__all__ = ["calculate", "number_words"]

# «дважды два», «семью восемь»: the number's form says that it multiplies.
_MULTIPLYING = ("дважды", "трижды", "пятью", "шестью", "семью", "восемью", "девятью")
_PHRASES = (
    (re.compile(r"to the power of|в степени"), "^"),
    (re.compile(r"в квадрате"), "²"),
    (re.compile(r"в кубе"), "³"),
)
_TOKEN = re.compile(
    r"(?P<number>\d{1,3}(?:[ \u00a0]\d{3})+(?![\d])(?:[.,]\d+)?|\d+(?:[.,]\d+)*)"
    r"|(?P<word>[^\W\d_]+)|(?P<sign>\*\*|[-+*/^%()×·⋅÷:−–²³])|(?P<end>[=?!.,\s'’]+)|(?P<other>.)",
    re.DOTALL,
)
_DATE = re.compile(r"\s*(?:\d{1,4}([-/.])\d{1,2}\1\d{1,4}|\d{1,2}:\d\d(?::\d\d)?)\s*[?.!]?\s*")
_PLAIN_SIGNS = frozenset("+-*/^%()")
_TOKENS_MAX = 200
_DEPTH_MAX = 50
_DECIMALS = 10


@cache
def number_words() -> dict[str, int]:
    """Return the numbers that have a word of their own, by their words in both languages."""
    table = (line.split() for line in lines_of("arithmetic", "numbers"))
    return {word: int(number) for number, *words in table for word in words}


@cache
def _signs() -> dict[str, str]:
    table = (line.split() for line in lines_of("arithmetic", "signs"))
    return {word: sign for sign, *words in table for word in words}


def calculate(question: str, language: Language) -> str | None:
    """Return the sum with its result as a sentence, or None if the question is no expression."""
    if _DATE.fullmatch(question):
        return None
    tokens = _tokens(question, language)
    if tokens is None:
        return None
    try:
        value = _Parser(tokens).whole()
    except ZeroDivisionError:
        return (
            "На ноль делить нельзя." if language == "ru" else "A number cannot be divided by zero."
        )
    except _NotAnExpression:
        return None
    figures, is_exact = _figures(value, language)
    if figures is None:
        return None
    return f"{_written(tokens, language)} {'=' if is_exact else '≈'} {figures}"


class _NotAnExpression(Exception):
    """The tokens do not make an expression within bounds."""


_Token = Fraction | str


def _tokens(question: str, language: Language) -> list[_Token] | None:
    text = plain(question)
    for phrase, sign in _PHRASES:
        text = phrase.sub(f" {sign} ", text)
    tokens: list[_Token] = []
    operators = 0
    for found in _TOKEN.finditer(text):
        if len(tokens) > _TOKENS_MAX or found["other"]:
            return None
        if found["number"]:
            number = _number(found["number"], language)
            if number is None:
                return None
            tokens.append(number)
        elif found["end"] is None:
            named = found["word"] or found["sign"]
            taken = _take_word(named, tokens)
            if taken is None:
                return None
            operators += taken
    return tokens if operators else None


def _take_word(named: str, tokens: list[_Token]) -> int | None:
    """Add a word or sign to the tokens; return how many operators it was, None if it is neither."""
    number = number_words().get(named)
    if number is not None:
        before = tokens[-1] if tokens else ""
        if named in _MULTIPLYING:
            tokens += [Fraction(number), "*"]
            return 1
        if isinstance(before, Fraction):
            # "twenty five", "two hundred"
            tokens[-1] = before * number if number in (100, 1000) else before + number
        else:
            tokens.append(Fraction(number))
        return 0
    # "15% of 240": a share is taken by multiplying.
    if named in ("of", "от") and tokens and tokens[-1] == "%":
        tokens.append("*")
        return 1
    signs = _signs().get(named) or (named if named in _PLAIN_SIGNS else "")
    if signs:
        tokens.append(signs[0])
        if len(signs) > 1:
            tokens.append(Fraction(int(signs[1:])))
        return 0 if signs in "()" else 1
    return 0 if named in words_in("arithmetic", "fillers") else None


def _number(figures: str, language: Language) -> Fraction | None:
    """Read figures as people group them; None for versions and dates, which are no numbers."""
    plain = "".join(figures.split())
    if language == "en" and re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", plain):
        plain = plain.replace(",", "")
    plain = plain.replace(",", ".")
    if plain.count(".") > 1 or len(plain) > DEMO_DIGITS_MAX:
        return None
    return Fraction(plain)


class _Parser:
    """Walks the tokens once: sums of products of signed powers, with brackets."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Fraction:
        value = self._sum()
        if self._at != len(self._tokens):
            raise _NotAnExpression
        return value

    def _next(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _taken(self, *signs: str) -> str | None:
        following = self._next()
        if isinstance(following, str) and following in signs:
            self._at += 1
            return following
        return None

    def _sum(self) -> Fraction:
        value = self._product()
        while sign := self._taken("+", "-"):
            other = self._product()
            value = _bounded(value + other if sign == "+" else value - other)
        return value

    def _product(self) -> Fraction:
        value = self._power()
        while sign := self._taken("*", "/"):
            other = self._power()
            value = _bounded(value * other if sign == "*" else value / other)
        return value

    def _power(self) -> Fraction:
        self._depth += 1
        if self._depth > _DEPTH_MAX:
            raise _NotAnExpression
        if self._taken("-"):
            value = -self._power()
        else:
            value = self._value()
            if self._taken("^"):
                value = _raised(value, self._power())
        self._depth -= 1
        return value

    def _value(self) -> Fraction:
        following = self._next()
        if following == "(":
            self._at += 1
            value = self._sum()
            if not self._taken(")"):
                raise _NotAnExpression
        elif isinstance(following, Fraction):
            self._at += 1
            value = following
        else:
            raise _NotAnExpression
        while self._taken("%"):
            value /= 100
        return value


def _raised(value: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1:
        raise _NotAnExpression
    bits = max(value.numerator.bit_length(), value.denominator.bit_length())
    if bits * abs(int(exponent)) > 4 * DEMO_DIGITS_MAX:
        raise _NotAnExpression
    return _bounded(value ** int(exponent))


def _bounded(value: Fraction) -> Fraction:
    if max(abs(value.numerator), value.denominator) >= 10 ** (4 * DEMO_DIGITS_MAX):
        raise _NotAnExpression
    return value


def _figures(value: Fraction, language: Language) -> tuple[str | None, bool]:
    """Return a value in figures and whether they are exact; None if it has too many digits."""
    scaled = value * 10**_DECIMALS
    rounded = round(scaled)
    whole, part = divmod(abs(rounded), 10**_DECIMALS)
    if len(str(whole)) > DEMO_DIGITS_MAX:
        return None, False
    figures = f"{'−' if rounded < 0 else ''}{whole}"
    decimals = f"{part:0{_DECIMALS}d}".rstrip("0")
    if decimals:
        figures += ("," if language == "ru" else ".") + decimals
    return figures, scaled.denominator == 1


def _written(tokens: list[_Token], language: Language) -> str:
    """Return the expression as it was understood, in usual signs and spaces."""
    signs = {"*": " × ", "/": " ÷ ", "+": " + ", "-": " − ", "^": "^", "%": "%"}
    parts: list[str] = []
    for at, token in enumerate(tokens):
        before = tokens[at - 1] if at else "("
        if isinstance(token, Fraction):
            parts.append((_figures(token, language)[0] or "").replace("−", "-"))
        elif token == "-" and isinstance(before, str) and before not in ")%":
            parts.append("−")
        else:
            parts.append(signs.get(token, token))
    return "".join(parts)
