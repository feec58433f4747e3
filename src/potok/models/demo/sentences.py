"""Cuts prompts into sentences to quote, and tells statements from questions and requests."""

import re
from dataclasses import dataclass

from potok.limits import DEMO_PASSAGE_CHARACTERS_MAX
from potok.models.demo.language import words_of
from potok.models.demo.vocabulary import words_in

__all__ = ["Sentence", "is_question", "is_request", "is_statement", "split_sentences"]

_BOUNDARY = re.compile(r"(?<=[.!?…])[\"»”)]?\s+(?=[\"«“(—–-]?\s?[A-ZА-ЯЁ0-9])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|St|No|vs|etc|e\.g|i\.e|г|ул|д|стр|т|тыс|млн|руб|им|см|[A-ZА-ЯЁ]))\.$"
)
_LIST_MARK = re.compile(r"^\s*(?:[-*•–—>|]+\s+|\d{1,3}[.)]\s+)")
_HEADING_WORDS_MAX = 8
_TOLD_WORDS_MIN = 3
_OPENING_CHARACTERS_MAX = 40


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, or a line of a list, and the heading that it stands under."""

    text: str
    heading: str = ""


def split_sentences(text: str) -> list[Sentence]:
    """Return the sentences of a text in order, each at most a passage long, with its heading."""
    sentences: list[Sentence] = []
    heading = ""
    for line in text.split("\n"):
        # Marks are repeated in tables and quotes, so the line is trimmed from both sides.
        trimmed = _LIST_MARK.sub("", line).strip(" \t\r|")
        if not trimmed or trimmed.startswith("```"):
            continue
        if _is_heading(trimmed):
            heading = trimmed.strip("#*: ")
            continue
        for part in _split_line(trimmed):
            sentences += [Sentence(told, heading) for told in _without_request(part)]
    return sentences


def _is_heading(line: str) -> bool:
    if line.startswith("#"):
        return True
    if not line.endswith(":") or len(line) > DEMO_PASSAGE_CHARACTERS_MAX or is_request(line):
        return False
    return len(line.split()) <= _HEADING_WORDS_MAX


def _without_request(part: str) -> list[str]:
    """Part "Read this: the sky is blue" at its colon, so that what follows is a statement."""
    request, colon, told = part.partition(": ")
    if (
        not colon
        or not is_request(part)
        or is_question(part)
        or len(told.split()) < _TOLD_WORDS_MIN
    ):
        return [part]
    return [request, told]


def _split_line(line: str) -> list[str]:
    parts: list[str] = []
    begun = 0
    for boundary in _BOUNDARY.finditer(line):
        if _ABBREVIATION.search(line, max(begun, boundary.start() - 8), boundary.start()):
            continue
        parts.append(line[begun : boundary.end()].strip())
        begun = boundary.end()
    parts.append(line[begun:].strip())
    return [
        part[at : at + DEMO_PASSAGE_CHARACTERS_MAX]
        for part in parts
        for at in range(0, len(part), DEMO_PASSAGE_CHARACTERS_MAX)
    ]


def is_question(sentence: str) -> bool:
    """Tell whether a sentence asks: by its mark, or by its first word where no mark closes it."""
    trimmed = sentence.rstrip(" \"»”')")
    if trimmed.endswith("?"):
        return True
    first = _first_word(trimmed)
    return first in words_in("sentences", "question") and not trimmed.endswith((".", "!", ":"))


def is_request(sentence: str) -> bool:
    """Tell whether a sentence asks to do something."""
    return _first_word(sentence) in words_in("sentences", "request")


def is_statement(sentence: str, *, from_instructions: bool) -> bool:
    """Tell whether a sentence says something that may be quoted as a fact."""
    if is_question(sentence):
        return False
    if from_instructions:
        # What tells the model how to behave is no fact.
        return _first_word(sentence) not in words_in("sentences", "instruction")
    return not is_request(sentence)


def _first_word(sentence: str) -> str:
    openers = words_in("sentences", "openers")
    for word in words_of(sentence[:_OPENING_CHARACTERS_MAX]):
        if word not in openers:
            return word
    return ""
