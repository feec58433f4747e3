"""An event loop whose time is a fake clock's, and a SQLite log that works inside it.

Nothing is waited for: where every task waits for a timer, the clock moves on to the next one. So
a minute of a world takes milliseconds, and the same seed gives the same world.
"""

import asyncio
import contextvars
import selectors
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from potok.errors import LogUnavailable
from potok.streamlog import sqlite, sqlite_reader
from potok.testing.fakes import FakeClock

__all__ = ["SimulatedLoop", "Standstill", "inline_threads"]

T = TypeVar("T")
Tasks = set["asyncio.Task[Any]"]
OWNER: contextvars.ContextVar[Tasks | None] = contextvars.ContextVar("owner", default=None)
"""Where the tasks that are made from here on are noted, so that all of a worker can be killed."""


class Standstill(RuntimeError):
    """Every task waits, and nothing will ever happen: a wake-up is missing."""


class _NeverWaiting(selectors.BaseSelector):
    """Looks at the sockets, and lets the clock jump instead of waiting for them."""

    def __init__(self, clock: FakeClock) -> None:
        self._inner = selectors.DefaultSelector()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._inner.select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise Standstill("all tasks wait for each other")
        self._clock.advance(max(timeout, 0.0))
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._inner.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.modify(fileobj, events, data)

    def close(self) -> None:
        self._inner.close()

    def get_map(self) -> Any:
        return self._inner.get_map()


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Runs on a fake clock's monotonic time. `errors` is what nobody handled."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(_NeverWaiting(clock))
        self._clock = clock
        self.errors: list[str] = []
        self.set_debug(False)
        self.set_task_factory(_noted_task)  # type: ignore[arg-type]
        self.set_exception_handler(self._note)

    def time(self) -> float:
        return self._clock.monotonic()

    def _note(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.errors.append(f"{context['message']}: {context.get('exception')!r}")

    def run(self, work: Coroutine[Any, Any, T], *, seconds: float = 600.0) -> T:
        """Run a coroutine to its end, which must come within so much of the loop's time."""
        return self.run_until_complete(asyncio.wait_for(work, seconds))

    def shut(self) -> None:
        """Cancel what is left and close."""
        left = [task for task in asyncio.all_tasks(self) if not task.done()]
        for task in left:
            task.cancel()
        if left:
            self.run_until_complete(asyncio.wait(left, timeout=1))
        self.run_until_complete(self.shutdown_asyncgens())
        self.close()


def _noted_task(
    loop: asyncio.AbstractEventLoop,
    work: Coroutine[Any, Any, T],
    context: contextvars.Context | None = None,
    **options: Any,
) -> "asyncio.Task[T]":
    task = asyncio.Task(work, loop=loop, context=context, **options)
    owner = (context or contextvars.copy_context()).get(OWNER)
    if owner is not None:
        owner.add(task)
        task.add_done_callback(owner.discard)
    return task


class _InlineThreads:
    """Takes the place of `Threads`: commands run in the loop, in the order of their calls.

    Does not imitate: two commands at once, and a command that takes time.
    """

    def __init__(self, count: int, *, name: str) -> None:
        self._is_stopping = False

    async def call(self, command: Callable[[], T], then: Callable[[T], None] | None = None) -> T:
        if self._is_stopping:
            raise LogUnavailable("The event log is closed.")
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(_run, command, then, answer)
        return await answer

    async def stop(self) -> None:
        self._is_stopping = True
        for _ in range(2):
            await asyncio.sleep(0)


def _run(
    command: Callable[[], T], then: Callable[[T], None] | None, answer: "asyncio.Future[T]"
) -> None:
    try:
        result = command()
        if then is not None:
            then(result)
    except BaseException as error:  # the caller gets it, as from a thread
        if not answer.done():
            answer.set_exception(error)
        return
    if not answer.done():
        answer.set_result(result)


@contextmanager
def inline_threads() -> Iterator[None]:
    """Let SQLite logs that are opened inside work in the event loop."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite, "Threads", _InlineThreads)
        patch.setattr(sqlite_reader, "Threads", _InlineThreads)
        yield
