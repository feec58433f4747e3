"""`/api/ws`: one socket that starts, follows and cancels many runs (spec 9)."""

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing
from typing import Any

import msgspec

from potok import limits
from potok.dialects.native import encode_message
from potok.dialects.native_request import parse_run_request
from potok.dialects.socket_messages import (
    CancelRun,
    Ping,
    Ref,
    StartRun,
    Subscribe,
    Unsubscribe,
    cancelled,
    ended,
    error_message,
    parse_operation,
    pong,
    ref_of,
    started,
)
from potok.errors import PotokError, RequestInvalid, ServerDraining
from potok.events.envelope import START, Offset
from potok.events.run_request import JsonObject, RunRequest
from potok.server.body import settle_tasks
from potok.server.headers import language_of
from potok.server.one_run_session import place_to_follow
from potok.server.safety_layer import principal_of
from potok.server.services import Services
from potok.server.websocket_session import Socket, known_error
from potok.streamlog.contract import RunRecord

__all__ = ["ManyRunsSession"]


class ManyRunsSession:
    """Each run that is followed has a task of its own, and all of them take turns.

    A follower asks the log for its next page when the client has taken the last one, so that a
    socket holds at most one page per run.
    """

    def __init__(self, services: Services, socket: Socket) -> None:
        self._runs = services.runs
        self._socket = socket
        self._principal = principal_of(socket.scope)
        self._language = language_of(socket.scope)
        self._followers: dict[str, asyncio.Task[None]] = {}
        self._operations: set[asyncio.Task[None]] = set()
        self._starting = 0
        self._free = asyncio.Semaphore(limits.SOCKET_OPERATIONS_MAX)
        self._draining = asyncio.Event()

    async def take(self, message: JsonObject, *, size_bytes: int) -> None:
        operation = parse_operation(message)
        match operation:
            case Ping(ref=ref):
                await self._socket.send(pong(ref))
            case Unsubscribe(run=run):
                await self._unfollow(run)
            case Subscribe():
                await self._subscribe(operation)
            case StartRun():
                wanted = parse_run_request(operation.body, language=self._language)
                self._check_room()
                self._starting += 1
                await self._begin(self._start(operation, wanted), operation.ref)
            case CancelRun():
                await self._begin(self._cancel(operation), operation.ref)

    async def work(self) -> None:
        """Show that the socket lives whenever it was quiet for a heartbeat's time."""
        draining = asyncio.ensure_future(self._draining.wait())
        heartbeat_seconds = self._runs.heartbeat_seconds
        try:
            while not draining.done():
                left = heartbeat_seconds - self._socket.quiet_seconds
                if left <= 0:
                    await self._socket.send(pong())
                    continue
                await asyncio.wait((draining,), timeout=left)
        finally:
            draining.cancel()
        raise ServerDraining

    def encode_error(self, error: PotokError, message: JsonObject | None) -> bytes:
        return error_message(error, None if message is None else ref_of(message))

    async def close(self) -> None:
        await settle_tasks(*self._operations, *self._followers.values())

    async def _begin(self, work: Coroutine[Any, Any, None], ref: Ref) -> None:
        """Let what may take its time go on beside the next messages, within bounds."""
        try:
            await self._free.acquire()
        except asyncio.CancelledError:
            work.close()
            raise
        task = asyncio.create_task(self._operate(work, ref))
        self._operations.add(task)
        task.add_done_callback(self._operations.discard)

    async def _operate(self, work: Coroutine[Any, Any, None], ref: Ref) -> None:
        try:
            await work
        except OSError:
            # The connection has ended, as the reading task hears, too.
            return
        except Exception as error:
            await self._say_failure(error, ref)
        finally:
            self._free.release()

    async def _say_failure(self, error: Exception, ref: Ref, *, run: str | None = None) -> None:
        known = known_error(error, doing="a socket's message")
        try:
            await self._socket.send(error_message(known, ref, run=run))
        except OSError:
            return

    async def _start(self, operation: StartRun, wanted: RunRequest) -> None:
        try:
            record, created = await self._runs.start(
                wanted, principal=self._principal, idempotency_key=operation.idempotency_key
            )
            answer = started(operation.ref, run=record.run, status=record.status, created=created)
            await self._socket.send(answer)
            if record.run not in self._followers:
                self._follow(record, ref=operation.ref, after=START, returning=False)
        finally:
            self._starting -= 1

    async def _cancel(self, operation: CancelRun) -> None:
        record = await self._runs.cancel(operation.run, principal=self._principal)
        answer = cancelled(operation.ref, run=record.run, status=record.status)
        await self._socket.send(answer)

    async def _subscribe(self, operation: Subscribe) -> None:
        record = await self._runs.find(operation.run, principal=self._principal)
        after = place_to_follow(record, operation.place)
        if record.run not in self._followers:
            self._check_room()
        await self._unfollow(record.run)
        if after is None:
            await self._socket.send(ended(operation.ref, run=record.run))
            return
        returning = operation.place is not None
        self._follow(record, ref=operation.ref, after=after, returning=returning)

    def _check_room(self) -> None:
        if len(self._followers) + self._starting >= limits.SOCKET_RUNS_MAX:
            raise RequestInvalid(
                f"This socket follows {limits.SOCKET_RUNS_MAX} runs, which is the limit of one."
                " Unsubscribe from some, or open another socket."
            )

    def _follow(self, record: RunRecord, *, ref: Ref, after: Offset, returning: bool) -> None:
        # The follower's task may wait for long: it keeps no whole answer meanwhile.
        record = msgspec.structs.replace(record, snapshot=None)
        self._followers[record.run] = asyncio.create_task(
            self._deliver(record, ref=ref, after=after, returning=returning),
            name=f"reader-{record.run}",
        )

    async def _unfollow(self, run: str) -> None:
        follower = self._followers.pop(run, None)
        if follower is not None:
            # Waited for, so that nothing of it comes after the answer to this message.
            await settle_tasks(follower)

    async def _deliver(
        self, record: RunRecord, *, ref: Ref, after: Offset, returning: bool
    ) -> None:
        run = record.run
        try:
            pages = self._runs.follow(record, after=after, returning=returning)
            async with aclosing(pages):
                async for page in pages:
                    if page:
                        await self._socket.send_in_turns(
                            encode_message(stored, run=run) for stored in page
                        )
        except ServerDraining:
            self._draining.set()
        except OSError:
            return
        except Exception as error:
            await self._say_failure(error, ref, run=run)
        finally:
            if self._followers.get(run) is asyncio.current_task():
                del self._followers[run]
