"""What a Redis does that is not there, not ours, full, read-only, deaf or old."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from potok.errors import DatabaseNewer, LogLost, LogUnavailable, RedisUnusable
from potok.events.envelope import START, Offset
from potok.streamlog.contract import Appended, Batch, Ending
from potok.streamlog.redis import RedisLog
from potok.testing.fakes import CountingIds
from potok.testing.streamlog_base import (
    ANN,
    SNAPSHOT,
    WORKER,
    create,
    end,
    ending_batch,
    new_run,
    texts,
    texts_of,
    write,
)
from tests.redis_server import PASSWORD, RedisServer, need_redis

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    need_redis()
    return tmp_path / "redis"


@pytest.fixture
def redis(folder: Path) -> Iterator[RedisServer]:
    server = RedisServer(folder, "--appendonly", "yes")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def ids() -> CountingIds:
    return CountingIds()


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[RedisLog]:
    log = RedisLog(url)
    await log.open()
    try:
        yield log
    finally:
        await log.close()


async def refusal_of(url: str, **more: str) -> str:
    log = RedisLog(url, **more)  # type: ignore[arg-type]
    with pytest.raises((RedisUnusable, DatabaseNewer)) as caught:
        await log.open()
    return caught.value.message


async def test_a_redis_that_is_not_there_is_named() -> None:
    sentence = await refusal_of("redis://127.0.0.1:1/3")

    assert "Redis at 127.0.0.1:1/3 cannot be reached" in sentence


async def test_a_wrong_password_is_said_and_not_shown(folder: Path) -> None:
    server = RedisServer(folder, "--requirepass", PASSWORD)
    server.start()
    try:
        without = await refusal_of(server.url)
        wrong = await refusal_of(server.url.replace("redis://", "redis://:wrong@"))
        async with opened(server.url.replace("redis://", "redis://:a%20password@")) as log:
            assert await log.list_runs(principal=ANN, items_max=1) == []
    finally:
        server.kill()

    for sentence in (without, wrong):
        assert "does not accept the user or password of POTOK_REDIS_URL" in sentence
    assert "wrong" not in wrong


@asynccontextmanager
async def old_redis(version: bytes) -> AsyncIterator[str]:
    """Serve what a Redis says of itself, and nothing else."""
    serving: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        info = b"# Server\r\nredis_version:" + version + b"\r\nrole:master\r\n"
        while line := await reader.readline():
            words = [
                (await reader.readexactly(int((await reader.readline())[1:]) + 2))[:-2]
                for _ in range(int(line[1:]))
            ]
            answer = b"$%d\r\n%s\r\n" % (len(info), info) if words[0] == b"INFO" else b"+OK\r\n"
            writer.write(answer)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
        await asyncio.wait([task for task in serving if task is not None])


async def test_an_old_redis_is_refused_with_its_version() -> None:
    async with old_redis(b"6.2.14") as url:
        sentence = await refusal_of(url)

    assert sentence.startswith("Redis 6.2.14 at 127.0.0.1:")
    assert "Potok needs Redis or Valkey 7 or newer" in sentence


async def test_a_replica_is_refused_and_its_primary_named(redis: RedisServer, folder: Path) -> None:
    replica = RedisServer(folder / "replica", "--replicaof", f"127.0.0.1 {redis.port}")
    replica.start()
    try:
        sentence = await refusal_of(replica.url)
    finally:
        replica.kill()

    assert "is a replica that can only be read" in sentence
    assert f"127.0.0.1:{redis.port}" in sentence


async def test_what_a_newer_potok_wrote_is_left_alone(redis: RedisServer) -> None:
    redis.ask("SET", "potok:{workers}:format", "2")

    sentence = await refusal_of(redis.url)

    assert "used by a newer Potok, with layout 2" in sentence
    assert b"2" in redis.ask("GET", "potok:{workers}:format")


async def test_full_durability_needs_a_redis_that_can_keep_it(folder: Path) -> None:
    server = RedisServer(folder)
    server.start()
    try:
        sentence = await refusal_of(server.url, durability="full")
    finally:
        server.kill()

    assert "keeps no append-only file, so POTOK_DURABILITY=full cannot be kept" in sentence


async def test_a_full_redis_takes_nothing_and_loses_nothing(
    redis: RedisServer, ids: CountingIds
) -> None:
    async with opened(redis.url) as log:
        run = await create(log, ids)
        await write(log, run, *texts("before"))
        await log.renew_lease(WORKER, seconds=5)
        redis.ask("CONFIG", "SET", "maxmemory", "1mb")

        for call in (write(log, run, *texts("during")), log.create_run(new_run(ids))):
            with pytest.raises(LogUnavailable, match="is out of memory"):
                await call
        # What keeps a run alive, read and ended by hand costs next to nothing.
        await log.renew_lease(WORKER, seconds=5)
        await log.request_cancel(run.run)
        assert await texts_of(log, run.run) == ["before"]

        redis.ask("CONFIG", "SET", "maxmemory", "0")
        await write(log, run, *texts("during"))
        await end(log, run)
        assert await texts_of(log, run.run) == ["before", "during"]


async def test_a_primary_that_became_a_replica_is_said(
    redis: RedisServer, ids: CountingIds
) -> None:
    async with opened(redis.url) as log:
        run = await create(log, ids)
        redis.ask("REPLICAOF", "127.0.0.1", "1")
        with pytest.raises(LogUnavailable, match="a replica that can only be read"):
            await write(log, run, *texts("a"))

        redis.ask("REPLICAOF", "NO", "ONE")
        await write(log, run, *texts("a"))

        assert await texts_of(log, run.run) == ["a"]


async def test_a_write_whose_answer_is_lost_is_stored_once(
    redis: RedisServer, ids: CountingIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("potok.streamlog.redis_connections.REDIS_REPLY_SECONDS", 0.2)
    async with opened(redis.url) as log:
        run = await create(log, ids)
        await write(log, run, *texts("a"))
        batch = Batch(run.run, 1, texts("b", "c"))

        redis.pause()
        with pytest.raises(LogUnavailable, match="does not answer in time"):
            await log.append([batch])
        redis.resume()
        [again] = await log.append([batch])
        [ended] = await log.append([ending_batch(run)])

        assert isinstance(again, Appended)
        assert isinstance(ended, Appended)
        assert (again.tail, ended.tail) == (3, 4)
        assert await texts_of(log, run.run) == ["a", "b", "c"]


async def test_an_ending_whose_answer_is_lost_is_stored_once(
    redis: RedisServer, ids: CountingIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("potok.streamlog.redis_connections.REDIS_REPLY_SECONDS", 0.2)
    async with opened(redis.url) as log:
        run = await create(log, ids)
        redis.pause()
        with pytest.raises(LogUnavailable):
            await log.append([ending_batch(run, before=texts("a"))])
        redis.resume()

        [again] = await log.append([ending_batch(run, before=texts("a"))])

        assert isinstance(again, Appended)
        record = await log.read_run(run.run)
        assert (record.status, record.tail) == ("finished", 2)
        assert await log.list_runs(principal=ANN, status="running", items_max=5) == []


async def test_a_redis_that_lost_the_newest_events_is_found_out(
    redis: RedisServer, ids: CountingIds
) -> None:
    async with opened(redis.url) as log, opened(redis.url) as reader:
        run = await create(log, ids)
        await write(log, run, *texts("a"))
        await write(log, run, *texts("b"))
        assert await texts_of(reader, run.run) == ["a", "b"]
        # As after a failover to a replica that was behind.
        redis.ask("XDEL", f"potok:{{{run.run}}}:events", "2-0")
        redis.ask("HSET", f"potok:{{{run.run}}}:run", "tail", "1")

        [refused] = await log.append([Batch(run.run, 1, texts("c"))])
        with pytest.raises(LogLost):
            await reader.read(run.run, after=Offset(2), events_max=9)
        await log.end_lost(run.run, epoch=1, ending=Ending(status="failed", snapshot=SNAPSHOT))

        assert isinstance(refused, LogLost)
        for one in (log, reader):
            with pytest.raises(LogLost):
                await one.read(run.run, after=START, events_max=9)
            assert (await one.read_run(run.run)).snapshot == SNAPSHOT


async def test_a_run_that_redis_forgot_is_made_again_as_lost(
    redis: RedisServer, ids: CountingIds
) -> None:
    async with opened(redis.url) as log, opened(redis.url) as reader:
        run = await create(log, ids)
        await write(log, run, *texts("a"))
        assert await texts_of(reader, run.run) == ["a"]
        waiting = asyncio.create_task(reader.wait_beyond(run.run, Offset(1), seconds=30))
        redis.ask("FLUSHALL")

        assert await waiting, "a reader that waits is sent to look"
        with pytest.raises(LogLost):
            await reader.read(run.run, after=Offset(1), events_max=9)
        [refused] = await log.append([Batch(run.run, 1, texts("b"))])
        await log.end_lost(run.run, epoch=1, ending=Ending(status="failed", snapshot=SNAPSHOT))

        assert isinstance(refused, LogLost)
        record = await reader.read_run(run.run)
        assert (record.status, record.principal, record.snapshot) == ("failed", ANN, SNAPSHOT)
        assert [one.run for one in await reader.list_runs(principal=ANN, items_max=5)] == [run.run]


async def test_a_key_whose_maker_died_before_the_run_starts_another_one(
    redis: RedisServer, ids: CountingIds
) -> None:
    async with opened(redis.url) as log:
        new = new_run(ids, key="k")
        assert await log._opened().claims.claim(new, "k") is None

        record, is_new = await log.create_run(new_run(ids, key="k"))

        assert is_new
        assert record.run != new.run
        # The maker was only slow, and comes now.
        late, is_late_new = await log.create_run(new)

        assert (late.run, is_late_new) == (record.run, False)
        assert len(await log.list_runs(principal=ANN, items_max=5)) == 1


async def test_growth_is_heard_of_also_when_nobody_can_be_told(
    redis: RedisServer, ids: CountingIds
) -> None:
    async with opened(redis.url) as log, opened(redis.url) as reader:
        redis.ask("ACL", "SETUSER", "default", "resetchannels")
        redis.ask("CLIENT", "KILL", "TYPE", "pubsub")
        run = await create(log, ids)
        waiting = asyncio.create_task(reader.wait_beyond(run.run, START, seconds=30))
        await asyncio.sleep(0.1)

        await write(log, run, *texts("a"))

        async with asyncio.timeout(3):
            assert await waiting


async def test_every_key_has_a_time_to_live(redis: RedisServer, ids: CountingIds) -> None:
    async with opened(redis.url) as log:
        await log.renew_lease(WORKER, seconds=5)
        live, ended = await create(log, ids, key="k"), await create(log, ids)
        for run in (live, ended):
            await write(log, run, *texts("a"))
        await log.request_cancel(live.run)
        await end(log, ended)
        await log.renew_lease(WORKER, seconds=5)

    count = redis.ask(
        "EVAL",
        "local bad = {} for _, key in ipairs(redis.call('KEYS', '*')) do"
        " if redis.call('PTTL', key) < 0 then bad[#bad + 1] = key end end"
        " return #redis.call('KEYS', '*') .. ' keys, for ever: ' .. table.concat(bad, ' ')",
        "0",
    )
    assert count.endswith(b" keys, for ever: \r\n")
    assert int(count.split(b"\r\n")[1].split()[0]) > 8


async def test_the_keys_of_a_live_run_live_on_as_long_as_it_does(
    redis: RedisServer, ids: CountingIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("potok.streamlog.redis_upkeep.REDIS_REFRESH_SECONDS", 0)
    async with opened(redis.url) as log:
        run = await create(log, ids)
        await write(log, run, *texts("a"))
        keys = [
            *(f"potok:{{{run.run}}}:{part}" for part in ("run", "events")),
            *("potok:{workers}:format", f"potok:{{workers}}:runs:{WORKER}"),
        ]
        for key in keys:
            assert redis.ask("PEXPIRE", key, "60000") == b":1\r\n", key

        await log.renew_lease(WORKER, seconds=5)

        for key in keys:
            assert int(redis.ask("TTL", key)[1:]) > 3600, key


async def test_an_older_worker_that_still_runs_says_so_and_leaves_the_newer_layout_alone(
    redis: RedisServer,
    ids: CountingIds,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("potok.streamlog.redis_upkeep.REDIS_REFRESH_SECONDS", 0)
    async with opened(redis.url) as log:
        redis.ask("SET", "potok:{workers}:format", "2")

        await log.renew_lease(WORKER, seconds=5)

    assert b"2" in redis.ask("GET", "potok:{workers}:format")
    assert "used by a newer Potok by now, with layout 2" in caplog.text
