"""Chats over a memory log, a SQLite file and a scripted model; a crash is a new house over both."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from potok.agents.model_agent import Continuing
from potok.agents.registry import AgentRegistry
from potok.chats.contract import ChatStore
from potok.chats.database import sqlite_url
from potok.chats.store import SqlChatStore
from potok.clock import IdSource
from potok.events.kinds import Event, RunEnd, TextDelta, TextEnd, TextStart, Usage
from potok.models.contract import Capabilities
from potok.protocol.continuation import Budget
from potok.runs.chat_keeping import ChatSettings
from potok.runs.conversations import Conversations
from potok.runs.service import RunService
from potok.runs.settings import RunSettings
from potok.streamlog.contract import StreamLog
from potok.telemetry import SilentObserver
from potok.testing.fakes import CountingIds, FakeClock
from potok.testing.scripted_model import ScriptedModel, Step
from tests.unit.runs.conftest import OneModel

ME = "me"
HELLO: list[Event] = [
    TextStart(part="t"),
    TextDelta(part="t", text="Hello!"),
    TextEnd(part="t"),
    Usage(prompt_tokens=1, completion_tokens=2),
    RunEnd(outcome="finished", finish_reason="stop"),
]
HALF: list[Event] = [TextStart(part="t"), TextDelta(part="t", text="Half")]


async def let_others_run() -> None:
    """Give the loop away once: what is waited for is no event, but a row of a database."""
    await asyncio.sleep(0)


@dataclass
class ChatHouse:
    """One worker's chats."""

    chats: Conversations
    runs: RunService
    store: ChatStore
    model: ScriptedModel
    clock: FakeClock

    async def until_settled(self) -> None:
        """Wait until no answer streams and every task behind the chats is done."""
        while (
            self.runs.live_runs
            or self.chats._keeper._tasks
            or await self.store.answers.list_unsettled(after=0, items_max=1)
        ):
            await let_others_run()

    async def texts(self, chat: int) -> list[str]:
        """Return the texts of the shown path."""
        _, messages, _ = await self.chats.page(chat, principal=ME, before=None, items_max=100)
        return [message.content for message in messages]


@asynccontextmanager
async def open_chats(
    path: Path,
    log: StreamLog,
    clock: FakeClock,
    *scripts: Sequence[Step],
    ids: IdSource | None = None,
    capabilities: Capabilities | None = None,
    calls_max: int = 1,
    has_model_titles: bool = False,
    upkeep_seconds: float = 0.01,
) -> AsyncIterator[ChatHouse]:
    """Open chats over a file and a log; may be opened again over the same two."""
    ids = ids or CountingIds()
    model = ScriptedModel(*scripts, capabilities=capabilities)
    runs = RunService(
        log,
        AgentRegistry(OneModel(model), continuing=Continuing(budget=Budget(calls_max=calls_max))),
        clock=clock,
        ids=ids,
        observer=SilentObserver(),
        settings=RunSettings(lease_renew_seconds=0.01),
    )
    store = SqlChatStore(sqlite_url(path), clock=clock)

    async def open_store() -> ChatStore:
        await store.open()
        return store

    chats = Conversations(
        open_store,
        runs,
        clock=clock,
        ids=ids,
        settings=ChatSettings(
            has_model_titles=has_model_titles, upkeep_seconds=upkeep_seconds, opens_early=True
        ),
    )
    await runs.open()
    await chats.open()
    try:
        yield ChatHouse(chats=chats, runs=runs, store=store, model=model, clock=clock)
    finally:
        await runs.close()
        await chats.close()
