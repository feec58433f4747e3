"""Makes a run in Redis: enlisted first, then stored, then listed for its principal."""

from collections.abc import Callable

from potok.errors import OurBug
from potok.streamlog.contract import NewRun, RunRecord
from potok.streamlog.redis_connections import Connections, Reply
from potok.streamlog.redis_index import Index
from potok.streamlog.redis_records import fields_of, new_record, record_key
from potok.streamlog.redis_scripts import script_call
from potok.streamlog.redis_upkeep import Upkeep
from potok.streamlog.redis_writer import Lifetimes, OwnRun, Writer

__all__ = ["Starts"]


class Starts:
    """Starts runs of this process. A start that may have worked unheard is left to others."""

    def __init__(
        self,
        connections: Connections,
        *,
        index: Index,
        writer: Writer,
        upkeep: Upkeep,
        now: Callable[[], str],
        lifetimes: Lifetimes,
    ) -> None:
        self._connections = connections
        self._index = index
        self._writer = writer
        self._upkeep = upkeep
        self._now = now
        self._lifetimes = lifetimes

    async def start(self, new: NewRun) -> RunRecord | None:
        """Store a run whose key, if it has one, is claimed for it.

        None if that took so long that another caller got the claim: the run can never be made.
        """
        await self._index.enlist(new.worker, [new.run], now=self._now())
        try:
            answer = await self._create(new)
        except BaseException:
            # It may be there, and nobody here will make it.
            await self._upkeep.do_or_leave(lambda: self._upkeep.give_away(new.run, new.worker))
            raise
        if answer[0] != b"ok":
            await self._index.strike(new.worker, new.run)
            if answer[0] == b"exists":
                raise OurBug(f"run {new.run} was created before")
            return None
        record = new_record(new, at=float(answer[1]))
        self._writer.own[new.run] = OwnRun(record, worker=new.worker)
        # Stored is stored: a list that cannot be written now is written with the lease.
        await self._upkeep.do_or_leave(lambda: self._index.add_to_lists(record))
        return record

    async def _create(self, new: NewRun) -> Reply:
        return await self._connections.repeat(
            lambda again: script_call(
                "create",
                (record_key(new.run),),
                *(self._now(), self._lifetimes.record_ms, int(again), new.worker),
                *fields_of(new),
            )
        )
