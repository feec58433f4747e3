"""The stores that worlds stand on, and what a crash leaves of them."""

import shutil
import tempfile
from pathlib import Path
from typing import Protocol

from potok.clock import Clock
from potok.events.kinds import Status
from potok.limits import RECOVERY_ITEMS_MAX
from potok.streamlog.contract import Appended, Batch, StreamLog
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
    """A file, of which a crash leaves all that was acknowledged and a part of what was not."""

    def __init__(self) -> None:
        self.store: StreamLog
        self._folder = Path(tempfile.mkdtemp(prefix="potok-simulation-"))
        self._path = self._folder / "0" / "log.sqlite3"
        self._crashes = 0

    async def open(self, clock: Clock) -> None:
        self._clock = clock
        self.store = SqliteLog(self._path, clock=clock)
        await self.store.open()

    async def crash(self, chance: Chance) -> None:
        sure = wal_bytes(self._path)
        await self._write_in_vain()
        kept = sure + chance.below(wal_bytes(self._path) - sure + 1)
        self._crashes += 1
        copy = torn_copy(self._path, self._folder / str(self._crashes), wal_bytes_kept=kept)
        await self.store.close()
        self._path = copy
        await self.open(self._clock)

    async def _write_in_vain(self) -> None:
        """Write to every live run what nobody will be told of: it may be kept, but not in part."""
        event = Status(text="Nobody heard of this", code="unheard")
        live = await self.store.list_abandoned(items_max=RECOVERY_ITEMS_MAX)
        batches = [Batch(run.run, run.epoch, (event, event)) for run in live if run.tail]
        for answer in await self.store.append(batches) if batches else ():
            assert isinstance(answer, Appended)

    async def close(self) -> None:
        await self.store.close()
        shutil.rmtree(self._folder)
