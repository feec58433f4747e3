import asyncio
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path

import pytest

from tests.conftest import LoopBlocked, NetworkRefused

ROOT = Path(__file__).parent.parent.parent


def test_a_test_has_no_keys_and_no_settings_of_this_machine() -> None:
    foreign = [name for name in os.environ if name.startswith(("POTOK_", "OPENAI_", "OLLAMA_"))]

    assert foreign == []


def test_another_host_is_refused_before_a_packet_leaves() -> None:
    with socket.socket() as own, pytest.raises(NetworkRefused):
        own.connect(("192.0.2.1", 80))
    with pytest.raises(NetworkRefused):
        socket.getaddrinfo("api.example.com", 443)


async def test_loopback_is_reached_from_the_loop() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    reader, writer = await asyncio.open_connection("localhost", port)

    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()


async def test_waiting_in_the_loop_is_refused() -> None:
    with pytest.raises(LoopBlocked):
        time.sleep(0)
    with pytest.raises(LoopBlocked):
        Future[int]().result(0)
    with pytest.raises(LoopBlocked):
        subprocess.run([sys.executable, "-c", ""], check=True)


async def test_waiting_in_a_thread_or_a_child_of_the_loop_is_allowed() -> None:
    await asyncio.to_thread(time.sleep, 0)

    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "")

    assert await child.wait() == 0


STUCK = """
import asyncio

async def test_spins():
    while True:
        await asyncio.sleep(0)

async def test_is_fine():
    await asyncio.sleep(0)
"""


def test_a_stuck_test_fails_alone(tmp_path: Path) -> None:
    (tmp_path / "test_stuck.py").write_text(STUCK)
    options = [
        "-p",
        "tests.conftest",
        "-c",
        "pyproject.toml",
        f"--rootdir={tmp_path}",
        "--timeout=4",
    ]

    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=15, check=False)

    assert "1 failed, 1 passed" in run.stdout
