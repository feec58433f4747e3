"""Greetings, thanks, questions about the demo model: what is recognised by its words alone."""

import re
from functools import cache
from typing import Literal, get_args

from potok.models.demo.language import plain, words_of
from potok.models.demo.vocabulary import lines_of, words_in

__all__ = ["Talk", "introduced_name", "recognise", "without_greeting"]

Talk = Literal[
    "greeting",
    "how_are_you",
    "welcome",
    "goodbye",
    "apology",
    "agreed",
    "refused",
    "praise",
    "who_am_i",
    "what_i_can",
]

_IDENTITY = re.compile(
    r"\bare (?:you|u) (?:a |an |the )?(?:real |actual )?(?:chatgpt|gpt\S*|openai"
    r"|llama|gemini|qwen|ai|llm|bot|robot|human|person|language model)\b"
    r"|\bты (?:случайно |что |это )?(?:chatgpt|gpt\S*|чатгпт|гпт\S*|чат gpt|нейросеть"
    r"|ии|робот|человек|бот)\b",
)
_TALK_WORDS_MAX = 9
_OPENING_CHARACTERS_MAX = 200
_WORD = re.compile(r"\w+")

_INTRODUCTION_CHARACTERS_MAX = 2_000
_INTRODUCED = re.compile(
    r"\b(?:[Mm]y name is|[Mm]y name's|I am|I'm|I’m|[Cc]all me"
    r"|[Мм]еня зовут|[Мм]о[её] имя(?: [—–-])?|[Зз]ови(?:те)? меня|[Яя](?: [—–-])?)"
    r" (?P<name>[A-ZА-ЯЁ][\w’'-]{1,30})(?! (?:[a-zа-яё]{0,3}(?:ly|ing|ed)\b))"
)


@cache
def _talks() -> dict[str, Talk]:
    kinds: tuple[Talk, ...] = get_args(Talk)[1:]
    return {phrase: kind for kind in kinds for phrase in lines_of("small_talk", kind)}


def without_greeting(question: str) -> tuple[str, bool]:
    """Return a question without the greeting before it, and whether there was one."""
    words = list(_WORD.finditer(question[:_OPENING_CHARACTERS_MAX]))
    spoken = [plain(word[0]) for word in words]
    greetings, greeted = words_in("small_talk", "greetings"), words_in("small_talk", "greeted")
    pairs = lines_of("small_talk", "greeting pairs")
    at = 0
    while at < len(words):
        word = spoken[at]
        if " ".join(spoken[at : at + 2]) in pairs:
            at += 2
        elif word in greetings or (at and word in greeted):
            at += 1
        else:
            break
    if at == 0:
        return question, False
    return (question[words[at].start() :] if at < len(words) else ""), True


def recognise(message: str) -> Talk | None:
    """Return what kind of small talk a message is, wholly; None for everything else."""
    if len(message) > _OPENING_CHARACTERS_MAX:
        return None
    rest, greeted = without_greeting(message)
    words = words_of(rest)
    talks, softeners = _talks(), words_in("small_talk", "softeners")
    if greeted and not words:
        return "greeting"
    while words and words[0] in softeners and " ".join(words) not in talks:
        words = words[1:]
    while words and words[-1] in softeners and " ".join(words) not in talks:
        words = words[:-1]
    if not words or len(words) > _TALK_WORDS_MAX:
        return None
    spoken = " ".join(words)
    if _IDENTITY.search(spoken):
        return "who_am_i"
    return talks.get(spoken)


def introduced_name(message: str) -> str | None:
    """Return the name by which a message introduces its writer, if it does."""
    found = _INTRODUCED.search(message[:_INTRODUCTION_CHARACTERS_MAX])
    return found["name"] if found else None
