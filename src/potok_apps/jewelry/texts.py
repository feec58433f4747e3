"""What people read, in both languages, and how numbers are written in each."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

__all__ = [
    "Language",
    "Text",
    "joined",
    "language_of",
    "listed",
    "money",
    "month_name",
    "number",
    "percent",
]

Language = Literal["ru", "en"]

_NO_BREAK = "\u00a0"


class Text(NamedTuple):
    """One thing said in Russian and in English."""

    ru: str
    en: str

    def within(self, language: Language) -> str:
        """Return it in one language."""
        return self.ru if language == "ru" else self.en


def language_of(message: str) -> Language:
    """Return the language to answer in: English only where a text has Latin letters alone."""
    letters = [letter for letter in message.lower() if letter.isalpha()]
    is_latin = any("a" <= letter <= "z" for letter in letters)
    return "en" if is_latin and not any("а" <= letter <= "ё" for letter in letters) else "ru"


def listed(words: str) -> tuple[str, ...]:
    """Return the words of a list that is written as one text."""
    return tuple(words.split())


def joined(texts: Iterable[Text], between: str = ", ") -> Text:
    """Return several texts as one."""
    kept = list(texts)
    return Text(between.join(text.ru for text in kept), between.join(text.en for text in kept))


def number(value: float, digits: int = 0) -> Text:
    """Return a number as both languages write it: `12 345,6` and `12,345.6`."""
    english = f"{value:,.{digits}f}"
    russian = english.replace(",", _NO_BREAK).replace(".", ",")
    return Text(russian, english)


def money(roubles: int) -> Text:
    """Return an amount of roubles."""
    amount = number(roubles)
    return Text(f"{amount.ru}{_NO_BREAK}₽", f"{amount.en}{_NO_BREAK}₽")


def percent(share: float, digits: int = 1) -> Text:
    """Return a share of 0 to 1 as a percentage."""
    amount = number(share * 100, digits)
    return Text(f"{amount.ru}{_NO_BREAK}%", f"{amount.en}%")


_MONTHS = (
    *(Text("январь", "January"), Text("февраль", "February"), Text("март", "March")),
    *(Text("апрель", "April"), Text("май", "May"), Text("июнь", "June")),
    *(Text("июль", "July"), Text("август", "August"), Text("сентябрь", "September")),
    *(Text("октябрь", "October"), Text("ноябрь", "November"), Text("декабрь", "December")),
)


def month_name(month: str) -> Text:
    """Return a month such as `2026-10` in words, with its year."""
    year, name = month[:4], _MONTHS[int(month[5:7]) - 1]
    return Text(f"{name.ru} {year}", f"{name.en} {year}")
