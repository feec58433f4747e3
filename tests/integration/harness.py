"""Starts, kills and reads a real Potok server in a process of its own."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from potok.testing.upstream import ScriptedUpstream
from potok.wire.sse import SseDecoder, SseEvent

START_SECONDS_MAX = 15.0
STOP_SECONDS_MAX = 8.0


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """One server process over one data folder; may be started again after a kill."""

    def __init__(self, data_folder: Path, **environment: str) -> None:
        self.data_folder = data_folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None
        self._output: asyncio.Task[None] | None = None
        self.lines: list[str] = []

    @property
    def log_file(self) -> Path:
        """The SQLite file of the event log."""
        return self.data_folder / "runs.sqlite3"

    async def start(self) -> None:
        """Start the process and wait until it says that it listens."""
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "POTOK_DATA_DIR": str(self.data_folder),
            "POTOK_PORT": str(self.port),
            # Whether this machine has an Ollama of its own is nothing to a test.
            "POTOK_UPSTREAM_DISCOVERY": "off",
            **self._environment,
        }
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "potok",
            "serve",
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        listening = asyncio.Event()
        self._output = asyncio.create_task(self._read_output(listening))
        async with asyncio.timeout(START_SECONDS_MAX):
            await listening.wait()
        if self._process.returncode is not None:
            raise AssertionError("the server did not start:\n" + "\n".join(self.lines))

    async def _read_output(self, listening: asyncio.Event) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.lines.append(line.decode().rstrip())
            if str(self.port) in self.lines[-1]:
                listening.set()
        await self._process.wait()
        listening.set()

    async def kill(self) -> None:
        """Send SIGKILL and wait until the process is gone."""
        await self._end(signal.SIGKILL)

    async def stop(self, sent: signal.Signals = signal.SIGTERM) -> int:
        """Send a polite signal; return the exit status."""
        return await self._end(sent)

    async def _end(self, sent: signal.Signals) -> int:
        assert self._process is not None
        assert self._output is not None
        if self._process.returncode is None:
            self._process.send_signal(sent)
        async with asyncio.timeout(STOP_SECONDS_MAX):
            status = await self._process.wait()
            await self._output
        return status

    def send(self, sent: signal.Signals) -> None:
        """Send a signal and do not wait for what comes of it."""
        assert self._process is not None
        self._process.send_signal(sent)

    @property
    def process_id(self) -> int:
        """The server process."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None


@asynccontextmanager
async def running_server(data_folder: Path, **environment: str) -> AsyncIterator[Server]:
    """Run a server for a test, and kill it at its end if it still runs."""
    server = Server(data_folder, **environment)
    await server.start()
    try:
        yield server
    finally:
        if server.is_running:
            await server.kill()


def upstream_of(upstream: ScriptedUpstream) -> dict[str, str]:
    """Return the settings that make a server use an upstream as its provider `openai`."""
    return {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": upstream.base_url}


async def start_run(client: httpx.AsyncClient, prompt: str, **more: Any) -> str:
    """Start a native run and return its id."""
    body = {"model": "demo", "messages": [{"role": "user", "content": prompt}], **more}
    reply = await client.post("/api/runs", json=body)
    assert reply.status_code == 201, reply.text
    run: str = reply.json()["id"]
    return run


async def events_of(
    client: httpx.AsyncClient, run: str, *, after: str = "0"
) -> AsyncIterator[SseEvent]:
    """Yield a run's SSE events until its body ends or is cut."""
    decoder = SseDecoder()
    try:
        async with client.stream("GET", f"/api/runs/{run}/events?after={after}") as reply:
            assert reply.status_code in (200, 204), await reply.aread()
            async for chunk in reply.aiter_raw():
                for event in decoder.feed(chunk):
                    yield event
    except (httpx.RemoteProtocolError, httpx.ReadError):
        return


async def whole_run(client: httpx.AsyncClient, run: str) -> list[tuple[str, str, str]]:
    """Read a run from its start to its end as (offset, kind, fields)."""
    return [(event.id, event.event, event.data) async for event in events_of(client, run)]


def text_in(events: list[tuple[str, str, str]]) -> str:
    """Return the text that the deltas of a run add up to."""
    return "".join(json.loads(fields)["text"] for _, kind, fields in events if kind == "text-delta")
