"""How one process hears that runs grew, with one connection for all its readers.

Every commit of every worker is announced once, to everybody. A message may be lost: a run that
somebody waits for is looked at when nothing was heard of it for `limits.REDIS_RECHECK_SECONDS`, and
all of them when the connection had to be made anew.
"""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress

from redis.exceptions import RedisError

from potok.errors import LogUnavailable, RunNotFound
from potok.events.envelope import Offset
from potok.limits import (
    REDIS_CONNECT_SECONDS,
    REDIS_LISTEN_PING_SECONDS,
    REDIS_LISTEN_RETRY_SECONDS_MAX,
    REDIS_LISTEN_RETRY_SECONDS_MIN,
    REDIS_LISTEN_SILENCE_SECONDS_MAX,
    REDIS_RECHECK_SECONDS,
    REDIS_UNWATCHED_SECONDS,
)
from potok.streamlog.cancels import Bells
from potok.streamlog.redis_connections import Address, Connections, connect, send
from potok.streamlog.redis_records import cancels_channel, grew_channel, record_key
from potok.streamlog.wakeups import Wakeups

__all__ = ["Followed", "News", "Place"]

_LONG_AGO = float("-inf")


class Place:
    """What a line of news says of a run."""

    LIVE, ENDED, LOST = 0, 1, 2


class Followed:
    """A run that readers here wait for. Times are the event loop's."""

    __slots__ = ("heard_at", "is_ended", "tail", "wanted_at")

    def __init__(self, now: float) -> None:
        self.tail = Offset(0)
        self.is_ended = False
        self.heard_at = now
        self.wanted_at = now


