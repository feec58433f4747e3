"""Vectors of the demo model: counts of hashed three-letter pieces. Texts that share them are near.

They know no meaning: "car" and "automobile" are strangers. For search by letters they do.
"""

import math
import zlib

from potok.limits import DEMO_EMBEDDED_CHARACTERS_MAX
from potok.models.demo.language import plain

__all__ = ["embed_text"]


def embed_text(text: str, *, dimensions: int) -> tuple[float, ...]:
    """Return a vector of length 1; what is beyond the first 8,000 characters does not count."""
    words = plain(text[:DEMO_EMBEDDED_CHARACTERS_MAX]).split()
    counts = [0.0] * dimensions
    for word in words:
        padded = f" {word} "
        for at in range(len(padded) - 2):
            hashed = zlib.crc32(padded[at : at + 3].encode("utf-8", "replace"))
            # The sign lets pieces that meet in one place cancel out instead of adding up.
            counts[hashed % dimensions] += 1.0 if hashed & 0x80000000 else -1.0
    length = math.sqrt(sum(count * count for count in counts))
    if not length:
        # A text without a letter is like no other one, yet has a vector.
        return (1.0, *[0.0] * (dimensions - 1))
    return tuple(count / length for count in counts)
