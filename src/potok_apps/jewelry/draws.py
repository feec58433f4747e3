"""A small seeded generator (SplitMix64): the same draws on every machine and Python, for ever."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import TypeVar

__all__ = ["Draws", "Weighted"]

_Item = TypeVar("_Item")
_WORD = (1 << 64) - 1


class Draws:
    """Numbers that look random and follow from the seed."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _WORD

    def fraction(self) -> float:
        """Return the next number, 0 <= x < 1."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _WORD
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _WORD
        return ((mixed ^ (mixed >> 31)) >> 11) / (1 << 53)

    def below(self, count: int) -> int:
        """Return a whole number, 0 <= n < count."""
        return int(self.fraction() * count)

    def one_of(self, items: Sequence[_Item]) -> _Item:
        """Return one of some items."""
        return items[self.below(len(items))]

    def lognormal(self, spread: float) -> float:
        """Return a positive number around 1; `spread` is the deviation of its logarithm."""
        radius = math.sqrt(-2 * math.log(1 - self.fraction()))
        return math.exp(spread * radius * math.cos(2 * math.pi * self.fraction()))


class Weighted:
    """Draws indexes in proportion to their weights."""

    def __init__(self, weights: Sequence[float]) -> None:
        self._sums = list(accumulate(weights))

    def draw(self, draws: Draws) -> int:
        """Return an index."""
        place = bisect_right(self._sums, draws.fraction() * self._sums[-1])
        return min(place, len(self._sums) - 1)
