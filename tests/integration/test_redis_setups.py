"""Redis as people run it: with TLS, with replicas, as a cluster, with a disk that is waited for."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from potok.errors import LogUnavailable, RedisUnusable
from potok.streamlog.redis import RedisLog
from potok.testing.fakes import CountingIds, FakeClock
from potok.testing.streamlog_base import (
    OTHER_WORKER,
    WORKER,
    create,
    end,
    texts,
    texts_of,
    write,
)
from tests.redis_proxy import RedisProxy, in_info
from tests.redis_server import RedisServer, free_port, need_redis

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

NEWER = in_info(redis_version="7.2.4")


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
async def opened(log: RedisLog) -> AsyncIterator[RedisLog]:
    await log.open()
    try:
        yield log
    finally:
        await log.close()


async def refusal_of(url: str, **more: str) -> str:
    with pytest.raises(RedisUnusable) as caught:
        await RedisLog(url, **more).open()  # type: ignore[arg-type]
    return caught.value.message


# TLS


def make_certificates(folder: Path) -> tuple[Path, Path, Path]:
    """Make a CA of our own and a certificate for 127.0.0.1; return CA, certificate and key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder.mkdir()
    ca, ca_key, key, request, made = (
        folder / name for name in ("ca.pem", "ca.key", "redis.key", "redis.csr", "redis.pem")
    )
    names = folder / "names.txt"
    names.write_text("subjectAltName=IP:127.0.0.1")
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    ends_soon = ("-days", "2")
    signed_by = ("-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-extfile", names)
    for words in (
        ("req", "-x509", *new_key, "-keyout", ca_key, "-out", ca, "-subj", "/CN=CA", *ends_soon),
        ("req", *new_key, "-keyout", key, "-out", request, "-subj", "/CN=redis"),
        ("x509", "-req", "-in", request, *signed_by, "-out", made, *ends_soon),
    ):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
    return ca, made, key


async def test_tls_works_with_a_ca_of_ones_own_and_says_what_is_wrong_without(
    folder: Path, tmp_path: Path, ids: CountingIds
) -> None:
    ca, made, key = make_certificates(tmp_path / "certificates")
    port = free_port()
    server = RedisServer(
        folder,
        *("--tls-port", str(port), "--tls-cert-file", str(made), "--tls-key-file", str(key)),
        *("--tls-ca-cert-file", str(ca), "--tls-auth-clients", "no"),
    )
    try:
        server.start()
    except RuntimeError:
        pytest.skip("this Redis was built without TLS")
    place = f"rediss://127.0.0.1:{port}/0"
    try:
        async with opened(RedisLog(f"{place}?ssl_ca_certs={ca}")) as log:
            run = await create(log, ids)
            waiting = asyncio.create_task(log.wait_beyond(run.run, run.tail, seconds=10))
            await write(log, run, *texts("a"))
            assert await waiting
            assert await texts_of(log, run.run) == ["a"]
        without = await refusal_of(place)
    finally:
        server.kill()

    assert "shows a certificate that this machine does not trust" in without
    assert "?ssl_ca_certs=" in without


async def test_tls_with_somebody_who_does_not_speak_it_is_said() -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"-ERR Protocol error\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        sentence = await refusal_of(f"rediss://127.0.0.1:{port}/0")

    assert "do not agree on TLS" in sentence
    assert "begins with rediss:// where Redis speaks TLS" in sentence


# full durability


async def test_with_full_durability_each_commit_waits_for_the_disk(
    redis: RedisServer, ids: CountingIds
) -> None:
    """The server says that it is 7.2 and answers `WAITAOF`; a real one does where it is so new."""
    proxy = RedisProxy(
        redis.port, changes={"INFO": NEWER}, answers={"WAITAOF": b"*2\r\n:1\r\n:0\r\n"}
    )
    async with proxy, opened(RedisLog(proxy.url, durability="full")) as log:
        run = await create(log, ids)
        await write(log, run, *texts("a"))
        assert ["WAITAOF", "1", "0"] in [words[:3] for words in proxy.seen]

        proxy.answers["WAITAOF"] = b"*2\r\n:0\r\n:0\r\n"
        with pytest.raises(LogUnavailable, match="neither its disk nor a replica confirmed"):
            await write(log, run, *texts("b"))

        proxy.answers["WAITAOF"] = b"*2\r\n:1\r\n:0\r\n"
        await write(log, run, *texts("b"))
        assert await texts_of(log, run.run) == ["a", "b"]


