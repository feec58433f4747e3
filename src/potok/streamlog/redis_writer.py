"""The writing half of the Redis log: commits of events, and the runs that this process makes.

One pipeline is one commit: a script per run that checks the epoch and stores the run's events as
one chunk. A commit whose answer is lost may have been done. The runs in it are then in doubt: when
they are written again, the script tells a chunk that it has already from one that it has not.
"""

from collections.abc import Callable, Sequence

import msgspec

from potok.clock import WorkerId
from potok.errors import LogUnavailable, PotokError, RunNotFound, StaleEpoch
from potok.events.envelope import Offset, StoredEvent
from potok.limits import TAIL_BYTES_MAX, TAILS_BYTES_MAX
from potok.streamlog.contract import Appended, Batch, RunRecord
from potok.streamlog.redis_connections import Connections, Reply, explain, is_refused
from potok.streamlog.redis_pages import chunk_lines, lost
from potok.streamlog.redis_records import events_key, record_key
from potok.streamlog.redis_scripts import Command, script_call
from potok.streamlog.rules import encode_lines
from potok.streamlog.tail import RecentEvents

__all__ = ["Lifetimes", "OwnRun", "Stored", "Writer"]


class Lifetimes(msgspec.Struct, frozen=True):
    """How long keys live without being touched, in milliseconds, and events after a run's end."""

    record_ms: int
    events_ms: int
    events_kept_seconds: float


class OwnRun:
    """A live run that this process writes. `tail` is what Redis acknowledged."""

    __slots__ = ("epoch", "in_doubt", "recent", "record", "tail", "worker")

    def __init__(self, record: RunRecord, *, worker: WorkerId) -> None:
        self.record = record
        self.worker = worker
        self.epoch = record.epoch
        self.tail = record.tail
        self.recent = RecentEvents(record.tail)
        self.in_doubt = False


class Stored(msgspec.Struct, frozen=True):
    """A batch that a commit stored. `is_cancelled` says that the run shall end."""

    appended: Appended
    is_ended: bool
    is_cancelled: bool


class Writer:
    """Commits batches over one connection, in the order of the calls."""

    def __init__(
        self,
        connections: Connections,
        *,
        place: str,
        now: Callable[[], str],
        lifetimes: Lifetimes,
        sync: Sequence[Command],
    ) -> None:
        """Args: sync: what makes a commit durable, `WAIT` or `WAITAOF`."""
        self._connections = connections
        self._place = place
        self._now = now
        self._lifetimes = lifetimes
        self._sync = sync
        self.own: dict[str, OwnRun] = {}

    async def commit(self, batches: Sequence[Batch]) -> list[Stored | PotokError]:
        """Store batches as `StreamLog.append` promises."""
        packed = [_pack(batch) for batch in batches]
        sound = [
            (batch, lines)
            for batch, lines in zip(batches, packed, strict=True)
            if isinstance(lines, list)
        ]
        if not sound:
            return [one for one in packed if isinstance(one, PotokError)]
        replies = iter(await self._exchange(sound))
        return [
            self._answer(batch, lines, next(replies)) if isinstance(lines, list) else lines
            for batch, lines in zip(batches, packed, strict=True)
        ]

    async def _exchange(self, sound: Sequence[tuple[Batch, list[bytes]]]) -> list[Reply]:
        chunks = [(batch, chunk_lines(lines), len(lines)) for batch, lines in sound]

        def build(again: bool) -> list[Command]:
            calls = [self._call(batch, body, count, again) for batch, body, count in chunks]
            return [*calls, *self._sync]

        # Only of a run of our own is it known where a chunk would be that was stored unheard.
        known = all(batch.run in self.own for batch, _ in sound)
        try:
            replies = await self._connections.exchange(build, tries=2 if known else 1)
            for reply in replies:
                if is_refused(reply):
                    raise explain(reply, self._place)
            if not all(map(_is_kept, self._sync, replies[len(sound) :])):
                raise LogUnavailable(
                    f"Redis at {self._place} took the events, but neither its disk nor a replica"
                    " confirmed them in time. Nothing that was shown is lost. Look at both."
                )
        except BaseException:
            for batch, _ in sound:
                if batch.run in self.own:
                    self.own[batch.run].in_doubt = True
            raise
        return replies

    def _call(self, batch: Batch, body: bytes, count: int, again: bool) -> Command:
        own = self.own.get(batch.run)
        tail = own.tail if own is not None and own.epoch == batch.epoch else 0
        doubted = tail + 1 if own is not None and (own.in_doubt or again) else 0
        status, snapshot = "", b""
        if batch.ending is not None:
            status, snapshot = batch.ending.status, batch.ending.snapshot
        lifetimes = self._lifetimes
        return script_call(
            "append",
            (record_key(batch.run), events_key(batch.run)),
            *(self._now(), batch.epoch, count, body, tail, doubted, lifetimes.record_ms),
            *(status, snapshot, lifetimes.events_ms, lifetimes.events_kept_seconds),
        )

    def _answer(self, batch: Batch, lines: Sequence[bytes], reply: Reply) -> Stored | PotokError:
        own = self.own.get(batch.run)
        match reply[0]:
            case b"missing":
                return RunNotFound(batch.run) if own is None else lost(batch.run, 0)
            case b"lost":
                return lost(batch.run, reply[1])
            case b"stale":
                current = int(reply[1])
                if own is not None and own.epoch != current:
                    del self.own[batch.run]
                return StaleEpoch(run=batch.run, epoch=batch.epoch, current=current)
        _, tail, at_text, is_cancelled = reply
        at = float(at_text)
        if own is not None:
            self._keep(own, batch, lines, tail=tail, at=at)
        if batch.ending is not None:
            self.own.pop(batch.run, None)
        appended = Appended(batch.run, Offset(tail), at)
        return Stored(appended, batch.ending is not None, is_cancelled is not None)

    def _keep(
        self, own: OwnRun, batch: Batch, lines: Sequence[bytes], *, tail: int, at: float
    ) -> None:
        first = tail - len(lines) + 1
        if first != own.tail + 1:
            # Something of ours was stored unheard, and it was not this: let readers ask Redis.
            own.recent = RecentEvents(Offset(first - 1))
        own.recent.extend(
            [StoredEvent(Offset(n), event, at) for n, event in enumerate(batch.events, first)],
            size=sum(map(len, lines)),
            bytes_max=min(TAIL_BYTES_MAX, TAILS_BYTES_MAX // len(self.own)),
        )
        own.tail = Offset(tail)
        own.in_doubt = False


def _is_kept(command: Command, reply: Reply) -> bool:
    """Whether as many disks and replicas confirmed a commit as were asked to."""
    if command[0] == "WAITAOF":
        wanted_disks, wanted_replicas = command[1:3]
        return bool(reply[0] >= wanted_disks and reply[1] >= wanted_replicas)
    return bool(reply >= command[1])


def _pack(batch: Batch) -> list[bytes] | PotokError:
    try:
        return encode_lines(batch)
    except PotokError as refusal:
        return refusal
