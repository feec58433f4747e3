"""An agent that is made of code: runs it in a task of its own and gives what it says."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable

from potok.agents.contract import Turn
from potok.agents.node import Node
from potok.agents.session import AgentFinder, Session, SessionVar
from potok.errors import AgentFailed, PotokError
from potok.events.coalesce import coalesce
from potok.events.kinds import Event
from potok.protocol.continuation import How

__all__ = ["CodedAgent", "FunctionAgent"]

_logger = logging.getLogger("potok.agents")


class CodedAgent:
    """Base of agents that are code; a subclass says how a run of it is driven.

    The code runs in one task, whose cancelling ends every model's call under it.

    Args:
        events_per_second_max: Tokens that come faster are joined, for readers that draw each event.
    """

    def __init__(
        self, name: str, *, models: AgentFinder, events_per_second_max: float | None = None
    ) -> None:
        self._name = name
        self._models = models
        self._gap_seconds = 1 / events_per_second_max if events_per_second_max else 0.0

    @property
    def name(self) -> str:
        """The agent's name."""
        return self._name

    async def can_continue(self, turn: Turn) -> How | None:
        """Go on after any crash: what was finished is not done again, see `potok.agents.node`."""
        return "prompt"

    async def run(self, turn: Turn) -> AsyncGenerator[list[Event], None]:
        """Yield what the code says."""
        session = Session(turn, agent=self._name, models=self._models, locate=self._locate)
        driving = asyncio.create_task(self._drive_to_end(session), name=f"agent-{turn.run}")
        try:
            async for batch in session.outbox.batches():
                if self._gap_seconds:
                    yield coalesce(batch)
                    # What comes meanwhile is the next batch.
                    await asyncio.sleep(self._gap_seconds)
                else:
                    yield batch
            await driving
        finally:
            if not driving.done():
                session.abandon()
                driving.cancel()
                await asyncio.wait([driving])

    async def _drive_to_end(self, session: Session) -> None:
        SessionVar.set(session)
        try:
            await self._drive(session)
        except PotokError:
            raise
        except Exception as error:
            run = session.turn.run
            _logger.error("run %s: agent %s failed: %s", run, self._name, _place_of(error))
            _logger.debug("run %s", run, exc_info=error)
            raise AgentFailed(self._name) from error
        finally:
            session.outbox.close()

    async def _drive(self, session: Session) -> None:
        raise NotImplementedError

    def _locate(self) -> str:
        raise NotImplementedError


class FunctionAgent(CodedAgent):
    """One function that says all.

    Args:
        function: Gets the run's voice; what it asks and says a second time after a crash is taken
            from the log.
    """

    def __init__(
        self,
        name: str,
        function: Callable[[Node], Awaitable[None]],
        *,
        models: AgentFinder,
        events_per_second_max: float | None = None,
    ) -> None:
        super().__init__(name, models=models, events_per_second_max=events_per_second_max)
        self._function = function

    async def _drive(self, session: Session) -> None:
        await self._function(Node(session))

    def _locate(self) -> str:
        return "f"


def _place_of(error: Exception) -> str:
    # An exception's words often quote what a person wrote.
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    kind = type(error).__name__
    if trace is None:
        return kind
    code = trace.tb_frame.f_code
    return f"{kind} at {code.co_filename}:{trace.tb_lineno} {code.co_name}"
