"""One run of an agent that is made of code: its calls of models, their names, what was used.

Code finds the session of the run that it works for by `current_session`, in any task that the
run began.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

import msgspec

from potok.agents.contract import Agent, Turn
from potok.agents.journal import Journal
from potok.agents.naming import Naming
from potok.agents.outbox import Outbox
from potok.errors import RequestInvalid
from potok.events.kinds import Event, Usage
from potok.events.run_request import RunRequest

__all__ = ["AgentFinder", "Place", "Session", "SessionVar", "current_session"]


class AgentFinder(Protocol):
    """Whatever finds who answers a request; a registry of models alone is one."""

    async def resolve(self, request: RunRequest) -> Agent:
        """Return the agent; raises `ModelUnknown`, `RequestInvalid` or a `PeerError`."""
        ...


class Place:
    """A piece of work of one agent: its calls by number, and what it is in the middle of."""

    __slots__ = ("name", "number", "open", "timeouts")

    def __init__(self, name: str) -> None:
        self.name = name
        self.number = 0
        self.open: list[Naming] = []
        self.timeouts: list[tuple[asyncio.Timeout, float]] = []

    def next_call(self) -> str:
        """Return the name of the next call; it has no slash."""
        self.number += 1
        return f"{self.name}.{self.number}"

    @property
    def upcoming_call(self) -> str:
        """What `next_call` will return."""
        return f"{self.name}.{self.number + 1}"

    def stir(self) -> None:
        """Put off the time at which the work counts as stalled."""
        for timeout, seconds in self.timeouts:
            if not timeout.expired():
                timeout.reschedule(asyncio.get_running_loop().time() + seconds)


class Session:
    """What the tasks of one run share.

    Args:
        agent: The agent's name, for readers.
        models: Who answers calls of models.
        locate: Returns the name of the piece of work that the calling task does: the same one when
            a crash makes it run again, another one for any other piece of the run.
    """

    def __init__(
        self, turn: Turn, *, agent: str, models: AgentFinder, locate: Callable[[], str]
    ) -> None:
        self.turn = turn
        self.agent = agent
        self.models = models
        self.locate = locate
        self.outbox = Outbox()
        self.journal = Journal(turn.said)
        self._places: dict[str, Place] = {}
        self._waiting: set[asyncio.Task[Any]] = set()
        self._is_abandoned = False
        self._first_word: Callable[[], None] | None = None
        self._founding = 0
        self._founded = asyncio.Event()
        self._before = turn.said.usage if turn.said is not None else None
        self._usages: dict[str, Usage] = {}

    def place(self, agent: str | None) -> "Place":
        """Return the piece of work that the calling task does for an agent."""
        name = self.locate() if agent is None else f"{self.locate()}-{agent}"
        return self._places.setdefault(name, Place(name))

    def text(self, texts: str | Mapping[str, str]) -> str:
        """Return a text in the run's language; English, or any, where it has none in that."""
        if isinstance(texts, str):
            return texts
        language = self.turn.request.language.partition("-")[0].lower()
        found = texts.get(language) or texts.get("en") or next(iter(texts.values()), None)
        if found is None:
            raise RequestInvalid("A text needs at least one language.")
        return found

    def sum_usage(self, call: str, usage: Usage) -> Usage:
        """Return what the run used, with the newest word of one call."""
        self._usages[call] = usage
        known = [*([self._before] if self._before is not None else []), *self._usages.values()]
        costs = [one.cost for one in known if one.cost is not None]
        return Usage(
            prompt_tokens=sum(one.prompt_tokens for one in known),
            completion_tokens=sum(one.completion_tokens for one in known),
            reasoning_tokens=sum(one.reasoning_tokens for one in known),
            cost=sum(costs) if costs else None,
        )

    async def flushed(self) -> None:
        """Wait until the log holds all that was said so far: what builds upon it may be stored.

        Raises:
            CancelledError: the run is not made here any more, so that nobody will ever know.
        """
        task = asyncio.current_task()
        if self._is_abandoned or task is None:
            raise asyncio.CancelledError
        self._waiting.add(task)
        try:
            await self.outbox.until_given()
            await self.turn.stored()
        finally:
            self._waiting.discard(task)

    def abandon(self) -> None:
        """Let whoever waits for the log go: the run is not made here any more."""
        self._is_abandoned = True
        for task in list(self._waiting):
            task.cancel()

    def on_first_word(self, listener: Callable[[], None]) -> None:
        """Call `listener` once, when the run first gives something."""
        self._first_word = listener

    @contextmanager
    def founding(self) -> Iterator[None]:
        """Let nothing be said meanwhile: what the names of calls rest on is being stored.

        A crash after the first word, and before that, would let all of it be said again.
        """
        self._founding += 1
        try:
            yield
        finally:
            self._founding -= 1
            self._founded.set()

    async def put(self, *events: Event) -> None:
        """Add events to the run."""
        while self._founding:
            self._founded.clear()
            await self._founded.wait()
        if self._first_word is not None and events:
            self._first_word()
            self._first_word = None
        await self.outbox.put(events)

    def request(
        self,
        messages: tuple[dict[str, object], ...],
        *,
        model: str | None,
        parameters: Mapping[str, object],
    ) -> RunRequest:
        """Return the request of one call of a model; the run's own model unless told otherwise."""
        own = self.turn.request
        return msgspec.structs.replace(
            own,
            model=model or own.model,
            messages=messages,
            parameters={**own.parameters, **parameters},
            agent=None,
            input=None,
            chat=None,
            message=None,
        )


SessionVar: ContextVar[Session | None] = ContextVar("potok_session", default=None)
"""Set by whoever runs an agent's code."""


def current_session() -> Session:
    """Return the session of the run that the calling task works for.

    Raises:
        RuntimeError: no run's code calls: an agent's code was called by something else.
    """
    session = SessionVar.get()
    if session is None:
        raise RuntimeError("this is code of an agent, and no run of an agent calls it")
    return session
