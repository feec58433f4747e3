"""The simplest agent: one answer of one model, or of those that stand in for it."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from potok.agents.answering import Answering, Sleep
from potok.agents.begun import Reopened
from potok.agents.contract import Turn
from potok.agents.sources import Candidate
from potok.clock import Clock, SystemClock, SystemIds
from potok.dialects.registry import DIALECTS
from potok.events.kinds import Event
from potok.models.contract import Queueing
from potok.protocol.continuation import Budget, Finish, GiveUp, How, Policy

__all__ = ["Continuing", "ModelAgent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuing:
    """What going on after a fault needs: a budget, a clock, and waits.

    `fraction` gives a random number, 0 <= x < 1, for jitter.
    """

    budget: Budget = field(default_factory=Budget)
    clock: Clock = field(default_factory=SystemClock)
    sleep: Sleep = asyncio.sleep
    fraction: Callable[[], float] = field(default_factory=lambda: SystemIds().fraction)


class ModelAgent:
    """Passes a turn to a model and its events through, and goes on elsewhere when it breaks.

    Args:
        sources: Gives the model that was asked for, found or failed, and those that stand in for
            it. Called once for each answer, since what became of a call is the answer's own.
    """

    def __init__(
        self,
        sources: Callable[[], Sequence[Candidate]],
        *,
        policy: Policy = "continue",
        continuing: Continuing | None = None,
    ) -> None:
        self._sources = sources
        self._policy: Policy = policy
        self._continuing = continuing or Continuing()

    @property
    def name(self) -> str:
        """The full name of the model that was asked for."""
        return self._sources()[0].full_name

    def check_room(self, principal: str) -> None:
        """Raise `UpstreamBusy` if a call for this principal would find no room even to wait.

        Never where another model stands in: it may have room.
        """
        first, *others = self._sources()
        if not others and isinstance(first.model, Queueing):
            first.model.check_room(principal)

    async def can_continue(self, turn: Turn) -> How | None:
        """Decide by the same rules as after an upstream's fault."""
        step = await self._answering(turn).first_step()
        if isinstance(step, GiveUp):
            return None
        # An answer that lacks only its end ends as it would have.
        return "replay" if isinstance(step, Finish) else step.how

    async def run(self, turn: Turn) -> AsyncGenerator[list[Event], None]:
        """Yield the answer's events."""
        begun = turn.request.begun
        reopened = None if begun is None else Reopened(begun, turn.said)
        async with aclosing(self._answering(turn).batches()) as batches:
            async for events in batches:
                fitted = events if reopened is None else reopened.take(events)
                if fitted:
                    yield fitted

    def _answering(self, turn: Turn) -> Answering:
        dialect = DIALECTS.get(turn.request.face)
        return Answering(
            turn,
            self._sources(),
            policy=self._policy,
            budget=self._continuing.budget,
            can_retract=dialect is not None and dialect.can_retract,
            clock=self._continuing.clock,
            sleep=self._continuing.sleep,
            fraction=self._continuing.fraction,
        )
