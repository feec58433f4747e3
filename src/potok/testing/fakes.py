"""Fakes of what Potok takes as arguments: time, chance and the observer. Nothing here waits."""

from collections import Counter

from potok.clock import RunId, WorkerId

__all__ = ["CountingIds", "FakeClock", "RecordingObserver"]


class FakeClock:
    """A clock that stands still until `advance` moves it.

    Does not imitate: jumps of the wall clock (both clocks move together), and the event loop's
    own time: timers of asyncio run on the real one.
    """

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._monotonic = 1_000.0

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Move both clocks forward."""
        if seconds < 0:
            raise ValueError("a fake clock does not go back")
        self._now += seconds
        self._monotonic += seconds


class CountingIds:
    """Ids that count: `run-00000000000000000001`, then `...02`; they sort by their making.

    Does not imitate: ids that nobody can guess, and jitter: `fraction` is the same each time.
    """

    def __init__(self, *, fraction: float = 0.5) -> None:
        self._runs = 0
        self._workers = 0
        self._fraction = fraction

    def run_id(self) -> RunId:
        self._runs += 1
        return RunId(f"run-{self._runs:020}")

    def worker_id(self) -> WorkerId:
        self._workers += 1
        return WorkerId(f"worker-{self._workers}")

    def fraction(self) -> float:
        return self._fraction


class RecordingObserver:
    """Keeps what it hears: sums under `counts`, each time under `times`.

    Does not imitate: labels, buckets, or anything that a metrics library does with the figures.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.times: dict[str, list[float]] = {}

    def counted(self, name: str, amount: int = 1) -> None:
        self.counts[name] += amount

    def timed(self, name: str, seconds: float) -> None:
        self.times.setdefault(name, []).append(seconds)