class News:
    """Listens, tells, and wakes."""

    def __init__(
        self, address: Address, connections: Connections, *, wakeups: Wakeups, bells: Bells
    ) -> None:
        self._address = address
        self._connections = connections
        self._grew = grew_channel(address.database)
        self._cancels = cancels_channel(address.database)
        self._wakeups = wakeups
        self._bells = bells
        self._followed: dict[str, Followed] = {}
        self._looks: dict[str, asyncio.Task[None]] = {}
        self._untold: dict[str, tuple[int, int]] = {}
        self._telling: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to listen."""
        self._tasks = [
            asyncio.create_task(self._listen(), name="potok-redis-listen"),
            asyncio.create_task(self._look_after(), name="potok-redis-recheck"),
        ]

    async def close(self) -> None:
        """Say what is left to be said, and stop."""
        if self._telling is not None:
            await asyncio.wait([self._telling], timeout=REDIS_CONNECT_SECONDS)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._tasks.clear()
        if self._looks:
            # Readers wait for them, and must not take our end for their own.
            await asyncio.wait(self._looks.values(), timeout=REDIS_CONNECT_SECONDS)
        self._followed.clear()

    # telling

    def tell(self, run: str, tail: int, place: int) -> None:
        """Announce a run's new place, here at once and to the others soon."""
        self._hear(run, tail, place)
        self._untold[run] = (tail, place)
        if self._telling is None:
            self._telling = asyncio.create_task(self._tell_all(), name="potok-redis-tell")

    async def _tell_all(self) -> None:
        try:
            while self._untold:
                untold, self._untold = self._untold, {}
                lines = "\n".join(f"{run} {tail} {at}" for run, (tail, at) in untold.items())
                # A message that is lost is what the re-checks are for.
                with suppress(LogUnavailable):
                    await self._connections.call("PUBLISH", self._grew, lines)
        finally:
            self._telling = None

    # following

    async def follow(self, run: str) -> Followed:
        """Return what is known of a run, kept up to date from now on; raises `RunNotFound`."""
        now = asyncio.get_running_loop().time()
        look = self._looks.get(run)
        if look is None and run not in self._followed:
            # Noted before its tail is read, so that news which come meanwhile are not lost.
            self._followed[run] = Followed(now)
            look = self._looks[run] = asyncio.create_task(self._first_look(run))
        if look is not None:
            # Its own task: a reader that goes away meanwhile must not take it from the others.
            await asyncio.shield(look)
        followed = self._followed.get(run)
        if followed is None:
            raise RunNotFound(run)
        followed.wanted_at = now
        return followed

    async def _first_look(self, run: str) -> None:
        try:
            await self._look_at([run])
        except BaseException:
            self._followed.pop(run, None)
            raise
        finally:
            del self._looks[run]

    async def _look_at(self, runs: Sequence[str]) -> None:
        # As known before Redis is asked: its answer may be older than the news that come meanwhile.
        known = [self._followed[run].tail for run in runs]
        rows = await self._connections.pipeline(
            [("HMGET", record_key(run), "tail", "status", "lost") for run in runs]
        )
        for run, before, (tail, status, is_lost) in zip(runs, known, rows, strict=True):
            if tail is None or is_lost or int(tail) < before:
                self._hear(run, 0, Place.LOST)
            else:
                self._hear(run, int(tail), Place.ENDED if status else Place.LIVE)

    def _hear(self, run: str, tail: int, place: int) -> None:
        followed = self._followed.get(run)
        if followed is None:
            return
        followed.heard_at = asyncio.get_running_loop().time()
        if place == Place.LOST:
            # Whoever waits reads again, and is told so by the store.
            del self._followed[run]
            self._wakeups.end(run)
            return
        followed.is_ended = followed.is_ended or place == Place.ENDED
        if tail > followed.tail:
            followed.tail = Offset(tail)
            self._wakeups.grew(run, followed.tail)

    # listening

    async def _listen(self) -> None:
        delay = REDIS_LISTEN_RETRY_SECONDS_MIN
        while True:
            connection = self._address.connection()
            try:
                async with asyncio.timeout(REDIS_CONNECT_SECONDS):
                    await connect(connection)
                    await send(connection, [("SUBSCRIBE", self._grew, self._cancels)])
                silent_seconds = 0.0
                while silent_seconds < REDIS_LISTEN_SILENCE_SECONDS_MAX:
                    message = await connection.read_response(
                        timeout=REDIS_LISTEN_PING_SECONDS, disconnect_on_error=False
                    )
                    if message is None:
                        silent_seconds += REDIS_LISTEN_PING_SECONDS
                        await send(connection, [("PING",)])
                        continue
                    silent_seconds = 0.0
                    self._take(message)
                    delay = REDIS_LISTEN_RETRY_SECONDS_MIN
            except (RedisError, OSError, TimeoutError):
                pass
            finally:
                await connection.disconnect(nowait=True)
            await asyncio.sleep(delay)
            delay = min(2 * delay, REDIS_LISTEN_RETRY_SECONDS_MAX)

    def _take(self, message: Sequence[bytes]) -> None:
        if message[0] == b"subscribe":
            # What was said before is lost: everybody looks for himself.
            for followed in self._followed.values():
                followed.heard_at = _LONG_AGO
            self._bells.ring_all()
        elif message[0] == b"message" and message[1] == self._cancels.encode():
            self._bells.ring(message[2].decode(errors="replace"))
        elif message[0] == b"message":
            for run, tail, place in _read_lines(message[2]):
                self._hear(run, tail, place)

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(REDIS_RECHECK_SECONDS / 2)
            now = asyncio.get_running_loop().time()
            for run, followed in list(self._followed.items()):
                if self._wakeups.is_waited_for(run):
                    followed.wanted_at = now
                elif now - followed.wanted_at > REDIS_UNWATCHED_SECONDS:
                    del self._followed[run]
            quiet = [
                run
                for run, followed in self._followed.items()
                if now - followed.heard_at >= REDIS_RECHECK_SECONDS
                and not followed.is_ended
                and self._wakeups.is_waited_for(run)
            ]
            if quiet:
                with suppress(LogUnavailable):
                    await self._look_at(quiet)


def _read_lines(text: bytes) -> Iterable[tuple[str, int, int]]:
    for line in text.decode(errors="replace").split("\n"):
        words = line.split(" ")
        # Whoever may publish here may also write anything: what is no line of ours is nothing.
        if len(words) == 3 and words[1].isdecimal() and words[2].isdecimal():
            yield words[0], int(words[1]), int(words[2])
