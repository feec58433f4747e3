"""What lies beside the runs themselves: workers' leases, who makes what, lists, what has ended.

None of this decides whether a write is taken: the run's own record does (`append.lua`). Each step
here may be repeated, and one that a crash left out is made up for: a run is enlisted before it is
made or taken, a worker enlists its runs anew when their number is wrong, and whoever looks for
abandoned runs files those that have ended. A run missing from its principal's list for the
milliseconds of its start, or listed after it is gone, is all that anybody can see of it.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from potok.clock import RunId, WorkerId
from potok.errors import LogUnavailable
from potok.limits import REDIS_ENLISTED_SECONDS_MAX, REDIS_LEASE_SECONDS_MAX
from potok.streamlog.contract import RunRecord
from potok.streamlog.redis_connections import Connections
from potok.streamlog.redis_records import (
    ENDED_EVENTS,
    ENDED_RECORDS,
    FIELDS,
    LEASES,
    cancels_channel,
    cancels_key,
    made_by_key,
    principal_key,
    record_key,
    record_of,
)
from potok.streamlog.redis_scripts import Command, script_call

__all__ = ["Index", "Leases"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leases:
    """The store's time, and which workers were alive at it."""

    now: float
    living: frozenset[str]
    dead: tuple[str, ...]


class Index:
    """The lists. `now` is '' for the store's clock; `ttl_ms` is how long an unused list lives."""

    def __init__(self, connections: Connections, *, ttl_ms: int) -> None:
        self._connections = connections
        self._ttl_ms = ttl_ms

    # workers

    async def enlist(self, worker: str, runs: Sequence[str], *, now: str) -> None:
        """Note that a worker makes these runs; done before the runs are its own."""
        keys = (LEASES, made_by_key(worker))
        await self._connections.call(*script_call("enlist", keys, now, worker, self._ttl_ms, *runs))

    async def strike(self, worker: str, run: str) -> None:
        """Note that a worker does not make a run any more."""
        await self._connections.pipeline(
            [("ZREM", made_by_key(worker), run), ("SREM", cancels_key(worker), run)]
        )

    async def renew(self, worker: str, *, seconds: float, now: str) -> int:
        """Keep a lease; return how many runs the worker has in its list."""
        assert seconds <= REDIS_LEASE_SECONDS_MAX, "a lease that nobody would believe"
        keys = (LEASES, made_by_key(worker))
        _, count = await self._connections.call(
            *script_call("renew", keys, now, worker, seconds, self._ttl_ms)
        )
        return int(count)

    async def release(self, worker: str) -> None:
        """End a lease; the worker stays known for as long as it has runs."""
        await self._connections.call(*script_call("release", (LEASES,), worker))

    async def leases(self, *, now: str) -> Leases:
        """Return who is alive."""
        at, living, dead = await self._connections.call(
            *script_call("leases", (LEASES,), now, REDIS_LEASE_SECONDS_MAX)
        )
        return Leases(
            now=float(at),
            living=frozenset(one.decode() for one in living),
            dead=tuple(one.decode() for one in dead),
        )

    async def abandoned(self, *, now: str, items_max: int) -> list[RunRecord]:
        """Return live runs of workers without a lease, oldest first; put the lists in order."""
        leases = await self.leases(now=now)
        found: list[RunRecord] = []
        for worker in leases.dead:
            listed = await self._connections.call(
                "ZRANGE", made_by_key(worker), 0, -1, "WITHSCORES"
            )
            since = {
                run.decode(): float(at) for run, at in zip(listed[::2], listed[1::2], strict=True)
            }
            if not since:
                keys = (LEASES, made_by_key(worker))
                words = (now, worker, REDIS_LEASE_SECONDS_MAX)
                await self._connections.call(*script_call("forget_worker", keys, *words))
            records = await self.records(sorted(since))
            found += await self._sort(worker, since, records, now=leases.now)
        return sorted(found, key=lambda one: one.run)[:items_max]

    async def _sort(
        self,
        worker: str,
        since: dict[str, float],
        records: dict[str, RunRecord],
        *,
        now: float,
    ) -> list[RunRecord]:
        abandoned = []
        for run, at in since.items():
            record = records.get(run)
            if record is not None and record.worker == worker:
                if record.is_live:
                    abandoned.append(record)
                else:
                    await self.file_ended(record)
            elif now - at > REDIS_ENLISTED_SECONDS_MAX:
                # It never came, is forgotten, or is another worker's by now.
                await self.strike(worker, run)
        return abandoned

    # cancels

    async def ask_to_end(self, worker: str, run: str) -> None:
        """Put a run before its worker: in a list that it looks at, and by a message."""
        await self._connections.call(
            *script_call("ask_to_end", (cancels_key(worker),), run, self._ttl_ms)
        )
        # The message only makes it quick.
        with suppress(LogUnavailable):
            await self._connections.call(
                "PUBLISH", cancels_channel(self._connections.database), worker
            )

    async def asked_to_end(self, worker: WorkerId) -> list[RunId]:
        """Return the worker's live runs that were asked to end."""
        found = await self._connections.call("SMEMBERS", cancels_key(worker))
        runs = sorted(one.decode() for one in found)
        records = await self.records(runs)
        asked = [
            one.run
            for one in records.values()
            if one.is_live and one.worker == worker and one.cancel_requested
        ]
        done = set(runs).difference(asked)
        if done:
            await self._connections.call("SREM", cancels_key(worker), *done)
        return asked

    # runs

    async def records(self, runs: Sequence[str]) -> dict[str, RunRecord]:
        """Return those records that are there, without snapshots."""
        rows = await self._connections.pipeline(
            [("HMGET", record_key(run), *FIELDS) for run in runs]
        )
        records = (record_of(row) for row in rows)
        return {one.run: one for one in records if one is not None}

    async def add_to_lists(self, record: RunRecord) -> None:
        """Put a run into its principal's lists."""
        commands: list[Command] = []
        for kind in ("runs", "live") if record.is_live else ("runs",):
            key = principal_key(record.principal, kind)
            commands += [("ZADD", key, 0, record.run), ("PEXPIRE", key, self._ttl_ms)]
        await self._connections.pipeline(commands)

    async def listed(
        self, principal: str, kind: str, *, before: str | None, items_max: int
    ) -> list[str]:
        """Return ids of a principal's runs, newest first."""
        end = "+" if before is None else f"({before}"
        found = await self._connections.call(
            *("ZREVRANGEBYLEX", principal_key(principal, kind), end, "-"),
            *("LIMIT", 0, items_max),
        )
        return [one.decode() for one in found]

    async def forget(self, principal: str, runs: Sequence[str]) -> None:
        """Take runs that are gone out of their principal's lists."""
        if runs:
            keys = [principal_key(principal, kind) for kind in ("runs", "live")]
            await self._connections.pipeline([("ZREM", key, *runs) for key in keys])

    # ended runs

    async def file_ended(self, record: RunRecord) -> None:
        """Put a run that has ended where retention finds it."""
        assert record.ended_at is not None
        commands: list[Command] = []
        for key in (ENDED_EVENTS, ENDED_RECORDS):
            commands += [("ZADD", key, record.ended_at, record.run)]
            commands += [("PEXPIRE", key, self._ttl_ms)]
        commands.append(("ZREM", principal_key(record.principal, "live"), record.run))
        if record.worker is not None:
            commands.append(("SREM", cancels_key(record.worker), record.run))
            # Last: while it is there, somebody will do all of this again.
            commands.append(("ZREM", made_by_key(record.worker), record.run))
        await self._connections.pipeline(commands)

    async def ended_before(self, key: str, moment: float, *, items_max: int) -> list[str]:
        """Return runs that ended before a moment, the oldest first."""
        found = await self._connections.call(
            "ZRANGEBYSCORE", key, "-inf", f"({moment:.6f}", "LIMIT", 0, items_max
        )
        return [one.decode() for one in found]

    async def unfile(self, runs: Sequence[str], *keys: str) -> None:
        """Take runs out of the lists of ended ones."""
        if runs:
            await self._connections.pipeline([("ZREM", key, *runs) for key in keys])
