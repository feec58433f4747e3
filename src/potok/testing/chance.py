"""Chance from a seed: what one seed gave once it gives always, on any machine."""

from collections.abc import Sequence
from typing import TypeVar

__all__ = ["Chance"]

T = TypeVar("T")

_WORD = 1 << 64


class Chance:
    """A generator of numbers (splitmix64). `seed` is all that is needed to have them again.

    Does not imitate: numbers that nobody can guess.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._state = seed % _WORD

    def __repr__(self) -> str:
        return f"Chance({self.seed})"

    def fraction(self) -> float:
        """Return a number, 0 <= x < 1."""
        return (self._next() >> 11) / (1 << 53)

    def happens(self, rate: float) -> bool:
        """Return True in so many of all cases: 0 never, 1 always."""
        return self.fraction() < rate

    def below(self, count: int) -> int:
        """Return a whole number, 0 <= n < `count`."""
        return int(self.fraction() * count)

    def choose(self, things: Sequence[T]) -> T:
        """Return one of some things."""
        return things[self.below(len(things))]

    def fork(self, name: str) -> "Chance":
        """Return a chance of its own for a part, whatever the other parts have drawn."""
        seed = self.seed
        for byte in name.encode():
            seed = (seed * 257 + byte + 1) % _WORD
        return Chance(Chance(seed)._next())

    def _next(self) -> int:
        self._state = (self._state + 0x9E3779B97F4A7C15) % _WORD
        word = self._state
        word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) % _WORD
        word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) % _WORD
        return word ^ (word >> 31)
