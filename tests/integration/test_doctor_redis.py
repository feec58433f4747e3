"""What `potok doctor` says of a real Redis, and of none."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.harness import free_port
from tests.redis_proxy import RedisProxy, in_info
from tests.redis_server import PASSWORD, RedisServer, need_redis
from tests.unit.cli.command import run

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

Found = list[dict[str, Any]]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    need_redis()
    server = RedisServer(tmp_path / "redis", "--appendonly", "yes")
    server.start()
    yield server
    server.kill()


def examine(folder: Path, url: str, **environ: str) -> tuple[int, Found]:
    """Return the exit code, and what was found of the event log."""
    given = {"data_dir": str(folder / "data"), "port": str(free_port()), "redis_url": url}
    ended = run("doctor", "--json", **given, **environ)
    assert PASSWORD not in ended.out
    checks = json.loads(ended.out)["checks"]
    return ended.code, [check for check in checks if check["name"] == "event log"]


def test_a_sound_redis_is_described_and_nothing_in_it_is_changed(
    redis: RedisServer, tmp_path: Path
) -> None:
    code, [log] = examine(tmp_path, redis.url)

    assert (code, log["state"]) == (0, "ok")
    assert f" at 127.0.0.1:{redis.port}/0; append-only file, fsync everysec; " in log["detail"]
    assert "replicas: 0" in log["detail"]
    assert redis.ask("DBSIZE") == b":0\r\n"


def test_what_a_redis_may_lose_is_a_warning_with_what_to_set(
    redis: RedisServer, tmp_path: Path
) -> None:
    redis.ask("CONFIG", "SET", "appendonly", "no")
    redis.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    redis.ask("CONFIG", "SET", "maxmemory", "64mb")

    code, [log, file, memory] = examine(tmp_path, redis.url)

    assert (code, log["state"]) == (0, "ok")
    assert "keeps no append-only file" in log["detail"]
    assert "of 64, then allkeys-lru" in log["detail"]
    assert (file["state"], file["advice"]) == ("warning", "Set `appendonly yes` there.")
    assert (memory["state"], memory["advice"]) == (
        "warning",
        "Set `maxmemory-policy noeviction` there.",
    )


def test_a_durability_that_cannot_be_kept_is_a_problem(redis: RedisServer, tmp_path: Path) -> None:
    redis.ask("CONFIG", "SET", "appendonly", "no")

    code, [log] = examine(tmp_path, redis.url, durability="full")

    assert (code, log["state"]) == (1, "problem")
    assert "POTOK_DURABILITY=full cannot be kept" in log["detail"]


def test_a_redis_that_cannot_be_used_is_a_problem_that_says_why(
    redis: RedisServer, tmp_path: Path
) -> None:
    redis.ask("CONFIG", "SET", "requirepass", PASSWORD)
    _, [locked] = examine(tmp_path, redis.url)
    redis.kill()
    _, [gone] = examine(tmp_path, redis.url)

    assert "does not accept the user or password" in locked["detail"]
    assert "cannot be reached" in gone["detail"]
    assert locked["state"] == gone["state"] == "problem"


@pytest.mark.parametrize(
    ("changes", "state", "words"),
    [
        ({"INFO": in_info(redis_version="6.2.14")}, "problem", "is too old"),
        (
            {"INFO": in_info(role="slave", master_host="10.0.0.1", master_port="6379")},
            "problem",
            "is a replica that can only be read",
        ),
        ({"TIME": lambda _: b"*2\r\n$1\r\n0\r\n$1\r\n0\r\n"}, "warning", "the clock of Redis is -"),
    ],
    ids=["too old", "replica", "clock"],
)
async def test_an_odd_redis_is_told(
    redis: RedisServer, tmp_path: Path, changes: dict[str, Any], state: str, words: str
) -> None:
    async with RedisProxy(redis.port, changes=changes) as proxy:
        _, found = await asyncio.to_thread(examine, tmp_path, proxy.url)

    assert found[-1]["state"] == state
    assert words in found[-1]["detail"]
