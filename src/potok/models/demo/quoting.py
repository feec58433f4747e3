"""Quotes sentences; turns "my name is Anna" into "your name is Anna" where that is safe."""

import re

from potok.models.demo.language import Language
from potok.models.demo.phrases import PHRASES

__all__ = ["capitalised", "quoted", "second_person", "shortened"]

_OPENERS = re.compile(
    r"^(?:(?:hello|hi|hey|well|actually|by the way|note|remember|fact|also|and|so|please remember"
    r"|привет|здравствуйте|добрый день|кстати|запомни(?:те)?|учти(?:те)?|факт|а|и|ещё|еще|вообще)"
    r"(?: that| there)?[,:!.]?\s+(?:что\s+)?)+",
    re.IGNORECASE,
)
_ENGLISH = {
    "i am": "you are",
    "i'm": "you are",
    "i’m": "you are",
    "i was": "you were",
    "i've": "you have",
    "i’ve": "you have",
    "i'll": "you will",
    "i’ll": "you will",
    "i'd": "you would",
    "i’d": "you would",
    "i": "you",
    "my": "your",
    "mine": "yours",
    "myself": "yourself",
    "me": "you",
}
_ENGLISH_WORDS = re.compile(
    r"\b(?:" + "|".join(sorted(_ENGLISH, key=len, reverse=True)) + r")\b", re.IGNORECASE
)
_ENGLISH_UNSAFE = re.compile(r"\b(?:you|your|yours|we|us|our|ours|am|was)\b", re.IGNORECASE)
_RUSSIAN = {
    "ко мне": "к вам",
    "обо мне": "о вас",
    "со мной": "с вами",
    "меня": "вас",
    "мне": "вам",
    "мной": "вами",
    "мой": "ваш",
    "моя": "ваша",
    "мое": "ваше",
    "моё": "ваше",
    "мои": "ваши",
    "моего": "вашего",
    "моей": "вашей",
    "моему": "вашему",
    "моём": "вашем",
    "моим": "вашим",
    "моих": "ваших",
    "моими": "вашими",
    "мою": "вашу",
    "я живу": "вы живёте",
    "я работаю": "вы работаете",
    "я учусь": "вы учитесь",
    "я люблю": "вы любите",
    "я предпочитаю": "вы предпочитаете",
    "я хочу": "вы хотите",
    "я говорю": "вы говорите",
    "я изучаю": "вы изучаете",
}
_RUSSIAN_WORDS = re.compile(
    r"\b(?:" + "|".join(sorted(_RUSSIAN, key=len, reverse=True)) + r")\b", re.IGNORECASE
)
# A verb after «я» would have to change its ending, and «ты» may be anybody.
_RUSSIAN_UNSAFE = re.compile(
    r"\b(?:я|мы|нас|нам|наш\w*|ты|тебя|тебе|тво\w+|вы|вас|вам|ваш\w*|свой|сво\w+|мной|моём)\b",
    re.IGNORECASE,
)
_CLOSING_MARKS = ".!?…"


def quoted(text: str, language: Language) -> str:
    """Return a sentence in the quotation marks of the language, with its end mark in its place."""
    phrases = PHRASES[language]
    opening, closing = phrases.quotes
    if opening in text or closing in text or '"' in text:
        opening, closing = phrases.inner_quotes
    trimmed = text.strip()
    if language == "ru":
        # A full stop stands after the closing mark, other end marks before it.
        bare = trimmed.rstrip(".") if not trimmed.endswith("..") else trimmed
        return f"{opening}{bare}{closing}" + ("" if bare.endswith(("!", "?", "…")) else ".")
    ending = "" if trimmed.endswith(tuple(_CLOSING_MARKS)) else "."
    return f"{opening}{trimmed}{ending}{closing}"


def second_person(sentence: str, language: Language) -> str | None:
    """Return what a sentence says about its writer, said to the writer, without its end mark.

    None where the words cannot simply be exchanged; then it has to be quoted.
    """
    plain = _OPENERS.sub("", sentence).strip().rstrip(_CLOSING_MARKS + " ")
    if not plain or any(mark in plain for mark in '.!?…:"“«'):
        return None
    if language == "ru":
        table, words, unsafe = _RUSSIAN, _RUSSIAN_WORDS, _RUSSIAN_UNSAFE
    else:
        table, words, unsafe = _ENGLISH, _ENGLISH_WORDS, _ENGLISH_UNSAFE
    if not words.search(plain) or unsafe.search(words.sub("", plain)):
        return None
    turned = words.sub(lambda found: table.get(found[0].lower(), found[0]), plain)
    # A pronoun gives up the capital letter of its place; a name keeps its own.
    return turned[:1].lower() + turned[1:] if words.match(plain) else turned


def capitalised(sentence: str) -> str:
    """Return a sentence with a capital first letter."""
    return sentence[:1].upper() + sentence[1:]


def shortened(text: str, characters_max: int) -> str:
    """Return a text on one line, cut between words if it is longer than asked."""
    line = " ".join(text.split())
    if len(line) <= characters_max:
        return line
    return line[:characters_max].rsplit(" ", 1)[0].rstrip(" ,;:") + " …"
