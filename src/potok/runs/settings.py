"""The knobs of floor 5, with the defaults that the promises are stated for."""

from dataclasses import dataclass

from potok.limits import LIVE_RUNS_MAX, RUN_ATTEMPTS_MAX

__all__ = ["RunSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """Times in seconds.

    `recover_age_max_seconds` bounds how old a crashed run's last event may be for it to go on: no
    surprise bills after a long outage.
    """

    heartbeat_seconds: float = 15.0
    disconnect_grace_seconds: float = 15.0
    recover_age_max_seconds: float = 600.0
    lease_seconds: float = 5.0
    lease_renew_seconds: float = 1.0
    live_runs_max: int = LIVE_RUNS_MAX
    attempts_max: int = RUN_ATTEMPTS_MAX
    events_kept_seconds: float = 24 * 3600.0
    records_kept_seconds: float = 30 * 24 * 3600.0
    trim_every_seconds: float = 600.0
