"""The parts of an open Redis log, and how they are put together."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from potok.limits import REDIS_CONNECTIONS_MAX, REDIS_SLACK_SECONDS
from potok.streamlog.cancels import Bells
from potok.streamlog.contract import RunRecord
from potok.streamlog.redis_check import Durability, examine
from potok.streamlog.redis_claims import Claims
from potok.streamlog.redis_connections import Address, Connections
from potok.streamlog.redis_index import Index
from potok.streamlog.redis_news import News
from potok.streamlog.redis_starts import Starts
from potok.streamlog.redis_upkeep import Upkeep
from potok.streamlog.redis_writer import Lifetimes, Writer
from potok.streamlog.wakeups import Wakeups

__all__ = ["Parts", "lifetimes_of", "open_parts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """`writing` is the connection of the commits alone, so that no reader delays one."""

    connections: Connections
    writing: Connections
    writer: Writer
    index: Index
    claims: Claims
    news: News
    upkeep: Upkeep
    starts: Starts

    async def close(self) -> None:
        """Say what is left to be said, and close every connection."""
        await self.news.close()
        await self.writing.close()
        await self.connections.close()


def lifetimes_of(events_kept_seconds: float, records_kept_seconds: float) -> Lifetimes:
    """Return how long keys live; retention removes what they hold a day earlier."""
    record_seconds = max(events_kept_seconds, records_kept_seconds) + REDIS_SLACK_SECONDS
    return Lifetimes(
        record_ms=round(record_seconds * 1000),
        events_ms=round((events_kept_seconds + REDIS_SLACK_SECONDS) * 1000),
        events_kept_seconds=events_kept_seconds,
    )


async def open_parts(
    address: Address,
    *,
    durability: Durability,
    lifetimes: Lifetimes,
    now: Callable[[], str],
    find: Callable[[str], Awaitable[RunRecord | None]],
    wakeups: Wakeups,
    bells: Bells,
) -> Parts:
    """Check the Redis and begin to listen to it; raises as `examine` does."""
    connections = Connections(address, count=REDIS_CONNECTIONS_MAX)
    try:
        store = await examine(
            connections, place=address.shown, durability=durability, ttl_ms=lifetimes.record_ms
        )
    except BaseException:
        await connections.close()
        raise
    writing = Connections(address, count=1)
    index = Index(connections, ttl_ms=lifetimes.record_ms)
    claims = Claims(connections, now=now, find=find)
    writer = Writer(writing, place=address.shown, now=now, lifetimes=lifetimes, sync=store.sync)
    news = News(address, connections, wakeups=wakeups, bells=bells)
    upkeep = Upkeep(
        connections, index=index, claims=claims, writer=writer, now=now, lifetimes=lifetimes
    )
    starts = Starts(
        connections, index=index, writer=writer, upkeep=upkeep, now=now, lifetimes=lifetimes
    )
    news.start()
    return Parts(
        connections=connections,
        writing=writing,
        writer=writer,
        index=index,
        claims=claims,
        news=news,
        upkeep=upkeep,
        starts=starts,
    )
