"""The processes of one run of chaos: workers, their store, the links between them, the provider."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.integration.chaos.links import Order
from tests.integration.chaos.plan import Backend
from tests.integration.chaos.upstream import Misdeed
from tests.integration.harness import Server, free_port
from tests.redis_server import RedisServer

__all__ = ["Spell", "Worker", "World", "built_world"]

REDIS_WORKERS = 3
TOKEN_GAP_SECONDS = 3
FIRST_TOKEN_SECONDS = 4
DEMO_TOKENS_PER_SECOND = 25
# Everybody is hit again and again here; the usual five calls are meant for one bad day.
ANSWER_CALLS_MAX = 20
_SETTINGS = """
[providers.chaos]
base_url = "{url}/v1"
api_key_env = "CHAOS_KEY"
[providers.spare]
base_url = "{url}/spare"
api_key_env = "CHAOS_KEY"
[models."chaos/begun"]
continues = "prefill"
fallback = ["spare/words"]
[models."chaos/words"]
continues = "prompt"
fallback = ["spare/begun"]
[models."chaos/refuses"]
continues = "prefill"
fallback = ["spare/words"]
[models."chaos/leaves"]
continues = "prompt"
fallback = ["chaos/begun", "spare/words"]
[models."chaos/thinks"]
continues = "prompt"
fallback = ["spare/words"]
[models."chaos/cannot"]
continues = "no"
[models."spare/begun"]
continues = "prefill"
"""


class Child:
    """A process of ours that talks in JSON lines, and ends when its input does."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()

    @classmethod
    async def start(cls, module: str, *arguments: str) -> "Child":
        """Start a module of this package."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", f"tests.integration.chaos.{module}", *arguments),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        return cls(process)

    async def hear(self) -> dict[str, Any]:
        """Return what it says next."""
        assert self._process.stdout is not None
        words: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return words

    async def ask(self, **words: Any) -> dict[str, Any]:
        """Say something and return the answer."""
        assert self._process.stdin is not None
        async with self._turn:
            self._process.stdin.write(json.dumps(words).encode() + b"\n")
            return await self.hear()

    async def end(self) -> None:
        """End it."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


class Worker:
    """One `potok serve`: its process, and the link that readers reach it by."""

    def __init__(self, name: str, server: Server, *, url: str) -> None:
        self.name = name
        self.server = server
        self.url = url
        self.is_busy = False
        """Whether a fault has it in its hands."""
        self.starts = 0


class Spell:
    """A time in which a worker could hear of nothing: it was frozen, or cut off from its store.

    Attributes:
        until: Its end and some time to notice what happened meanwhile; endless while it lasts.
    """

    NOTICE_SECONDS = 2.0

    def __init__(self, worker: str) -> None:
        self.worker = worker
        self.since = time.monotonic()
        self.until = float("inf")

    def end(self) -> None:
        """The worker hears again from now on."""
        self.until = time.monotonic() + self.NOTICE_SECONDS


