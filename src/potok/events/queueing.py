"""What readers are told while a call waits for its place at a provider."""

from potok.events.fold import Message
from potok.events.kinds import Status

__all__ = ["QUEUED", "QUEUE_LEFT", "queue_left", "queue_position", "queued"]

QUEUED = "queued"
"""Code of a status whose `extra.position` says how many are served up to this call, from 1."""
QUEUE_LEFT = "queue_left"
"""Code of the status that follows: the call has its place."""


def queued(position: int, *, language: str) -> Status:
    """Return the status of a call that waits."""
    if _is_russian(language):
        text = f"В очереди к модели, место {position}..."
    else:
        text = f"Waiting in line for the model, place {position}..."
    return Status(text=text, code=QUEUED, extra={"position": position})


def queue_left(*, language: str) -> Status:
    """Return the status of a call that has waited and is made now."""
    is_russian = _is_russian(language)
    text = "Очередь подошла, модель отвечает..." if is_russian else "The model is answering..."
    return Status(text=text, code=QUEUE_LEFT)


def queue_position(message: Message) -> int | None:
    """Return the place of a run that waits to begin; None if it has begun or waits for nothing.

    A run whose later call waits has begun: its parts or stages are there.
    """
    status = message.status
    if status is None or status.code != QUEUED or message.parts or message.stages:
        return None
    position = (status.extra or {}).get("position")
    return position if isinstance(position, int) else None


def _is_russian(language: str) -> bool:
    return language.partition("-")[0] == "ru"
