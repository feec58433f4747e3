"""What the upstream says: a pure function of the prompt, so that everybody knows the whole answer.

The texts have several alphabets, letters of several code points, tabs and line breaks of every
kind, and are dealt out in pieces that end anywhere. Words stand in random order, so that a text's
last words are found again only where they stand.
"""

import random
import re
from dataclasses import dataclass

__all__ = ["Story"]

_PROMPT = re.compile(r"story (\d+), (\d+) words, (\d+) pieces a second, begun after (\d+) ms")
_LATIN = "stream event offset reader writer epoch lease river bridge lantern meadow harbour copper"
_CYRILLIC = "поток событие место читатель писатель эпоха берег мост фонарь луг гавань ёлка съезд"
_OTHER = "naïve Straße 東京 日本語 한국어 नमस्ते 🙂 \U0001f469\u200d\U0001f467 🇺🇳 e\u0301tude"
_WORDS = (*_LATIN.split(), *_CYRILLIC.split(), *_OTHER.split())
_GAPS = (
    (" ",) * 30 + (", ",) * 6 + (". ",) * 4 + ("\n", "\n\n", "\r\n", "\t", "  ", "\u2028", " — ")
)
_PIECE_CHARACTERS_MAX = 9
# Between equal words: in a row of them nobody can tell what goes on from what is said again.
_APART = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One answer: how long it is, how fast and how late it comes.

    `first_piece_ms` is the wait before an answer's first piece, in every call for it.
    """

    number: int
    words: int
    pieces_per_second: int
    first_piece_ms: int = 0

    @property
    def prompt(self) -> str:
        """The words that ask for it."""
        return (
            f"Tell story {self.number}, {self.words} words, {self.pieces_per_second} pieces a"
            f" second, begun after {self.first_piece_ms} ms"
        )

    @property
    def text(self) -> str:
        """The whole answer; ends with a word."""
        dice = random.Random(self.prompt)
        said = [f"Story {self.number}:"]
        newest: list[str] = []
        for _ in range(self.words):
            newest.append(dice.choice([word for word in _WORDS if word not in newest]))
            del newest[:-_APART]
            said += [dice.choice(_GAPS), newest[-1]]
        return "".join(said)

    @classmethod
    def asked_in(cls, prompt: str) -> "Story | None":
        """Return the story that a prompt asks for."""
        found = _PROMPT.search(prompt)
        if found is None:
            return None
        number, words, pace, wait = (int(figure) for figure in found.groups())
        return cls(number=number, words=words, pieces_per_second=pace, first_piece_ms=wait)


def pieces_of(text: str, *, seed: str) -> list[str]:
    """Cut a text into pieces of one to a few characters, wherever that falls."""
    dice = random.Random(seed)
    pieces, at = [], 0
    while at < len(text):
        size = dice.randint(1, _PIECE_CHARACTERS_MAX)
        pieces.append(text[at : at + size])
        at += size
    return pieces
