"""Rules for every test: no keys, no network but loopback, no blocked event loop, time by folder."""

import asyncio
import concurrent.futures
import functools
import inspect
import ipaddress
import os
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.register_assert_rewrite("potok.testing", "tests.integration.harness")

TESTS = Path(__file__).parent
INTEGRATION_SECONDS = 120  # a server starts, is killed and starts again
LONG_SECONDS = 1800  # soak tests end by themselves before

# A test must not spend somebody's money, nor read how this machine is set up.
FOREIGN_PREFIXES = ("POTOK_", "OPENAI_", "OLLAMA_", "HF_", "ANTHROPIC_", "LANGSMITH_", "LANGCHAIN_")
# A proxy would take even calls to loopback out of the machine.
PROXIES = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}


def pytest_configure(config: pytest.Config) -> None:
    """Clear the environment before any module of Potok is imported, for child processes too."""
    for name in list(os.environ):
        if name.startswith(FOREIGN_PREFIXES) or name.upper() in PROXIES:
            del os.environ[name]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark integration tests by their folder, and hold every test to the time of its kind."""
    usual = config.getoption("--timeout") or config.getini("timeout")
    for item in items:
        if any(item.path.is_relative_to(TESTS / folder) for folder in ("integration", "browser")):
            item.add_marker("integration")
        if not item.get_closest_marker("timeout"):
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.timeout(LONG_SECONDS))
            elif item.get_closest_marker("integration"):
                item.add_marker(pytest.mark.timeout(INTEGRATION_SECONDS))
        own = item.get_closest_marker("timeout")
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            item.obj = within(float(own.args[0] if own else usual), item.obj)


def within(seconds: float, test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Cancel a test well before the alarm of pytest-timeout, so that its report is made in peace.

    An alarm that rings inside a callback is swallowed by asyncio, and the callback is lost: a test
    that spins in the loop would then sleep for ever. The alarm is for what blocks the loop.
    """

    @functools.wraps(test)
    async def timed(*args: Any, **kwargs: Any) -> None:
        async with asyncio.timeout(0.75 * seconds or None):
            await test(*args, **kwargs)

    return timed


class NetworkRefused(AssertionError):
    """A test reached for a host that is not this machine."""


class LoopBlocked(AssertionError):
    """Code waited in the thread of a running event loop; every stream of the server would wait."""


def is_loopback(host: object) -> bool:
    """Whether a host, as `connect` or `getaddrinfo` take it, is this machine; None is."""
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    try:
        return ipaddress.ip_address(str(host).split("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def only_loopback() -> Iterator[None]:
    """Refuse connections and look-ups of other hosts. Does not imitate: uvloop's own sockets.

    Set anew for each test: a plugin that some peers' suites bring takes such guards away after one.
    """
    real_connect, real_look_up = socket.socket.connect, socket.getaddrinfo

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not is_loopback(address[0]):
            raise NetworkRefused(f"a test wanted to connect to {address[0]}")
        real_connect(self, address)

    def look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_loopback(host) and not str(host).startswith("0.0.0.0"):
            raise NetworkRefused(f"a test wanted the address of {host}")
        return real_look_up(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        patch.setattr(socket, "getaddrinfo", look_up)
        yield


@pytest.fixture(autouse=True)
def loop_is_never_blocked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test whose code waits in the loop's thread. Measures nothing, so load cannot fool it.

    It sees the calls below. It does not see a long computation, a lock, or SQLite at work.
    """
    if request.node.get_closest_marker("integration"):
        return

    def guard(owner: Any, name: str, waits: Callable[..., bool]) -> None:
        real = getattr(owner, name)

        @functools.wraps(real)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if asyncio._get_running_loop() is not None and waits(*args):
                raise LoopBlocked(f"{name} was called in the event loop")
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, guarded)

    guard(time, "sleep", lambda *_: True)
    guard(os, "fsync", lambda *_: True)
    guard(subprocess, "run", lambda *_: True)
    guard(subprocess, "call", lambda *_: True)
    guard(subprocess.Popen, "wait", lambda child, *_: child.poll() is None)
    guard(socket.socket, "connect", lambda own, *_: own.gettimeout() != 0)
    guard(concurrent.futures.Future, "result", lambda future, *_: not future.done())
