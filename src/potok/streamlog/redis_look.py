"""Looks at a Redis for `potok doctor`: whether it can be used, how it is set, what it may lose.

Changes nothing there: no script is loaded and no key is touched.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from potok.clock import Clock
from potok.errors import LogUnavailable, RedisUnusable
from potok.streamlog.redis_check import (
    Durability,
    check_server,
    find_risks,
    read_info,
    sync_commands,
    version_of,
)
from potok.streamlog.redis_connections import Address, Connections, is_refused

__all__ = ["RedisFacts", "look"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisFacts:
    """What a Redis says of itself.

    Attributes:
        version: `Redis 7.2.4` or `Valkey 8.0.1`.
        keeps: How surely it keeps what it takes, in words.
        policy: What it does when its memory is full, `noeviction` or another.
        memory_max: Bytes that it may use; 0 for as many as there are.
        replicas: How many follow it.
        skew_seconds: Its clock minus this machine's.
        answer_seconds: How long an answer took.
        risks: Sentences about what it may lose, and what to do about that.
    """

    place: str
    version: str
    keeps: str
    policy: str
    memory_used: int
    memory_max: int
    replicas: int
    skew_seconds: float
    answer_seconds: float
    risks: tuple[str, ...]


async def look(url: str, *, durability: Durability, clock: Clock) -> RedisFacts:
    """Return what is known of the Redis at a URL.

    Raises:
        RedisUnusable: Potok cannot use it; see `redis_check.examine`.
        DatabaseNewer: a newer Potok does.
    """
    address = Address(url)
    connections = Connections(address, count=1)
    try:
        info = read_info(await connections.call("INFO"))
        await check_server(connections, info, address.shown)
        if durability == "full":
            await sync_commands(connections, info, address.shown)
        began = clock.monotonic()
        seconds, micros = await connections.call("TIME")
        took = clock.monotonic() - began
        skew = int(seconds) + int(micros) / 1e6 - (clock.now() - took / 2)
        keeps = await _keeps(connections, info)
    except LogUnavailable as error:
        raise RedisUnusable(error.message) from error
    finally:
        await connections.close()
    return RedisFacts(
        place=address.shown,
        version=version_of(info),
        keeps=keeps,
        policy=info.get("maxmemory_policy", "?"),
        memory_used=int(info.get("used_memory", "0")),
        memory_max=int(info.get("maxmemory", "0")),
        replicas=int(info.get("connected_slaves", "0")),
        skew_seconds=skew,
        answer_seconds=took,
        risks=tuple(find_risks(info, address.shown)),
    )


async def _keeps(connections: Connections, info: Mapping[str, str]) -> str:
    if info.get("aof_enabled") != "1":
        return "keeps no append-only file"
    [reply] = await connections.exchange(lambda again: [("CONFIG", "GET", "appendfsync")])
    when = "?" if is_refused(reply) or len(reply) < 2 else reply[1].decode(errors="replace")
    return f"append-only file, fsync {when}"