class World:
    """All processes, and what may be done to them."""

    def __init__(
        self,
        *,
        workers: list[Worker],
        redis: RedisServer | None,
        links: Child,
        upstream_url: str,
        session: aiohttp.ClientSession,
    ) -> None:
        self.workers = workers
        self.redis = redis
        self.session = session
        self.spells: list[Spell] = []
        self._links = links
        self._upstream_url = upstream_url

    async def order(self, link: str, order: Order) -> None:
        """Do something to a link: `readers-<worker>` or `redis-<worker>`."""
        await self._links.ask(link=link, order=order)

    async def live(self) -> dict[str, list[int]]:
        """Return the stories under way at the upstream, by the worker that asked."""
        async with self.session.get(f"{self._upstream_url}/chaos/live") as reply:
            found: dict[str, list[int]] = await reply.json()
            return found

    async def strike(
        self, misdeed: Misdeed, *, share: float, at_least: int, dice: int, seconds: float = 0.0
    ) -> list[int]:
        """Let the upstream fail a share of its answers; return their stories."""
        words = {"misdeed": misdeed, "share": share, "at_least": at_least, "dice": dice}
        asked = {**words, "seconds": seconds}
        async with self.session.post(f"{self._upstream_url}/chaos/fault", json=asked) as reply:
            struck: list[int] = await reply.json()
            return struck

    async def pieces_after(self, moments: list[tuple[int, float]]) -> list[list[tuple[str, float]]]:
        """Return for each story the pieces taken after a moment: who took them, and when."""
        url = f"{self._upstream_url}/chaos/after"
        async with self.session.post(url, json=moments) as reply:
            return [[(name, at) for name, at in pieces] for pieces in await reply.json()]

    async def wrong_joins(self) -> list[str]:
        """Return what the upstream was shown as a story's beginning, and is none."""
        async with self.session.get(f"{self._upstream_url}/chaos/wrong") as reply:
            wrong: list[str] = await reply.json()
            return wrong

    def troubles(self) -> list[str]:
        """Return what workers' logs say of Potok's own mistakes."""
        words = (
            "Traceback",
            "internal_error",
            " failed: RuntimeError",
            " ERROR ",
            "never retrieved",
            "never awaited",
        )
        return [
            f"{worker.name}: {line[:500]}"
            for worker in self.workers
            for line in worker.server.lines
            if any(word in line for word in words)
        ]

    async def start_worker(self, worker: Worker) -> None:
        """Start a worker's process; a busy machine may need several tries."""
        worker.starts += 1
        await worker.server.start()

    async def end_worker(self, worker: Worker) -> None:
        """Kill what is left of a worker."""
        if worker.server.is_running:
            worker.server.send(signal.SIGCONT)
            await worker.server.kill()


@asynccontextmanager
async def built_world(backend: Backend, folder: Path) -> AsyncIterator[World]:
    """Start everything; end it afterwards, whatever happened."""
    folder.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        # Each reader has a line of its own, as strangers' clients do.
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None))
        )
        upstream = await Child.start("upstream")
        stack.push_async_callback(upstream.end)
        upstream_url = f"http://127.0.0.1:{(await upstream.hear())['port']}"
        settings = folder / "potok.toml"
        settings.write_text(_SETTINGS.format(url=upstream_url))
        redis = None
        if backend == "redis":
            # Chaos judges Potok, not what Redis may lose by its own settings.
            redis = RedisServer(folder / "redis", "--appendonly", "yes", "--appendfsync", "always")
            await asyncio.to_thread(redis.start)
            stack.callback(redis.kill)
        workers, links = await _workers_behind_links(folder, redis, settings)
        stack.push_async_callback(links.end)
        world = World(
            workers=workers,
            redis=redis,
            links=links,
            upstream_url=upstream_url,
            session=session,
        )
        for worker in workers:
            stack.push_async_callback(world.end_worker, worker)
        await asyncio.gather(*(world.start_worker(worker) for worker in workers))
        try:
            yield world
        finally:
            for worker in workers:
                (folder / f"{worker.name}.log").write_text("\n".join(worker.server.lines) + "\n")


async def _workers_behind_links(
    folder: Path, redis: RedisServer | None, settings: Path
) -> tuple[list[Worker], Child]:
    names = "abc"[:REDIS_WORKERS] if redis is not None else "a"
    environment = {
        "POTOK_CONFIG": str(settings),
        "POTOK_UPSTREAM_TOKEN_GAP_SECONDS": str(TOKEN_GAP_SECONDS),
        "POTOK_UPSTREAM_FIRST_TOKEN_SECONDS": str(FIRST_TOKEN_SECONDS),
        "POTOK_DEMO_TOKENS_PER_SECOND": str(DEMO_TOKENS_PER_SECOND),
        "POTOK_ANSWER_CALLS_MAX": str(ANSWER_CALLS_MAX),
    }
    ports = {name: free_port() for name in names}
    targets = {f"readers-{name}": port for name, port in ports.items()}
    if redis is not None:
        targets |= {f"redis-{name}": redis.port for name in names}
    links = await Child.start("links", json.dumps(targets))
    through = await links.hear()
    workers = []
    for name in names:
        told = {**environment, "CHAOS_KEY": name}
        if redis is not None:
            told["POTOK_REDIS_URL"] = f"redis://127.0.0.1:{through[f'redis-{name}']}/0"
        server = Server(folder / name, **told)
        server.port = ports[name]
        server.url = f"http://127.0.0.1:{ports[name]}"
        workers.append(Worker(name, server, url=f"http://127.0.0.1:{through[f'readers-{name}']}"))
    return workers, links
