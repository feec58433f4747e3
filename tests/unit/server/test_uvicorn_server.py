import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from potok import limits
from potok.server.uvicorn_server import QuietLog, Server
from tests.unit.server.house import build_house

# A process of its own: signals, uvloop and the way out cannot be seen from inside. Its one run
# answers at once with much text, or waits for ever.
SERVE = """
import asyncio, sys
from potok import limits
from potok.events.kinds import TextDelta, TextEnd, TextStart
from potok.server.listening import listen
from potok.server.uvicorn_server import Server
from potok.testing.gates import Gate
from tests.unit.server.house import BEGIN, build_house

kind = sys.argv[1]
much = [TextDelta(part="t1", text="x" * 2_000) for _ in range(10_000)]
script = ([TextStart(part="t1"), *much], Gate()) if kind == "much" else (BEGIN, Gate())
house = build_house(script)
if kind == "late":
    limits.SHUTDOWN_SECONDS_MAX = 0.5
if kind in ("stuck", "late"):
    async def stuck():
        await asyncio.Event().wait()
    house.services.runs.close = stuck
with listen("127.0.0.1", 0) as listener:
    port = listener.getsockname()[1]
    server = Server(house.app, on_ready=lambda: print(port, flush=True))
    server.run(sockets=[listener])
print("after", flush=True)
"""
BODY = b'{"model":"scripted","stream":true,"messages":[{"role":"user","content":"Hello!"}]}'
START = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
)


@dataclass
class Process:
    """A server process: its port, and how it ended."""

    child: asyncio.subprocess.Process
    port: int

    async def read_run(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Begin to read a run; return the connection once its headers are there."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(START)
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        return reader, writer

    async def ended(self) -> tuple[int, float, str, str]:
        """Wait for the end: exit status, seconds it took, standard output and error."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        out, err = await self.child.communicate()
        assert self.child.returncode is not None
        return self.child.returncode, loop.time() - began, out.decode(), err.decode()


@asynccontextmanager
async def process(kind: str) -> AsyncIterator[Process]:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SERVE,
        kind,
        env={"PYTHONPATH": f"src:.:{os.environ.get('PYTHONPATH', '')}", "PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    try:
        yield Process(child, int(await child.stdout.readline()))
    finally:
        if child.returncode is None:
            child.kill()
            await child.communicate()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_process_at_once_though_somebody_reads(
    sent: signal.Signals,
) -> None:
    async with process("slow") as server:
        reader, writer = await server.read_run()
        server.child.send_signal(sent)
        status, seconds, out, err = await server.ended()
        rest = await reader.read()
        writer.close()

        assert (status, out) == (0, "after\n")
        assert seconds < 1.5
        assert not rest.endswith(b"0\r\n\r\n"), "the body was cut, not ended"
        assert err == ""


async def test_a_reader_that_takes_nothing_does_not_keep_the_process() -> None:
    async with process("much") as server:
        _, writer = await server.read_run()
        server.child.send_signal(signal.SIGTERM)
        status, seconds, _, err = await server.ended()
        writer.close()

        assert status == 0
        assert seconds < 5
        assert "Traceback" not in err


async def test_a_way_out_that_takes_too_long_is_cut_short() -> None:
    async with process("late") as server:
        server.child.send_signal(signal.SIGTERM)
        status, seconds, _, _ = await server.ended()

        assert status == 1
        assert seconds < 5


async def test_a_second_ctrl_c_ends_the_process_at_once() -> None:
    async with process("stuck") as server:
        server.child.send_signal(signal.SIGINT)
        await asyncio.to_thread(_until_signal_is_taken, server.child.pid)
        server.child.send_signal(signal.SIGINT)
        status, seconds, _, _ = await server.ended()

        assert status == 128 + signal.SIGINT
        assert seconds < 1


def _until_signal_is_taken(pid: int) -> None:
    # Two equal signals at once count as one: the first must have left the kernel's queue.
    while True:
        with open(f"/proc/{pid}/status") as status:
            pending = next(line for line in status if line.startswith("ShdPnd:"))
        if int(pending.split()[1], 16) == 0:
            return


def test_the_second_signal_and_a_late_end_use_the_same_hard_way() -> None:
    exits: list[int] = []
    server = Server(build_house().app, exit_at_once=exits.append)

    server.handle_exit(signal.SIGTERM, None)
    server.handle_exit(signal.SIGTERM, None)

    assert server.should_exit
    assert exits == [128 + signal.SIGTERM]


def test_the_server_says_nothing_of_itself_and_reads_no_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "4")
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")

    config = Server(build_house().app).config

    assert config.workers == 1
    assert config.forwarded_allow_ips == []
    assert not config.server_header
    assert not config.access_log
    assert config.timeout_graceful_shutdown == limits.SHUTDOWN_CONNECTIONS_SECONDS


def record_of(message: str, error: type[BaseException] | None = None) -> logging.LogRecord:
    info = None if error is None else (error, error(), None)
    return logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, message, (), info)


def test_only_our_own_cuts_are_kept_out_of_the_log() -> None:
    quiet = QuietLog()

    passed = [
        quiet.filter(record)
        for record in (
            record_of("ASGI callable returned without completing response."),
            record_of("Exception in ASGI application\n", asyncio.CancelledError),
            record_of("Exception in ASGI application\n", ValueError),
            record_of("ASGI callable returned without starting response."),
        )
    ]

    assert passed == [False, False, True, True]
