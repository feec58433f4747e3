"""Joins what a model says next to a text that broke off: nothing lost, nothing said twice. Pure.

A model that is asked to go on may go on exactly, say the last words again, say the whole text
again, or begin anew in other words. What it says again is left out; all else is kept.

Guaranteed, wherever the pieces are cut:

- What is left out stands, character for character, at the end of the text. Blanks that the text
  ends with are not said twice either.
- An exact continuation is kept whole unless it begins with the text's own last words, eight
  characters or more of them, in a text that had not said them twice before.
- A continuation that repeats so much of the end, or all of the text, is joined exactly, unless
  the text repeats itself there: in "ha ha ha ha" nobody can count, so nothing is left out. A
  doubled word can be read over; a lost one cannot be guessed.
"""

from typing import Literal

from potok.limits import (
    ANCHOR_CHARACTERS_MAX,
    ANCHOR_CHARACTERS_MIN,
    OVERLAP_CHARACTERS_MIN,
    OVERLAP_WHOLE_CHARACTERS_MIN,
    OVERLAP_WINDOW_CHARACTERS,
    OVERLAP_WORD_CHARACTERS_MIN,
)

__all__ = ["Join", "Repeats", "find_anchor", "joined"]

Repeats = Literal["any", "whole"]
"""What may be said again: any part up to the end, or nothing less than the whole text."""


