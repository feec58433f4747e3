"""When a child that died is started again. Pure."""

from potok.limits import (
    GGUF_DEATHS_MAX,
    GGUF_RESPAWN_SECONDS,
    GGUF_RESPAWN_SECONDS_MAX,
    GGUF_REST_SECONDS,
)

__all__ = ["Mortality"]


class Mortality:
    """Counts the deaths of one file's children. Moments are a monotonic clock's.

    The first death costs no wait, each further one twice the last wait. After `GGUF_DEATHS_MAX` the
    file rests; then it has one more chance. A child that served well wipes the count out.
    """

    def __init__(self) -> None:
        self.deaths = 0
        self._died_at = float("-inf")

    def note_death(self, now: float) -> None:
        """A child died, or did not start."""
        self.deaths += 1
        self._died_at = now

    def note_success(self) -> None:
        """A child gave a whole answer."""
        self.deaths = 0

    def wait_seconds(self, now: float) -> float:
        """Return the wait before the next start, 0 for none."""
        if self.deaths < 2 or self.rest_seconds(now) > 0:
            return 0.0
        wait = GGUF_RESPAWN_SECONDS * 2.0 ** min(self.deaths - 2, 30)
        return max(0.0, self._died_at + min(wait, GGUF_RESPAWN_SECONDS_MAX) - now)

    def rest_seconds(self, now: float) -> float:
        """Return for how long nothing is started at all, 0 if something may be."""
        if self.deaths < GGUF_DEATHS_MAX:
            return 0.0
        return max(0.0, self._died_at + GGUF_REST_SECONDS - now)