async def test_with_full_durability_a_real_server_confirms_its_disk(
    redis: RedisServer, ids: CountingIds
) -> None:
    if redis.ask("WAITAOF", "0", "0", "0").startswith(b"-ERR unknown command"):
        pytest.skip("this Redis is older than 7.2 and knows no WAITAOF")
    async with opened(RedisLog(redis.url, durability="full")) as log:
        run = await create(log, ids)
        await write(log, run, *texts("a"))
        await end(log, run)

        assert await texts_of(log, run.run) == ["a"]


async def test_full_durability_that_cannot_be_asked_for_is_refused_with_three_ways_out(
    redis: RedisServer,
) -> None:
    async with RedisProxy(redis.port, changes={"INFO": in_info(redis_version="7.0.15")}) as proxy:
        sentence = await refusal_of(proxy.url, durability="full")

    assert "appendfsync always" in sentence
    assert "version 7.2" in sentence
    assert "POTOK_DURABILITY=normal" in sentence


async def test_full_durability_waits_for_a_replica_that_is_there(
    folder: Path, ids: CountingIds
) -> None:
    primary = RedisServer(
        folder, "--appendonly", "yes", "--appendfsync", "always", "--repl-diskless-sync-delay", "0"
    )
    primary.start()
    replica = RedisServer(folder / "replica", "--replicaof", f"127.0.0.1 {primary.port}")
    replica.start()
    try:
        replica.wait_until_said(b"master_link_status:up", "INFO", "replication")
        async with opened(RedisLog(primary.url, durability="full")) as log:
            run = await create(log, ids)
            await write(log, run, *texts("a"))
            tail = replica.ask("HGET", f"potok:{{{run.run}}}:run", "tail")

            replica.pause()
            with pytest.raises(LogUnavailable, match="neither its disk nor a replica confirmed"):
                await write(log, run, *texts("b"))
            replica.resume()
            await write(log, run, *texts("b"))

            assert await texts_of(log, run.run) == ["a", "b"]
    finally:
        replica.kill()
        primary.kill()
    assert tail == b"$1\r\n1\r\n"


# clusters


async def test_a_cluster_of_several_nodes_is_refused_with_what_to_do(folder: Path) -> None:
    nodes = [RedisServer(folder / name, "--cluster-enabled", "yes") for name in ("a", "b")]
    try:
        for node in nodes:
            node.start()
        first, second = nodes
        first.ask("CLUSTER", "ADDSLOTSRANGE", "0", "8191")
        half = await refusal_of(first.url)
        second.ask("CLUSTER", "ADDSLOTSRANGE", "8192", "16383")
        first.ask("CLUSTER", "MEET", "127.0.0.1", str(second.port), str(second.other))
        first.wait_until_said(b"cluster_size:2", "CLUSTER", "INFO")
        sentence = await refusal_of(first.url)
    finally:
        for node in nodes:
            node.kill()

    assert "a cluster that is not whole" in half
    assert "one of 2 nodes that share a cluster's keys" in sentence
    assert "a cluster of one node" in sentence


# time


async def test_a_clock_that_was_set_back_keeps_no_dead_worker_alive(
    redis: RedisServer, ids: CountingIds
) -> None:
    clock = FakeClock()
    async with opened(RedisLog(redis.url, clock=clock)) as log:
        dead, living = (
            await create(log, ids, worker=WORKER),
            await create(log, ids, worker=OTHER_WORKER),
        )
        for worker in (WORKER, OTHER_WORKER):
            await log.renew_lease(worker, seconds=5)
        assert await log.list_abandoned(items_max=5) == []

        clock._now -= 3600
        await log.renew_lease(OTHER_WORKER, seconds=5)
        abandoned = await log.list_abandoned(items_max=5)
        taken = await log.take_over(dead.run, worker=OTHER_WORKER, epoch=1)

        assert [one.run for one in abandoned] == [dead.run]
        assert (taken.worker, taken.epoch) == (OTHER_WORKER, 2)
        assert (await log.read_run(living.run)).epoch == 1
