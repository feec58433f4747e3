"""When a call is made again: which faults are worth it, and how long to wait. Pure."""

from dataclasses import dataclass

from potok.errors import PeerError, UpstreamLost, UpstreamRefused, UpstreamUnreachable
from potok.limits import (
    UPSTREAM_BACKOFF_SECONDS,
    UPSTREAM_BACKOFF_SECONDS_MAX,
    UPSTREAM_RETRY_AFTER_SECONDS_MAX,
    UPSTREAM_TRIES_MAX,
)

__all__ = ["RetryRules"]

_STATUSES = frozenset({408, 409, 429})
# Callers who were told the same second must not all come back in it.
_SPREAD = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRules:
    """Rules for the tries of one call, before its first token."""

    tries_max: int = UPSTREAM_TRIES_MAX
    backoff_seconds: float = UPSTREAM_BACKOFF_SECONDS
    backoff_seconds_max: float = UPSTREAM_BACKOFF_SECONDS_MAX
    retry_after_seconds_max: float = UPSTREAM_RETRY_AFTER_SECONDS_MAX

    def wait_seconds(self, *, fault: PeerError, tries: int, fraction: float) -> float | None:
        """Return the wait before the next try, or None if there is none.

        Broken and refused connections, 408, 409, 429 and 5xx are tried again; a provider that was
        silent for the whole first-token time is not. The wait doubles, half of it is jitter. A
        `Retry-After` is waited for, never less; one beyond the limit ends the tries.

        Args:
            tries: How many were made, from 1.
            fraction: A random number, 0 <= x < 1.
        """
        if tries >= self.tries_max or not _is_passing(fault):
            return None
        asked = fault.retry_after_seconds if isinstance(fault, UpstreamRefused) else None
        if asked is not None:
            if asked > self.retry_after_seconds_max:
                return None
            return asked * (1 + _SPREAD * fraction)
        # Doubling in floats has no end to run into, however many tries are allowed.
        wait = min(self.backoff_seconds * 2.0 ** min(tries - 1, 60), self.backoff_seconds_max)
        return wait * (0.5 + 0.5 * fraction)


def _is_passing(fault: PeerError) -> bool:
    if isinstance(fault, UpstreamRefused):
        return fault.status >= 500 or fault.status in _STATUSES
    return isinstance(fault, UpstreamUnreachable | UpstreamLost)
