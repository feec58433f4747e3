"""Real Redis servers that tests start themselves, each on a free port, in a folder of its own.

`redis-server` or `valkey-server` comes from PATH. A server may be killed and started again over the
same folder, as after a crash; one that is shared by a test process is emptied before each test.
"""

import atexit
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

START_TRIES_MAX = 200
PASSWORD = "a password"


class RedisServer:
    """One server process. `options` are words of its command line, such as `--appendonly yes`."""

    def __init__(self, folder: Path, *options: str, program: str | None = None) -> None:
        self.folder = folder
        self.options = options
        self.program = program
        # A cluster's nodes talk to each other on a second one.
        self.port, self.other = free_port(), free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it has loaded what is in its folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log.txt").open("ab") as output:
            self._process = subprocess.Popen(
                [
                    *(self.program or _program(), "--port", str(self.port), "--bind", "127.0.0.1"),
                    *("--dir", str(self.folder), "--save", "", "--cluster-port", str(self.other)),
                    *self.options,
                ],
                stdout=output,
                stderr=output,
            )
        for _ in range(START_TRIES_MAX):
            if self._process.poll() is not None:
                break
            if self._answers():
                return
            _wait_shortly()
        raise RuntimeError(f"Redis did not start:\n{(self.folder / 'log.txt').read_text()}")

    def _answers(self) -> bool:
        try:
            said = self.ask("PING")
        except OSError:
            return False
        return said.startswith((b"+PONG", b"-NOAUTH"))

    def ask(self, *words: str) -> bytes:
        """Send one command on a connection of its own; return the first bytes of the answer."""
        lines = [f"*{len(words)}", *(part for w in words for part in (f"${len(w.encode())}", w))]
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as line:
            line.sendall(("\r\n".join(lines) + "\r\n").encode())
            return line.recv(65536)

    def wait_until_said(self, wanted: bytes, *words: str) -> None:
        """Ask until the answer holds `wanted`."""
        for _ in range(START_TRIES_MAX):
            if wanted in self.ask(*words):
                return
            _wait_shortly()
        raise RuntimeError(f"Redis never said {wanted!r}")

    def kill(self) -> None:
        """Kill it as a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it politely; it writes its append-only file, if it has one."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """Let it answer nobody, with its connections open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _end(self, sent: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(sent)
            self._process.wait()
            self._process = None


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_shortly() -> None:
    # By another process: this one may run under an event loop's watch.
    subprocess.run([sys.executable, "-c", "import time; time.sleep(0.02)"], check=True)


def need_redis() -> None:
    """Skip the test where no Redis is installed."""
    if shutil.which("redis-server") is None and shutil.which("valkey-server") is None:
        pytest.skip("Redis is not installed; scripts/setup-system says how")


def _program() -> str:
    return shutil.which("redis-server") or shutil.which("valkey-server") or "redis-server"


@cache
def shared_redis(*options: str, program: str | None = None) -> RedisServer:
    """Return a running, empty server that this test process keeps; skips the test without Redis."""
    need_redis()
    folder = Path(tempfile.mkdtemp(prefix="potok-redis-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    server = RedisServer(folder, *options, program=program)
    server.start()
    atexit.register(server.kill)
    return server


def empty_redis(options: Sequence[str] = (), *, program: str | None = None) -> RedisServer:
    """Return the shared server with these options, emptied."""
    server = shared_redis(*options, program=program)
    server.ask("FLUSHALL")
    return server
