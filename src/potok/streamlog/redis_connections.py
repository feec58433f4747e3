"""Connections to one Redis: pipelines in, answers out, failures as `LogUnavailable`.

redis-py packs commands and reads answers here, and nothing more: it must not repeat a command by
itself, and its own time limits would cut the connection that listens.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

from redis import exceptions
from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from potok.errors import LogUnavailable, RedisUnusable
from potok.limits import (
    REDIS_CONNECT_SECONDS,
    REDIS_PIPELINE_COMMANDS_MAX,
    REDIS_REPLY_SECONDS,
)
from potok.streamlog.redis_scripts import Command, all_scripts

__all__ = ["Address", "Connections", "Reply", "connect", "explain", "is_refused", "send"]

Reply = Any
"""What Redis answers: bytes, int, None, a list of these, or a `ResponseError`."""

Build = Callable[[bool], Sequence[Command]]
"""Makes the commands; True if those before them were sent and may have been done."""


class Address:
    """Where Redis is. `shown` names host, port and number of the database, never a password."""

    def __init__(self, url: str) -> None:
        """Read `redis://`, `rediss://` or `unix://`; raises `RedisUnusable`."""
        try:
            self._arguments: dict[str, Any] = dict(parse_url(url))
            parts = urlsplit(url)
            place = (
                parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}"
            )
        except ValueError as error:
            raise RedisUnusable(
                "POTOK_REDIS_URL is no address of a Redis: write redis://HOST:PORT/0, or rediss://"
                " for TLS."
            ) from error
        self.database = int(self._arguments.get("db", 0))
        self.shown = f"{place}/{self.database}"
        self._kind: type[AbstractConnection] = self._arguments.pop("connection_class", Connection)
        if parts.scheme != "unix":
            # A machine that vanished is noticed by the kernel, in the end.
            self._arguments["socket_keepalive"] = True

    def connection(self) -> AbstractConnection:
        """Return a connection that is not made yet and that never waits by a clock of its own."""
        return self._kind(
            **{
                **self._arguments,
                "protocol": 2,
                "retry": Retry(NoBackoff(), 0),
                # From redis-py 8 on the default of 5 s would end every longer wait for news.
                "socket_timeout": None,
                "socket_connect_timeout": REDIS_CONNECT_SECONDS,
                "client_name": "potok",
            }
        )


class Connections:
    """At most `count` connections, each serving one caller at a time; others wait in order."""

    def __init__(self, address: Address, *, count: int) -> None:
        self.database = address.database
        self._address = address
        self._places = asyncio.Semaphore(count)
        self._idle: list[AbstractConnection] = []
        self._busy: set[AbstractConnection] = set()
        self._is_closed = False

    async def close(self) -> None:
        """Close all connections; callers under way hear `LogUnavailable`."""
        self._is_closed = True
        for connection in (*self._idle, *self._busy):
            await connection.disconnect(nowait=True)
        self._idle.clear()

    async def call(self, *command: Any) -> Reply:
        """Send one command that may be repeated; raises `LogUnavailable` also if it is refused."""
        return await self.repeat(lambda again: command)

    async def repeat(self, build: Callable[[bool], Command]) -> Reply:
        """Send the command that `build` makes; see `exchange`. A refusal is `LogUnavailable`."""
        [reply] = await self.exchange(lambda again: [build(again)])
        if isinstance(reply, exceptions.ResponseError):
            raise explain(reply, self._address.shown) from reply
        return reply

    async def pipeline(self, commands: Sequence[Command]) -> list[Reply]:
        """Send commands that may be repeated; raises `LogUnavailable` if one is refused."""
        replies: list[Reply] = []
        for start in range(0, len(commands), REDIS_PIPELINE_COMMANDS_MAX):
            part = commands[start : start + REDIS_PIPELINE_COMMANDS_MAX]
            replies += await self.exchange(lambda again, part=part: part)  # type: ignore[misc]
        for reply in replies:
            if isinstance(reply, exceptions.ResponseError):
                raise explain(reply, self._address.shown) from reply
        return replies

    async def exchange(self, build: Build, *, tries: int = 2) -> list[Reply]:
        """Send commands and return an answer for each, refusals among them as errors.

        A connection that breaks is tried once more on a new one: Redis may have done the commands,
        so `build` hears of it.

        Raises:
            LogUnavailable: no answer; the commands may have been done.
        """
        async with self._places:
            for left in reversed(range(tries)):
                if self._is_closed:
                    raise LogUnavailable("The event log is closed. Ask the server that runs now.")
                try:
                    return await self._exchange(build(left < tries - 1))
                except (exceptions.RedisError, OSError) as error:
                    if left == 0 or not _is_broken(error):
                        raise explain(error, self._address.shown) from error
        raise AssertionError("the last try raises")

    async def _exchange(self, commands: Sequence[Command]) -> list[Reply]:
        connection = self._idle.pop() if self._idle else self._address.connection()
        self._busy.add(connection)
        try:
            async with asyncio.timeout(REDIS_REPLY_SECONDS):
                await connect(connection)
                replies = await _ask(connection, commands)
                unknown = [
                    place
                    for place, reply in enumerate(replies)
                    if isinstance(reply, exceptions.NoScriptError)
                ]
                if unknown:
                    await _ask(connection, [("SCRIPT", "LOAD", s.source) for s in all_scripts()])
                    again = await _ask(connection, [commands[place] for place in unknown])
                    for place, reply in zip(unknown, again, strict=True):
                        replies[place] = reply
        except BaseException as error:
            await connection.disconnect(nowait=True)
            if isinstance(error, TimeoutError):
                raise exceptions.TimeoutError("no answer in time") from error
            raise
        finally:
            self._busy.discard(connection)
        self._idle.append(connection)
        return replies


async def connect(connection: AbstractConnection) -> None:
    """Make a connection, unless it is made."""
    await cast(Any, connection).connect()


async def send(connection: AbstractConnection, commands: Sequence[Command]) -> None:
    """Send commands; raises redis-py's own errors, and `OSError`."""
    packed = connection.pack_commands(commands)
    try:
        await connection.send_packed_command(packed, check_health=False)
    except RuntimeError as error:
        # What uvloop says of a line that the other side has closed; redis-py does not know it.
        raise exceptions.ConnectionError("the connection was closed") from error


