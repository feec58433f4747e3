"""What a process remembers of live runs, to notice that the store lost some of it."""

from collections import OrderedDict

from potok.limits import REDIS_KNOWN_RUNS_MAX

__all__ = ["KnownTails"]


class KnownTails:
    """How far live runs were when this process saw them last; the oldest are forgotten."""

    def __init__(self) -> None:
        self._tails: OrderedDict[str, int] = OrderedDict()

    def get(self, run: str) -> int | None:
        """Return the offset; None if nothing is known of the run."""
        return self._tails.get(run)

    def saw(self, run: str, tail: int, *, is_live: bool) -> None:
        """Note a run's tail; one that has ended is the store's business alone."""
        if not is_live:
            self._tails.pop(run, None)
            return
        self._tails[run] = max(tail, self._tails.get(run, 0))
        self._tails.move_to_end(run)
        if len(self._tails) > REDIS_KNOWN_RUNS_MAX:
            self._tails.popitem(last=False)
