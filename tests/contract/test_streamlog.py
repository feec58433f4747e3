import asyncio
import shutil
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from potok.streamlog import redis_writer, segments, tail
from potok.streamlog.contract import StreamLog
from potok.streamlog.memory import MemoryLog
from potok.streamlog.redis import RedisLog
from potok.streamlog.sqlite import SqliteLog
from potok.testing.fakes import FakeClock
from potok.testing.streamlog_suite import StreamLogSuite
from tests.redis_server import RedisServer, empty_redis


class TestMemoryLog(StreamLogSuite):
    def make_log(self, clock: FakeClock, folder: Path) -> StreamLog:
        return MemoryLog(clock)


class TestSqliteLog(StreamLogSuite):
    def make_log(self, clock: FakeClock, folder: Path) -> StreamLog:
        return SqliteLog(folder / "log.sqlite3", clock=clock)

    @asynccontextmanager
    async def hold_commits(self, log: StreamLog) -> AsyncIterator[None]:
        assert isinstance(log, SqliteLog)
        assert log._thread is not None
        released = threading.Event()
        holding = asyncio.create_task(log._thread.call(released.wait))
        await asyncio.sleep(0)
        yield
        released.set()
        await holding


class TestSqliteLogThatKeepsNoTails(TestSqliteLog):
    """Readers go to the disk for all but the newest commit, and each chunk has its own segment."""

    @pytest.fixture(autouse=True)
    def nothing_is_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tail, "TAIL_BYTES_MAX", 0)
        monkeypatch.setattr(tail, "ENDED_TAILS_MAX", 0)
        monkeypatch.setattr(segments, "SEGMENT_BYTES_MAX", 1)


class TestSqliteLogThatWaitsForTheDisk(TestSqliteLog):
    def make_log(self, clock: FakeClock, folder: Path) -> StreamLog:
        return SqliteLog(folder / "log.sqlite3", clock=clock, durability="full")


class TestRedisLog(StreamLogSuite):
    """On a real server. Time is the tests' own, which only the constructor of a log can say."""

    options: tuple[str, ...] = ()

    @pytest.fixture(autouse=True)
    def redis(self) -> RedisServer:
        self.server = empty_redis(self.options)
        return self.server

    def make_log(self, clock: FakeClock, folder: Path) -> StreamLog:
        return RedisLog(self.server.url, clock=clock)

    @asynccontextmanager
    async def hold_commits(self, log: StreamLog) -> AsyncIterator[None]:
        assert isinstance(log, RedisLog)
        async with log._opened().writing._places:
            yield


class TestRedisLogThatWaitsForTheDisk(TestRedisLog):
    options = ("--appendonly", "yes", "--appendfsync", "always")

    def make_log(self, clock: FakeClock, folder: Path) -> StreamLog:
        return RedisLog(self.server.url, clock=clock, durability="full")


class TestRedisLogInAClusterThatKeepsNoTails(TestRedisLog):
    """One node with all slots: it refuses a script whose keys lie in several.

    Readers ask it for all but the newest commit.
    """

    options = ("--cluster-enabled", "yes")

    @pytest.fixture(autouse=True)
    def nothing_is_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(redis_writer, "TAIL_BYTES_MAX", 0)

    @pytest.fixture(autouse=True)
    def redis(self) -> RedisServer:
        self.server = server = empty_redis(self.options)
        server.ask("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
        server.wait_until_said(b"cluster_state:ok", "CLUSTER", "INFO")
        return server


if shutil.which("redis-server") and shutil.which("valkey-server"):

    class TestRedisLogOnValkey(TestRedisLog):
        """Where both are installed; on a machine with Valkey alone all of the above is on it."""

        @pytest.fixture(autouse=True)
        def redis(self) -> RedisServer:
            self.server = empty_redis(program="valkey-server")
            return self.server
