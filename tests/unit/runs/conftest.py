"""A run service over the reference log, with a scripted model and a fake clock."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack

import pytest

from potok.agents.model_agent import Continuing
from potok.agents.registry import AgentRegistry
from potok.events.envelope import START
from potok.events.kinds import Event
from potok.events.run_request import RunRequest
from potok.models.contract import ChatModel
from potok.protocol.continuation import Budget
from potok.runs.service import RunService
from potok.runs.settings import RunSettings
from potok.streamlog.contract import RunRecord
from potok.streamlog.memory import MemoryLog
from potok.telemetry import SilentObserver
from potok.testing.fakes import CountingIds, FakeClock
from potok.testing.scripted_model import ScriptedModel, Step

ME = "me"
REQUEST = RunRequest(model="scripted", messages=({"role": "user", "content": "hi"},))

# A fault ends an answer at once; how it goes on has tests of its own.
ONE_CALL = Continuing(budget=Budget(calls_max=1))


class OneModel:
    """A catalogue of one model."""

    def __init__(self, model: ChatModel) -> None:
        self.model = model

    async def resolve(self, name: str | None) -> ChatModel:
        return self.model


class House:
    """What a test of the runs floor needs, built around one log."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.clock = FakeClock()
        self.log = MemoryLog(self.clock)
        self.ids = CountingIds()
        self._stack = stack

    async def worker(self, model: ChatModel, **settings: float) -> RunService:
        """Open one more worker over the same log."""
        service = RunService(
            self.log,
            AgentRegistry(OneModel(model), continuing=ONE_CALL),
            clock=self.clock,
            ids=self.ids,
            observer=SilentObserver(),
            settings=RunSettings(**{"lease_renew_seconds": 0.01, **settings}),  # type: ignore[arg-type]
        )
        await service.open()
        self._stack.push_async_callback(service.close)
        return service

    async def service(self, script: Sequence[Step], **settings: float) -> RunService:
        """Open a worker whose model plays one script."""
        return await self.worker(ScriptedModel(script), **settings)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        yield House(stack)


async def started(service: RunService, request: RunRequest = REQUEST) -> RunRecord:
    """Start a run of `ME`."""
    record, created = await service.start(request, principal=ME)
    assert created
    return record


async def events_of(service: RunService, record: RunRecord) -> list[Event]:
    """Follow a run to its end."""
    return [
        stored.event async for page in service.follow(record, after=START) for stored in page or []
    ]
