"""Wakes the worker whose runs shall end. Owns no flag: the store keeps those."""

import asyncio

__all__ = ["Bells"]


class Bells:
    """A bell for each worker that this process knows of."""

    def __init__(self) -> None:
        self._rung: dict[str, asyncio.Event] = {}

    def ring(self, worker: str | None) -> None:
        """Wake the worker, now or when it waits next; None is nobody."""
        if worker is not None:
            self._bell(worker).set()

    def ring_all(self) -> None:
        """Wake every worker: news may have been lost, or the log is being closed."""
        for bell in self._rung.values():
            bell.set()

    async def wait(self, worker: str, *, seconds: float) -> None:
        """Wait until the worker's bell rings, for `seconds` at most."""
        bell = self._bell(worker)
        try:
            async with asyncio.timeout(max(seconds, 0.0)):
                await bell.wait()
        except TimeoutError:
            return
        bell.clear()

    def _bell(self, worker: str) -> asyncio.Event:
        bell = self._rung.get(worker)
        if bell is None:
            bell = self._rung[worker] = asyncio.Event()
        return bell
