"""A whole server over a `MemoryLog` and a scripted model, called through ASGI or a socket."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from potok.agents.model_agent import Continuing
from potok.agents.registry import AgentRegistry
from potok.clock import SystemClock
from potok.errors import PotokError
from potok.events.kinds import Event, RunEnd, TextDelta, TextEnd, TextStart, Usage
from potok.models.catalogue import Catalogue
from potok.protocol.continuation import Budget
from potok.runs.service import RunService
from potok.runs.settings import RunSettings
from potok.server.access import Access
from potok.server.app import PotokApp, build_app
from potok.server.listening import listen
from potok.server.services import About, Services
from potok.server.uvicorn_server import Server
from potok.streamlog.contract import RunRecord
from potok.streamlog.memory import MemoryLog
from potok.testing.fakes import CountingIds, RecordingObserver
from potok.testing.scripted_model import ScriptedModel, ScriptedProvider, Step

HELLO = {"model": "scripted", "messages": [{"role": "user", "content": "Hello!"}]}
BEGIN: list[Event] = [TextStart(part="t1"), TextDelta(part="t1", text="Привет")]
REST: list[Event] = [
    TextDelta(part="t1", text=", мир!"),
    TextEnd(part="t1"),
    Usage(prompt_tokens=3, completion_tokens=2),
    RunEnd(outcome="finished", finish_reason="stop"),
]
"""With `run-start` a run of seven events: what `BEGIN` and `REST` say has the offsets 2 to 7."""
NEVER = "run-99999999999999999999"
"""As long as the ids that `CountingIds` makes."""

# A fault ends an answer at once; how it goes on has tests of its own.
ONE_CALL = Continuing(budget=Budget(calls_max=1))


@dataclass
class House:
    """One server's parts, and ways in."""

    services: Services
    app: PotokApp
    model: ScriptedModel
    log: MemoryLog
    observer: RecordingObserver

    def client(self, headers: Mapping[str, str] | None = None) -> httpx.AsyncClient:
        """Return a client that calls the app without a socket."""
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:8000", headers=headers
        )


def build_house(
    script: Sequence[Step] = (BEGIN, REST),
    *,
    access: Access | None = None,
    settings: RunSettings | None = None,
    failure: PotokError | None = None,
) -> House:
    """Build a server that nobody has opened yet; every call of its model plays `script`."""
    clock, ids, observer = SystemClock(), CountingIds(), RecordingObserver()
    log = MemoryLog(clock)
    model = ScriptedModel(script)
    catalogue = Catalogue([ScriptedProvider([model])], clock=clock)
    runs = RunService(
        log,
        AgentRegistry(catalogue, continuing=ONE_CALL),
        clock=clock,
        ids=ids,
        observer=observer,
        settings=settings or RunSettings(),
    )
    services = Services(
        runs=runs,
        catalogue=catalogue,
        clock=clock,
        ids=ids,
        observer=observer,
        access=access or Access(),
        about=About(
            version="1.2.3",
            address="http://127.0.0.1:8000",
            data_folder="/tmp/potok data",
            log_backend="memory",
        ),
    )
    return House(
        services=services, app=build_app(services), model=model, log=log, observer=observer
    )


async def until_ended(house: House, run: str) -> RunRecord:
    """Wait for a run's end without reading it, for a reader would keep it alive."""
    record = await house.log.read_run(run)
    while record.is_live:
        await house.log.wait_beyond(record.run, record.tail, seconds=5)
        record = await house.log.read_run(run)
    return record


@asynccontextmanager
async def open_house(script: Sequence[Step] = (BEGIN, REST), **parts: Any) -> AsyncIterator[House]:
    """Build a server and hold its runs open, as its lifespan would."""
    house = build_house(script, **parts)
    await house.services.runs.open()
    try:
        yield house
    finally:
        await house.services.runs.close()


@dataclass
class LiveHouse:
    """A house behind a real uvicorn server on loopback."""

    house: House
    server: Server
    port: int
    serving: asyncio.Task[None]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        """Let the server go down as after a signal, and wait for it."""
        self.server.should_exit = True
        self.house.services.runs.drain()
        await self.serving


@asynccontextmanager
async def serve_house(
    script: Sequence[Step] = (BEGIN, REST), **parts: Any
) -> AsyncIterator[LiveHouse]:
    """Serve a new house on a free port until the test's end."""
    async with serve(build_house(script, **parts)) as live:
        yield live


@asynccontextmanager
async def serve(house: House) -> AsyncIterator[LiveHouse]:
    """Serve a house on a free port until the test's end."""
    ready = asyncio.Event()
    server = Server(house.app, on_ready=ready.set)
    listener = listen("127.0.0.1", 0)
    port: int = listener.getsockname()[1]
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait((serving, waiting), return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        waiting.cancel()
        listener.close()
        serving.result()
    live = LiveHouse(house=house, server=server, port=port, serving=serving)
    try:
        yield live
    finally:
        await live.stop()
