"""Runs the app under uvicorn, and takes it down within seconds, whoever is still reading.

uvicorn alone waits for its open connections before it tells the app to stop, so a single reader
would keep the process alive: here readers are sent away first.
"""

import asyncio
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from potok import limits
from potok.server.app import PotokApp
from potok.server.http_protocol import HttpProtocol
from potok.server.socket_protocol import SocketProtocol

__all__ = ["QuietLog", "Server"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

# A cut answer is said by its reader; a failed start by the error that `run` raises; half a letter
# on a socket by the close that its client gets.
_SAID_ELSEWHERE = frozenset(
    {
        "ASGI callable returned without completing response.",
        "Application startup failed. Exiting.",
        "Invalid UTF-8 sequence received from client.",
    }
)


class QuietLog(logging.Filter):
    """Drops what uvicorn says of answers that we cut on purpose; everything else passes."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.msg in _SAID_ELSEWHERE:
            return False
        raised = record.exc_info[0] if isinstance(record.exc_info, tuple) else None
        return raised is not asyncio.CancelledError


_QUIET = QuietLog()


class Server(uvicorn.Server):
    """One server process: `run(sockets=[listen(host, port)])` serves until a signal.

    Args:
        app: Its runs are drained before uvicorn waits for connections.
        on_ready: Called once requests are answered.
        exit_at_once: Ends the process without another word; for a second signal, and for a way
            out that takes longer than `limits.SHUTDOWN_SECONDS_MAX`. The log is safe at any kill.

    `run` raises what `RunService.open` raised, if it did. After a signal the process is expected
    to end: the deadline stands also for what the caller does after `run`.
    """

    def __init__(
        self,
        app: PotokApp,
        *,
        on_ready: Callable[[], None] = lambda: None,
        exit_at_once: Callable[[int], None] = os._exit,
    ) -> None:
        super().__init__(_config(app))
        self._app = app
        self._on_ready = on_ready
        self._exit_at_once = exit_at_once
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            await super().startup(sockets=sockets)
        except SystemExit:
            if self._app.failure is not None:
                raise self._app.failure from None
            raise
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Here too, for a server that is stopped without a signal.
        self._app.services.runs.drain()
        await super().shutdown(sockets=sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals while serving; unlike uvicorn's, a graceful end is not a killed one."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {one: signal.signal(one, self.handle_exit) for one in _SIGNALS}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            self._exit_at_once(128 + sig)
            return
        self.should_exit = True
        # A thread, so that not even a blocked loop keeps the process.
        deadline = threading.Timer(limits.SHUTDOWN_SECONDS_MAX, self._exit_at_once, args=(1,))
        deadline.daemon = True
        deadline.start()
        if self._loop is not None:
            # Not here: a signal comes between any two instructions of the loop's own thread.
            self._loop.call_soon_threadsafe(self._app.services.runs.drain)


def _config(app: PotokApp) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=HttpProtocol,
        ws=SocketProtocol,
        ws_max_size=limits.SOCKET_MESSAGE_BYTES_MAX,
        ws_ping_interval=limits.SOCKET_PING_SECONDS,
        ws_ping_timeout=limits.SOCKET_PONG_SECONDS_MAX,
        # Tokens are short: compressing each costs time and memory, and saves nothing.
        ws_per_message_deflate=False,
        interface="asgi3",
        lifespan="on",
        # Whoever starts the process decides where its log goes.
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        # Given here, so that uvicorn does not look for them in the environment.
        workers=1,
        proxy_headers=False,
        forwarded_allow_ips=[],
        limit_concurrency=limits.CONNECTIONS_MAX,
        backlog=limits.BACKLOG_CONNECTIONS_MAX,
        timeout_keep_alive=int(limits.KEEP_ALIVE_SECONDS),
        timeout_graceful_shutdown=int(limits.SHUTDOWN_CONNECTIONS_SECONDS),
    )
    logging.getLogger("uvicorn.error").addFilter(_QUIET)
    return config
