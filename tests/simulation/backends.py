"""The stores that worlds stand on, and what a crash leaves of them."""

import shutil
import tempfile
from pathlib import Path
from typing import Protocol

from potok.clock import Clock
from potok.streamlog.contract import StreamLog
from potok.streamlog.memory import MemoryLog
from potok.streamlog.sqlite import SqliteLog
from potok.testing.chance import Chance
from potok.testing.torn_files import torn_copy, wal_bytes

__all__ = ["Backend", "MemoryBackend", "SqliteBackend"]


class Backend(Protocol):
    """A store that may crash."""

    store: StreamLog

    async def open(self, clock: Clock) -> None:
        """Make `store` ready."""
        ...

    async def crash(self, chance: Chance) -> None:
        """Lose what a process loses that is killed, and make `store` ready again."""
        ...

    async def close(self) -> None:
        """Release everything."""
        ...


class MemoryBackend:
    """Stands for a store on another machine: it outlives all workers."""

    def __init__(self) -> None:
        self.store: StreamLog

    async def open(self, clock: Clock) -> None:
        self.store = MemoryLog(clock)
        await self.store.open()

    async def crash(self, chance: Chance) -> None:
        return None

    async def close(self) -> None:
        await self.store.close()


class SqliteBackend:
    """A file, of which a crash leaves all that was acknowledged and a part of what was not.

    `acknowledged` has to be called whenever an append was answered.
    """

    def __init__(self) -> None:
        self.store: StreamLog
        self._folder = Path(tempfile.mkdtemp(prefix="potok-simulation-"))
        self._path = self._folder / "0" / "log.sqlite3"
        self._crashes = 0
        self._sure_bytes = 0

    async def open(self, clock: Clock) -> None:
        self._clock = clock
        self.store = SqliteLog(self._path, clock=clock)
        await self.store.open()
        self.acknowledged()

    def acknowledged(self) -> None:
        """Note that all that is written now is sure."""
        self._sure_bytes = wal_bytes(self._path)

    async def crash(self, chance: Chance) -> None:
        written = wal_bytes(self._path)
        kept = self._sure_bytes + chance.below(max(written - self._sure_bytes, 0) + 1)
        self._crashes += 1
        copy = torn_copy(self._path, self._folder / str(self._crashes), wal_bytes_kept=kept)
        await self.store.close()
        self._path = copy
        await self.open(self._clock)

    async def close(self) -> None:
        await self.store.close()
        shutil.rmtree(self._folder)
