"""The parent of several workers: it holds the address, and starts a worker again that dies.

It serves nothing itself. A worker has one end of a line to it: a byte says "I answer requests now",
the line's end says "your parent is gone". Connections that nobody took yet wait in the socket that
all of them share, so that none is refused while a worker is replaced.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Sequence

from potok import limits
from potok.cli.exits import Exit, complain
from potok.cli.worker_order import Order, command_of

__all__ = ["supervise"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SAID = (Exit.FAILED, Exit.USAGE)
"""How a worker ends that has said in a sentence why it cannot start."""


class _Worker:
    """One place among the workers; a process after the other holds it."""

    def __init__(self, order: Order, listener: socket.socket) -> None:
        self.is_ready = False
        self._order = order
        self._listener = listener
        self._process: asyncio.subprocess.Process | None = None

    async def run(self, *, greets: bool) -> int:
        """Start a process and return its exit status."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.setblocking(False)
            command = command_of(self._order, self._listener, theirs, greets=greets)
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *command,
                pass_fds=(self._listener.fileno(), theirs.fileno()),
                # A terminal's Ctrl-C comes to us alone; we tell them once.
                start_new_session=True,
            )
            theirs.close()
            listening = asyncio.create_task(self._hear(ours))
            try:
                return await self._process.wait()
            finally:
                listening.cancel()
                self._process = None

    async def _hear(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self.is_ready = bool(await asyncio.get_running_loop().sock_recv(line, 1))

    def send(self, sent: signal.Signals) -> None:
        """Send a signal to its process, if there is one."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(sent)

    @property
    def process_id(self) -> int | None:
        """The process that holds the place now."""
        return None if self._process is None else self._process.pid


class _Supervisor:
    def __init__(self, workers: Sequence[_Worker]) -> None:
        self._workers = workers
        self._stopping = asyncio.Event()
        self._failure = Exit.DONE

    async def run(self) -> Exit:
        loop = asyncio.get_running_loop()
        for sent in _SIGNALS:
            loop.add_signal_handler(sent, self._take_signal, sent)
        keeping = [
            asyncio.create_task(self._keep(worker, greets=place == 0))
            for place, worker in enumerate(self._workers)
        ]
        await self._stopping.wait()
        for worker in self._workers:
            worker.send(signal.SIGTERM)
        _, late = await asyncio.wait(keeping, timeout=limits.SHUTDOWN_SECONDS_MAX)
        if late:
            self._kill_all()
            await asyncio.wait(keeping)
        return self._failure

    def _take_signal(self, sent: signal.Signals) -> None:
        if self._stopping.is_set():
            self._kill_all()
            os._exit(128 + sent)
        print("Stopping.", flush=True)
        self._stopping.set()

    def _kill_all(self) -> None:
        for worker in self._workers:
            worker.send(signal.SIGKILL)

    async def _keep(self, worker: _Worker, *, greets: bool) -> None:
        loop = asyncio.get_running_loop()
        delay = limits.WORKER_RESTART_SECONDS_MIN
        while not self._stopping.is_set():
            began = loop.time()
            status = await worker.run(greets=greets)
            if self._stopping.is_set():
                return
            if status in _SAID and not any(one.is_ready for one in self._workers):
                # It has said why, and the others would say the same.
                self._failure = Exit(status)
                self._stopping.set()
                return
            greets = greets and not worker.is_ready
            if loop.time() - began >= limits.WORKER_STEADY_SECONDS:
                delay = limits.WORKER_RESTART_SECONDS_MIN
            complain(f"A worker ended with status {status}. Starting another one.")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._stopping.wait()
            delay = min(2 * delay, limits.WORKER_RESTART_SECONDS_MAX)


def supervise(order: Order, listener: socket.socket, *, workers: int) -> Exit:
    """Run workers on a listening socket until a signal; their runs outlive them in Redis."""

    async def run() -> Exit:
        return await _Supervisor([_Worker(order, listener) for _ in range(workers)]).run()

    return asyncio.run(run())
