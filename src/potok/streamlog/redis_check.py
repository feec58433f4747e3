"""Looks at a Redis before it is used: its version, its role, how surely it keeps what it takes."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from potok.errors import DatabaseNewer, LogUnavailable, RedisUnusable
from potok.limits import REDIS_SYNC_MS_MAX
from potok.streamlog.redis_connections import Connections, is_refused
from potok.streamlog.redis_records import FORMAT, grew_channel
from potok.streamlog.redis_scripts import Command, all_scripts

__all__ = [
    "LAYOUT_VERSION",
    "Durability",
    "RedisReport",
    "Store",
    "check_server",
    "examine",
    "find_risks",
    "read_info",
    "sync_commands",
    "version_of",
]

_logger = logging.getLogger("potok.streamlog")

LAYOUT_VERSION = 1
"""The layout of keys that this Potok writes, kept under `FORMAT`."""

_VERSION_MIN = 7
_WAITAOF_SINCE = (7, 2)

Durability = Literal["normal", "full"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisReport:
    """What is known of the server. `warnings` are sentences about what it may lose."""

    version: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A Redis that can be used; `sync` are the commands that make a commit durable."""

    report: RedisReport
    sync: tuple[Command, ...]


async def examine(
    connections: Connections, *, place: str, durability: Durability, ttl_ms: int
) -> Store:
    """Check the Redis at `place` and give it our scripts.

    Raises:
        RedisUnusable: unreachable, no access, too old, a replica, one node of several, or not as
            durable as asked.
        DatabaseNewer: a newer Potok uses it with another layout.
    """
    try:
        info = read_info(await connections.call("INFO"))
        await check_server(connections, info, place)
        # Written, read and announced once: rights, memory and disk are tried before a run is.
        await connections.pipeline([("SCRIPT", "LOAD", one.source) for one in all_scripts()])
        await connections.call("SET", FORMAT, LAYOUT_VERSION, "PX", ttl_ms)
        await connections.call("PUBLISH", grew_channel(connections.database), "")
        sync = await sync_commands(connections, info, place) if durability == "full" else ()
    except LogUnavailable as error:
        raise RedisUnusable(error.message) from error
    report = RedisReport(version=version_of(info), warnings=tuple(find_risks(info, place)))
    for warning in report.warnings:
        _logger.warning("%s", warning)
    return Store(report=report, sync=sync)


async def check_server(connections: Connections, info: Mapping[str, str], place: str) -> None:
    """Raise `RedisUnusable` or `DatabaseNewer` unless Potok can use the server; changes nothing."""
    _check_version(info, place)
    _check_role(info, place)
    await _check_cluster(connections, info, place)
    await _check_layout(connections, place)


def read_info(reply: bytes) -> dict[str, str]:
    """Return the facts of an answer to `INFO`."""
    pairs = (line.partition(":") for line in reply.decode(errors="replace").splitlines())
    return {name: value for name, colon, value in pairs if colon}


def version_of(info: Mapping[str, str]) -> str:
    """Return the product and its own version."""
    valkey = info.get("valkey_version")
    return f"Valkey {valkey}" if valkey else f"Redis {info.get('redis_version', '?')}"


def _numbers_of(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())


def _check_version(info: Mapping[str, str], place: str) -> None:
    # Valkey says in this field which Redis it equals.
    numbers = _numbers_of(info.get("redis_version", ""))
    if not numbers or numbers[0] < _VERSION_MIN:
        raise RedisUnusable(
            f"{version_of(info)} at {place} is too old: Potok needs Redis or Valkey"
            f" {_VERSION_MIN} or newer. Install one, or point POTOK_REDIS_URL at one."
        )


def _check_role(info: Mapping[str, str], place: str) -> None:
    if info.get("role") == "slave":
        primary = f"{info.get('master_host', '?')}:{info.get('master_port', '?')}"
        raise RedisUnusable(
            f"Redis at {place} is a replica that can only be read. Point POTOK_REDIS_URL at its"
            f" primary, {primary}."
        )


async def _check_cluster(connections: Connections, info: Mapping[str, str], place: str) -> None:
    if info.get("cluster_enabled") != "1":
        return
    [reply] = await connections.exchange(lambda again: [("CLUSTER", "INFO")])
    if is_refused(reply):
        return
    cluster = read_info(reply)
    if cluster.get("cluster_size", "1") not in ("0", "1"):
        raise RedisUnusable(
            f"Redis at {place} is one of {cluster['cluster_size']} nodes that share a cluster's"
            " keys. Potok speaks to one node, which has to hold all of them: point POTOK_REDIS_URL"
            " at a Redis or Valkey that is no cluster, at a cluster of one node, or at a proxy that"
            " sends each key to its node."
        )
    if cluster.get("cluster_state") != "ok":
        raise RedisUnusable(
            f"Redis at {place} is a cluster that is not whole, and takes no keys. Give its node all"
            " slots (redis-cli --cluster fix), or point POTOK_REDIS_URL at another Redis."
        )


async def _check_layout(connections: Connections, place: str) -> None:
    stored = await connections.call("GET", FORMAT)
    version = int(stored) if stored and stored.isdigit() else LAYOUT_VERSION
    if version > LAYOUT_VERSION:
        raise DatabaseNewer(
            f"Redis at {place} is used by a newer Potok, with layout {version}; this one knows"
            f" layouts up to {LAYOUT_VERSION}. Install the newer Potok here too, or use another"
            " database of that Redis. Nothing was changed."
        )


async def sync_commands(
    connections: Connections, info: Mapping[str, str], place: str
) -> tuple[Command, ...]:
    """Return what makes a commit durable; raises `RedisUnusable` where nothing does."""
    replicas = int(info.get("connected_slaves", "0"))
    wait: tuple[Command, ...] = (("WAIT", 1, REDIS_SYNC_MS_MAX),) if replicas else ()
    if info.get("aof_enabled") != "1":
        raise RedisUnusable(
            f"Redis at {place} keeps no append-only file, so POTOK_DURABILITY=full cannot be kept."
            " Set `appendonly yes` there, or use POTOK_DURABILITY=normal."
        )
    [reply] = await connections.exchange(lambda again: [("CONFIG", "GET", "appendfsync")])
    if not is_refused(reply) and list(reply[1:]) == [b"always"]:
        # Redis answers nobody, readers neither, before its disk has what it says.
        return wait
    if _numbers_of(info.get("redis_version", "")) < _WAITAOF_SINCE:
        raise RedisUnusable(
            f"{version_of(info)} at {place} cannot say when its disk has the events, so"
            " POTOK_DURABILITY=full cannot be kept. Set `appendfsync always` there, install"
            " version 7.2 or newer, or use POTOK_DURABILITY=normal."
        )
    return (("WAITAOF", 1, 1 if replicas else 0, REDIS_SYNC_MS_MAX),)


def find_risks(info: Mapping[str, str], place: str) -> list[str]:
    """Return sentences about what the server may lose, each with what to do."""
    risks = []
    if info.get("aof_enabled") == "0":
        risks.append(
            f"Redis at {place} keeps no append-only file: runs do not survive its restart. Set"
            " `appendonly yes` there."
        )
    policy = info.get("maxmemory_policy", "noeviction")
    if info.get("maxmemory", "0") != "0" and policy != "noeviction":
        risks.append(
            f"Redis at {place} drops data when its memory is full ({policy}), live runs too. Set"
            " `maxmemory-policy noeviction` there."
        )
    return risks
