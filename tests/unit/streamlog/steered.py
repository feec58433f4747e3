"""A log that can be held and broken, and a source as simple as can be."""

import asyncio
from collections.abc import Callable, Sequence

from potok.errors import LogUnavailable, PotokError
from potok.events.kinds import Event
from potok.streamlog.contract import Appended, Batch, RunRecord
from potok.streamlog.group_commit import GroupCommit
from potok.streamlog.memory import MemoryLog
from potok.testing.fakes import CountingIds, FakeClock
from potok.testing.streamlog_base import create, texts

__all__ = ["DOWN", "Source", "SteeredLog", "sources_of", "step"]

DOWN = LogUnavailable("the disk is full")


class SteeredLog(MemoryLog):
    """A log in memory whose appends wait while it is held, and fail while it is down."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.commits: list[list[str]] = []
        self.failure: Exception | None = None
        self.free = asyncio.Event()
        self.free.set()
        self.under_way = 0

    async def append(self, batches: Sequence[Batch]) -> list[Appended | PotokError]:
        self.under_way += 1
        assert self.under_way == 1, "two commits at a time"
        self.commits.append([batch.run for batch in batches])
        try:
            await self.free.wait()
            if self.failure is not None:
                raise self.failure
            return await super().append(batches)
        finally:
            self.under_way -= 1


class Source:
    """A writer of one run, as simple as can be: keeps its events until they are stored."""

    def __init__(self, record: RunRecord, commit: GroupCommit) -> None:
        self.record = record
        self.commit = commit
        self.pending: list[Event] = []
        self.taken: list[Event] = []
        self.results: list[Appended | PotokError] = []
        self.on_settled: Callable[[], None] = lambda: None

    def write(self, *pieces: str) -> None:
        self.pending += texts(*pieces)
        self.commit.mark(self)

    def take_batch(self) -> Batch | None:
        self.taken, self.pending = self.taken + self.pending, []
        if not self.taken:
            return None
        return Batch(self.record.run, self.record.epoch, tuple(self.taken))

    def settled(self, result: Appended | PotokError) -> None:
        self.results.append(result)
        if isinstance(result, Appended):
            self.taken = []
            if self.pending:
                self.commit.mark(self)
        self.on_settled()


async def sources_of(steered: SteeredLog, commit: GroupCommit, count: int) -> list[Source]:
    ids = CountingIds()
    return [Source(await create(steered, ids), commit) for _ in range(count)]


async def step() -> None:
    for _ in range(8):
        await asyncio.sleep(0)
