"""The contract of agents: a conversation in, batches of events out."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Protocol

import msgspec

from potok.clock import RunId
from potok.events.fold import Message
from potok.events.kinds import Event
from potok.events.run_request import RunRequest
from potok.protocol.continuation import How

__all__ = ["Agent", "Turn", "at_once"]


async def at_once() -> None:
    """Wait for nothing: where no log is kept."""


class Turn(msgspec.Struct, frozen=True):
    """One call of an agent. `said` is what the log already holds, None at first.

    `principal` is whom the run is for; an agent hands it to every model that it calls.
    """

    run: RunId
    request: RunRequest
    attempt: int = 1
    said: Message | None = None
    stored: Callable[[], Awaitable[None]] = at_once
    """Waits until the log holds every event that the agent has given so far."""
    principal: str = ""


class Agent(Protocol):
    """Decides what to say next. A plain model call is the simplest agent."""

    @property
    def name(self) -> str:
        """The agent's name in requests and events."""
        ...

    async def can_continue(self, turn: Turn) -> How | None:
        """Return how `run` would go on after what `turn.said` holds; None if it would not.

        Asks no model for an answer.
        """
        ...

    def run(self, turn: Turn) -> AsyncGenerator[list[Event], None]:
        """Answer a turn: any events of the grammar but `run-start`, batches never empty.

        May end with a `run-end` that gives the finish reason; without one the run is `finished`
        with reason `stop`. With `turn.said`, only what follows it comes.

        Raises:
            PotokError: the run fails with its code and message; what was yielded stays.
        Cancelling, or closing the iterator, closes every upstream call before it returns.
        """
        ...
