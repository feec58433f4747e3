"""What a worker does beside its runs: steps that failed, keys' time to live, retention."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from potok.errors import LogUnavailable, RunNotFound
from potok.limits import REDIS_REFRESH_SECONDS, TRIM_RUNS_MAX, TRIM_STEPS_MAX
from potok.streamlog.contract import Trimmed
from potok.streamlog.redis_check import LAYOUT_VERSION
from potok.streamlog.redis_claims import Claims
from potok.streamlog.redis_connections import Connections, Reply
from potok.streamlog.redis_index import Index
from potok.streamlog.redis_records import (
    ENDED_EVENTS,
    ENDED_RECORDS,
    FORMAT,
    events_key,
    made_by_key,
    record_key,
)
from potok.streamlog.redis_scripts import Command, script_call
from potok.streamlog.redis_writer import Lifetimes, Writer

__all__ = ["NOBODY", "Step", "Upkeep"]

_logger = logging.getLogger("potok.streamlog")

NOBODY = "nobody"
"""A worker that never lives: what it makes is there for others to take."""

Step = Callable[[], Awaitable[None]]

# Seconds since the epoch that no run ends after.
_ANY_TIME = 1e12


class Upkeep:
    """One process's chores in Redis; each may be done again, by this process or another."""

    def __init__(
        self,
        connections: Connections,
        *,
        index: Index,
        claims: Claims,
        writer: Writer,
        now: Callable[[], str],
        lifetimes: Lifetimes,
    ) -> None:
        self._connections = connections
        self._index = index
        self._claims = claims
        self._writer = writer
        self._now = now
        self._lifetimes = lifetimes
        self._left: list[Step] = []
        self._refreshed_at: float | None = None

    async def do_or_leave(self, step: Step) -> None:
        """Do a step that nobody waits for; if Redis fails, try it again with the lease."""
        try:
            await step()
        except LogUnavailable:
            self._left.append(step)

    async def beat(self, worker: str, *, listed: int, loop_now: float) -> None:
        """Do what is due when a lease was renewed; `listed` is the length of the worker's list."""
        left, self._left = self._left, []
        for step in left:
            await self.do_or_leave(step)
        runs = [run for run, own in self._writer.own.items() if own.worker == worker]
        if listed < len(runs):
            await self._index.enlist(worker, runs, now=self._now())
        if self._refreshed_at is None or loop_now - self._refreshed_at >= REDIS_REFRESH_SECONDS:
            self._refreshed_at = loop_now
            await self._refresh(worker, runs)

    async def _refresh(self, worker: str, runs: list[str]) -> None:
        ttl_ms = self._lifetimes.record_ms
        keys = [key(run) for run in runs for key in (record_key, events_key)]
        _, layout, *_ = await self._connections.pipeline(
            [
                # Made anew where Redis forgot it; a newer Potok's word stands.
                ("SET", FORMAT, LAYOUT_VERSION, "PX", ttl_ms, "NX"),
                ("GET", FORMAT),
                *(("PEXPIRE", key, ttl_ms) for key in (FORMAT, made_by_key(worker), *keys)),
            ]
        )
        if layout.isdigit() and int(layout) > LAYOUT_VERSION:
            _logger.error(
                "Redis is used by a newer Potok by now, with layout %s; this one knows layouts up"
                " to %s. Stop this worker and install the newer Potok here too.",
                layout.decode(),
                LAYOUT_VERSION,
            )

    async def give_away(self, run: str, worker: str) -> None:
        """Let others have a run that may have been stored, and that nobody here makes."""
        await self._index.enlist(NOBODY, [run], now=self._now())
        [answer, *_] = await self._connections.call(
            *script_call("take_over", (record_key(run),), 1, worker, NOBODY, "1")
        )
        if answer == b"missing" and not await self._claims.make_void(run):
            # It came between the two questions.
            raise LogUnavailable("A run's start is still on its way.")

    # retention

    async def trim(self, *, events_before: float, records_before: float) -> Trimmed:
        """Trim as `StreamLog.trim` promises."""
        events_of = records = 0
        for _ in range(TRIM_STEPS_MAX):
            forgotten, had_events, is_done = await self._trim_records(records_before)
            emptied, is_done_too = await self._trim_events(events_before)
            records += forgotten
            events_of += had_events + emptied
            if is_done and is_done_too:
                break
        return Trimmed(events_of, records)

    async def _trim_records(self, before: float) -> tuple[int, int, bool]:
        runs = await self._index.ended_before(ENDED_RECORDS, before, items_max=TRIM_RUNS_MAX)
        replies = await self._connections.pipeline(
            [self._trim_call(run, "record", before) for run in runs]
        )
        done, had_events = 0, 0
        for run, reply in zip(runs, replies, strict=True):
            if reply[0] != b"ok":
                continue
            done += 1
            had_events += reply[1]
            await self._forget_names(run, reply)
        await self._index.unfile(runs, ENDED_EVENTS, ENDED_RECORDS)
        return done, had_events, len(runs) < TRIM_RUNS_MAX

    async def forget(self, run: str) -> bool:
        """Remove an ended run as `StreamLog.forget_run` promises."""
        reply = await self._connections.call(*self._trim_call(run, "record", _ANY_TIME))
        if reply[0] == b"missing":
            raise RunNotFound(run)
        if reply[0] != b"ok":
            return False
        await self._forget_names(run, reply)
        await self._index.unfile([run], ENDED_EVENTS, ENDED_RECORDS)
        return True

    async def _forget_names(self, run: str, reply: Reply) -> None:
        principal, key = reply[2].decode(), reply[3].decode()
        await self._index.forget(principal, [run])
        if key:
            with suppress(LogUnavailable):
                await self._claims.forget(principal, key, run)

    async def _trim_events(self, before: float) -> tuple[int, bool]:
        runs = await self._index.ended_before(ENDED_EVENTS, before, items_max=TRIM_RUNS_MAX)
        replies = await self._connections.pipeline(
            [self._trim_call(run, "events", before) for run in runs]
        )
        await self._index.unfile(runs, ENDED_EVENTS)
        done = sum(reply[1] for reply in replies if reply[0] == b"ok")
        return done, len(runs) < TRIM_RUNS_MAX

    def _trim_call(self, run: str, what: str, before: float) -> Command:
        return script_call("trim", (record_key(run), events_key(run)), what, f"{before:.6f}")
