"""What is to be done with a run whose writer is gone. Pure."""

from typing import Literal, NamedTuple

__all__ = ["Continue", "End", "decide_recovery"]


class Continue(NamedTuple):
    """Another attempt goes on after what the log holds."""


class End(NamedTuple):
    """The run ends here, its text kept."""

    outcome: Literal["cancelled", "failed"]
    code: str
    message: str


def decide_recovery(
    *,
    cancel_requested: bool,
    silent_seconds: float,
    silent_seconds_max: float,
    attempts: int,
    attempts_max: int,
    can_continue: bool,
) -> Continue | End:
    """Decide what becomes of a run that lost its writer.

    Args:
        silent_seconds: Age of the run's last event.
        attempts: Attempts that lost their worker, the last one included.
        can_continue: Whether its source would go on exactly after the stored text.
    """
    if cancel_requested:
        return End("cancelled", "cancelled", "The run was cancelled.")
    if not can_continue:
        return End(
            "failed",
            "worker_lost",
            "The server stopped while this answer was made; what came before is kept."
            " Ask again for a whole answer.",
        )
    if silent_seconds > silent_seconds_max:
        return End(
            "failed",
            "worker_lost",
            "The server was down for too long to go on with this answer; what came before is"
            " kept. Ask again for a whole answer.",
        )
    if attempts >= attempts_max:
        return End(
            "failed",
            "worker_lost",
            f"The server stopped {attempts} times while this answer was made; what came before"
            " is kept. Ask again for a whole answer.",
        )
    return Continue()