async def _ask(connection: AbstractConnection, commands: Sequence[Command]) -> list[Reply]:
    await send(connection, commands)
    replies: list[Reply] = []
    for _ in commands:
        try:
            replies.append(await connection.read_response(disconnect_on_error=False))
        except exceptions.ResponseError as refusal:
            replies.append(refusal)
    return replies


def _is_broken(error: Exception) -> bool:
    # What was refused in words, or took too long, will not go better at once.
    return type(error) is exceptions.ConnectionError or isinstance(error, OSError)


_CLUSTER_ERRORS = (
    exceptions.AskError,
    exceptions.ClusterCrossSlotError,
    exceptions.ClusterDownError,
)


def is_refused(reply: Reply) -> bool:
    """Whether Redis answered a command with an error."""
    return isinstance(reply, exceptions.ResponseError)


def explain(error: Exception, place: str) -> LogUnavailable:
    """Return the sentence that says what to do about a failure of the Redis at `place`."""
    said = str(error)
    kept = "Nothing that was shown is lost."
    sentence = f"Redis at {place} refused a command ({said[:200]}). {kept}"
    if isinstance(error, exceptions.OutOfMemoryError) or said.startswith("OOM"):
        sentence = (
            f"Redis at {place} is out of memory and takes nothing more. {kept} Raise its maxmemory,"
            " or keep events for a shorter time (POTOK_EVENTS_KEPT_HOURS)."
        )
    elif isinstance(error, exceptions.ReadOnlyError) or said.startswith("READONLY"):
        sentence = (
            f"Redis at {place} is a replica that can only be read. {kept} Point POTOK_REDIS_URL at"
            " the primary."
        )
    elif isinstance(error, exceptions.AuthenticationError | exceptions.NoPermissionError) or (
        said.startswith(("NOAUTH", "WRONGPASS", "NOPERM"))
    ):
        sentence = (
            f"Redis at {place} does not accept the user or password of POTOK_REDIS_URL, or does not"
            " let that user do what Potok needs. Mend the URL, or the user's rights in Redis."
        )
    elif isinstance(error, exceptions.BusyLoadingError):
        sentence = f"Redis at {place} is still loading its data. {kept} Wait until it has."
    elif said.startswith("MISCONF"):
        sentence = (
            f"Redis at {place} cannot write to its disk and takes nothing more. {kept} Look at"
            " the free space and the log of Redis."
        )
    elif isinstance(error, _CLUSTER_ERRORS):
        sentence = (
            f"Redis at {place} is a node of a cluster that does not hold all keys ({said[:80]})."
            f" {kept} Point POTOK_REDIS_URL at a Redis that is no cluster of several nodes."
        )
    elif isinstance(error, exceptions.TimeoutError):
        sentence = f"Redis at {place} does not answer in time. {kept} Look at its load."
    elif "CERTIFICATE_VERIFY_FAILED" in said:
        sentence = (
            f"Redis at {place} shows a certificate that this machine does not trust. {kept} Add the"
            " file of its CA to POTOK_REDIS_URL: ?ssl_ca_certs=/path/to/ca.pem."
        )
    elif "[SSL" in said:
        sentence = (
            f"Redis at {place} and Potok do not agree on TLS ({said[:80]}). {kept} POTOK_REDIS_URL"
            " begins with rediss:// where Redis speaks TLS, else with redis://."
        )
    elif isinstance(error, exceptions.ConnectionError | OSError):
        sentence = f"Redis at {place} cannot be reached. {kept} Start it, or mend POTOK_REDIS_URL."
    return LogUnavailable(sentence)
