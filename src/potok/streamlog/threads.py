"""Threads that do what would block the event loop, and tell the loop what came of it.

CPython gives a waiting thread the interpreter when the running one lets go of it, or five
milliseconds after the last time it did. A busy event loop lets go for an instant in each of its
rounds and takes it back before a thread has woken: such a thread can wait for seconds. So the loop
stands still for a moment when a call was not answered in time.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

from potok.errors import LogUnavailable
from potok.limits import THREAD_LENT_SECONDS, THREAD_PATIENCE_SECONDS

__all__ = ["Threads"]

T = TypeVar("T")


class _Call:
    """A command on its way; `is_done` is locked until a thread has run it."""

    __slots__ = ("command", "is_done", "since", "tell")

    def __init__(
        self, command: Callable[[], Any], tell: Callable[[Any, BaseException | None], None]
    ) -> None:
        self.command = command
        self.tell = tell
        self.since = 0.0
        self.is_done = threading.Lock()
        self.is_done.acquire()


class Threads:
    """Runs commands in the order of their calls; with one thread, one after another.

    The queue is as long as there are tasks that wait for an answer.
    """

    def __init__(self, count: int, *, name: str) -> None:
        """Start the threads; only inside a running event loop."""
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[_Call | None] = SimpleQueue()
        self._pending: deque[_Call] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._is_stopping = False
        self._working = count
        self._stopped = asyncio.Event()
        for number in range(count):
            # A process that forgets to close its log may still exit: what was stored is safe.
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True).start()

    async def call(self, command: Callable[[], T], then: Callable[[T], None] | None = None) -> T:
        """Run `command` in a thread and return what it returns or raise what it raises.

        `then` gets the result first, in the loop: also when the caller was cancelled meanwhile,
        which does not stop the command.

        Raises:
            LogUnavailable: the threads were stopped.
        """
        if self._is_stopping:
            raise LogUnavailable("The event log is closed. Ask the server that runs now.")
        answer: asyncio.Future[T] = self._loop.create_future()

        def hear(result: T, error: BaseException | None) -> None:
            if error is None and then is not None:
                try:
                    then(result)
                except Exception as broken:
                    error = broken
            if answer.done():
                return
            if error is None:
                answer.set_result(result)
            else:
                answer.set_exception(error)

        self._send(_Call(command, hear))
        return await answer

    async def stop(self) -> None:
        """Run what was called before, then end the threads; stopping twice is harmless."""
        if not self._is_stopping:
            self._is_stopping = True
            for _ in range(self._working):
                self._queue.put(None)
        await self._stopped.wait()

    def _work(self) -> None:
        while (call := self._queue.get()) is not None:
            result, error = None, None
            try:
                result = call.command()
            except BaseException as raised:  # the caller gets it, whatever it is
                error = raised
            call.is_done.release()
            self._tell(call.tell, result, error)
            # Nothing of a call may live on in a thread that waits for the next one.
            del call, result, error
        self._tell(self._ended)

    def _tell(self, hear: Callable[..., None], *values: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(hear, *values)
        except RuntimeError:
            # The loop was closed while the thread worked: nobody is left to hear it.
            return

    def _ended(self) -> None:
        self._working -= 1
        if self._working == 0:
            if self._timer is not None:
                self._timer.cancel()
            self._stopped.set()

    # lending the interpreter

    def _send(self, call: _Call) -> None:
        call.since = self._loop.time()
        self._pending.append(call)
        if self._timer is None:
            self._timer = self._loop.call_later(THREAD_PATIENCE_SECONDS, self._lend)
        self._queue.put(call)

    def _lend(self) -> None:
        """Stand still until the oldest call is done, for `THREAD_LENT_SECONDS` at most."""
        self._timer = None
        while self._pending and not self._pending[0].is_done.locked():
            self._pending.popleft()
        if not self._pending:
            return
        oldest = self._pending[0]
        if self._loop.time() - oldest.since >= THREAD_PATIENCE_SECONDS and oldest.is_done.acquire(
            timeout=THREAD_LENT_SECONDS
        ):
            oldest.is_done.release()
        self._timer = self._loop.call_later(THREAD_PATIENCE_SECONDS, self._lend)