class Join:
    """Takes a continuation in pieces and returns what of it belongs to the text.

    Only what may still be a repetition is held back: no more than the text has characters.

    Args:
        said: The text so far.
        repeats: `any` for a model that was asked in words. `whole` for one that was given the
            text, without the blanks at its end, as the beginning of its answer: some send it back.
    """

    __slots__ = (
        "_alive",
        "_blanks",
        "_core",
        "_ends",
        "_gap",
        "_held",
        "_held_length",
        "_is_matched",
        "_lead",
        "_repeats",
        "is_settled",
    )

    def __init__(self, said: str, *, repeats: Repeats = "any") -> None:
        self._core = said.rstrip()
        # Blanks at the text's end: whoever repeats its last words brings them along, or others.
        self._gap = said[len(self._core) :]
        self._repeats = repeats
        # Blanks before the first word, and the characters from there on that are not yet given.
        self._lead = ""
        self._held: list[str] = []
        self._held_length = 0
        # Where in the text a repetition may have begun; None before the first word.
        self._alive: list[int] | None = None
        # How many characters were repeated, for each repetition that reached the text's end.
        self._ends: list[int] = []
        self._is_matched = False
        self._blanks = ""
        self.is_settled = not self._core

    def feed(self, piece: str) -> str:
        """Return the characters that are certain by now."""
        if self.is_settled:
            return piece
        if self._is_matched:
            return self._after_gap(piece)
        if self._alive is None:
            word = piece.lstrip()
            self._lead += piece[: len(piece) - len(word)]
            if not word:
                return ""
            self._alive, piece = self._starts(word), word
        self._match(piece)
        return self._decide(is_over=False)

    def finish(self) -> str:
        """Take the end of the continuation; return the characters that were held back."""
        if self.is_settled or self._is_matched:
            self.is_settled = True
            return ""
        if self._alive is None:
            # Nothing but blanks.
            self._is_matched = self._repeats == "whole"
            return self._after_gap(self._lead) if self._is_matched else self._lead
        self._alive = []
        return self._decide(is_over=True)

    def _starts(self, word: str) -> list[int]:
        core, length = self._core, len(self._core)
        first = word[0]
        starts = [0] if core.startswith(first) else []
        if self._repeats == "whole":
            return starts
        at = core.find(first, max(1, length - OVERLAP_WINDOW_CHARACTERS))
        while at >= 0:
            starts.append(at)
            at = core.find(first, at + 1)
        return starts

    def _match(self, piece: str) -> None:
        core, length, done = self._core, len(self._core), self._held_length
        alive: list[int] = []
        for start in self._alive or ():
            left = length - start - done
            if left > len(piece):
                if core.startswith(piece, start + done):
                    alive.append(start)
            elif piece.startswith(core[start + done :]):
                self._ends.append(length - start)
        self._alive = alive
        self._held.append(piece)
        self._held_length += len(piece)

    def _decide(self, *, is_over: bool) -> str:
        if self._alive:
            return ""
        ends = sorted(set(self._ends))
        if not is_over and ends and ends[-1] == self._held_length and not self._gap:
            # Whether a word was begun anew shows in the letter after it.
            return ""
        text = "".join(self._held)
        self._held.clear()
        repeated = self._repeated(ends, text)
        if repeated:
            self._is_matched = True
            return self._after_gap(text[repeated:])
        if self._repeats == "whole":
            # The model was not shown the blanks.
            self._is_matched = True
            return self._after_gap(self._lead + text)
        self.is_settled = True
        return self._lead + text

    def _repeated(self, ends: list[int], text: str) -> int:
        """Return how many characters at the beginning of `text` were said before."""
        core = self._core
        whole = len(core)
        least = self._least_whole
        counted = [
            end for end in ends if end >= (least if end == whole else OVERLAP_CHARACTERS_MIN)
        ]
        if not counted:
            counted = [end for end in ends if end != whole and self._is_word_anew(end, text)]
        if not counted or (len(counted) > 1 and whole not in counted):
            return 0
        repeated = counted[-1]
        words = text[:repeated]
        before = core[: whole - repeated].rstrip()
        is_row = _repeats_itself(words) or _repeats_itself(f"{self._lead}{words}{self._gap}")
        return 0 if is_row or before.endswith(words.rstrip()) else repeated

    @property
    def _least_whole(self) -> int:
        return OVERLAP_WHOLE_CHARACTERS_MIN if self._repeats == "any" else OVERLAP_CHARACTERS_MIN

    def _is_word_anew(self, end: int, text: str) -> bool:
        core = self._core
        return (
            end >= OVERLAP_WORD_CHARACTERS_MIN
            and not self._gap
            and not self._lead
            and core[-end:].isalpha()
            and not core[-end - 1].isalpha()
            and text[end : end + 1].isalpha()
        )

    def _after_gap(self, piece: str) -> str:
        # The text ends with blanks already: those that come now count from there.
        word = piece.lstrip()
        self._blanks += piece[: len(piece) - len(word)]
        if not self._gap:
            self.is_settled = True
            return piece
        if not word and len(self._blanks) < len(self._gap):
            return ""
        self.is_settled = bool(word) or self._blanks.startswith(self._gap)
        if self._blanks.startswith(self._gap):
            return self._blanks[len(self._gap) :] + word
        return word


def joined(said: str, continuation: str, *, repeats: Repeats = "any") -> str:
    """Return the text with its continuation, both whole."""
    join = Join(said, repeats=repeats)
    return said + join.feed(continuation) + join.finish()


def find_anchor(said: str) -> str | None:
    """Return the last words of a text, for a model to say again; None where none can be found.

    They stand nowhere else in what the model is shown, so that their repetition is no chance.
    """
    core = said.rstrip()
    window = core[-OVERLAP_WINDOW_CHARACTERS:]
    for length in range(ANCHOR_CHARACTERS_MIN, ANCHOR_CHARACTERS_MAX + 1):
        if length >= len(window):
            return None
        words = window[-length:]
        begins_word = not words[0].isspace() and window[-length - 1].isspace()
        if begins_word and window.count(words) == 1 and not _repeats_itself(words):
            return words
    return None


def _repeats_itself(words: str) -> bool:
    """Whether a shift by half the length or less changes nothing: words said twice or oftener."""
    # The longest beginning that is also an end, as Knuth, Morris and Pratt find it.
    borders = [0] * len(words)
    border = 0
    for at in range(1, len(words)):
        while border and words[at] != words[border]:
            border = borders[border - 1]
        border += words[at] == words[border]
        borders[at] = border
    return 2 * border >= len(words) > 0
