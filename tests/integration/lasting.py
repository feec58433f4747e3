"""Servers for all tests of a module, in a thread: tests without a loop may ask them, too."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

__all__ = ["lasting"]

BEGIN_SECONDS_MAX = 40.0

Thing = TypeVar("Thing")


@contextmanager
def lasting(opened: Callable[[], AbstractAsyncContextManager[Thing]]) -> Iterator[Thing]:
    """Enter what `opened` returns in a loop of its own, and leave it at the end.

    What it gives may be asked by any thread for what it knows, but its coroutines belong to its
    own loop.
    """
    begun: list[Thing] = []
    faults: list[BaseException] = []
    loops: list[asyncio.AbstractEventLoop] = []
    ended = asyncio.Event()
    ready = threading.Event()

    async def live() -> None:
        loops.append(asyncio.get_running_loop())
        try:
            async with opened() as thing:
                begun.append(thing)
                ready.set()
                await ended.wait()
        # What goes wrong belongs to the test that waits, whatever it is.
        except BaseException as fault:
            faults.append(fault)
        finally:
            ready.set()

    thread = threading.Thread(target=lambda: asyncio.run(live()), name="lasting")
    thread.start()
    try:
        assert ready.wait(BEGIN_SECONDS_MAX), "it did not begin in time"
        if not begun:
            raise faults[0]
        yield begun[0]
    finally:
        if loops:
            loops[0].call_soon_threadsafe(ended.set)
        thread.join()
    if faults:
        raise faults[0]
