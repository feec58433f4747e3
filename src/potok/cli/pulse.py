"""Finds out whether a stream arrives as it is written, or in one lump behind a buffer."""

from dataclasses import dataclass

from potok import limits
from potok.cli.client import Server
from potok.clock import Clock, IdSource

__all__ = ["Pulse", "measure_pulse"]

# Answers for some tenths of a second on every server, costs nothing and calls nobody.
_MODEL = "demo/demo"
_QUESTION = "Count to 10"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """How the events of one answer came."""

    events: int
    moments: int
    """Moments at which events came, each apart from the one before it."""
    first_seconds: float

    @property
    def is_smooth(self) -> bool:
        """Whether they came over time."""
        return self.moments > limits.PULSE_MOMENTS_MIN


def measure_pulse(server: Server, *, clock: Clock, ids: IdSource) -> Pulse:
    """Have the demo model count, and watch when its events arrive.

    Raises:
        PotokError: the server gives no such stream.
    """
    began_at = clock.monotonic()
    body = {"model": _MODEL, "messages": [{"role": "user", "content": _QUESTION}]}
    run = server.start(body, idempotency_key=ids.run_id())
    events = moments = 0
    first_at = last_at = None
    for _ in server.read_events(run, after="0"):
        now = clock.monotonic()
        events += 1
        first_at = now if first_at is None else first_at
        if last_at is None or now - last_at > limits.PULSE_GAP_SECONDS:
            moments += 1
        last_at = now
    return Pulse(
        events=events,
        moments=moments,
        first_seconds=(began_at if first_at is None else first_at) - began_at,
    )
