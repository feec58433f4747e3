"""Time and randomness as arguments: the only module that asks the machine for either.

`SystemClock` and `SystemIds` are the real ones; `potok.testing` has fakes for both.
"""

import secrets
import time
from typing import NewType, Protocol

__all__ = ["Clock", "IdSource", "RunId", "SystemClock", "SystemIds", "WorkerId"]

RunId = NewType("RunId", str)
"""Names a run: `[A-Za-z0-9_-]{16,64}`; made here, never by clients."""

WorkerId = NewType("WorkerId", str)
"""Names one process that runs producers."""

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> float:
        """Return seconds since the Unix epoch (UTC); may jump."""
        ...

    def monotonic(self) -> float:
        """Return seconds since some fixed moment of this process; never goes back."""
        ...


class IdSource(Protocol):
    """Makes names that nobody can guess, and jitter."""

    def run_id(self) -> RunId:
        """Return a new run id; ids of one machine sort by their time of making."""
        ...

    def worker_id(self) -> WorkerId:
        """Return a new worker id."""
        ...

    def fraction(self) -> float:
        """Return a random number, 0 <= x < 1, for jitter."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


class SystemIds:
    """Ids of 26 characters: 10 of milliseconds, then 80 random bits, in Crockford's alphabet."""

    def run_id(self) -> RunId:
        return RunId(_encode(time.time_ns() // 1_000_000, 10) + _encode(secrets.randbits(80), 16))

    def worker_id(self) -> WorkerId:
        return WorkerId(self.run_id())

    def fraction(self) -> float:
        return secrets.randbits(53) / (1 << 53)


def _encode(number: int, characters: int) -> str:
    digits = []
    for _ in range(characters):
        number, digit = divmod(number, 32)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
