"""One call under way: opens it, reads it batch by batch through its parser, closes it."""

import math
from dataclasses import dataclass
from typing import Protocol

import msgspec

from potok.clock import Clock
from potok.errors import PeerError, UpstreamLost, UpstreamRefused, UpstreamStalled
from potok.events.kinds import Event, Usage
from potok.limits import (
    UPSTREAM_CONNECT_SECONDS,
    UPSTREAM_ERROR_BYTES_MAX,
    UPSTREAM_FIRST_TOKEN_SECONDS,
    UPSTREAM_LINGER_SECONDS,
    UPSTREAM_LIST_SECONDS,
    UPSTREAM_TAIL_SECONDS,
    UPSTREAM_TOKEN_GAP_SECONDS,
    UPSTREAM_TOTAL_SECONDS,
)
from potok.models.byte_source import ByteSource, UpstreamCall, UpstreamReply
from potok.models.openai_errors import Refusals
from potok.models.time_limits import Sleep, StallWatch, time_limit

__all__ = ["ReplyParser", "Timeouts", "UpstreamAnswer", "read_body"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds that a provider is waited for. Only tokens end a wait, keep-alives do not."""

    connect: float = UPSTREAM_CONNECT_SECONDS
    first_token: float = UPSTREAM_FIRST_TOKEN_SECONDS
    between_tokens: float = UPSTREAM_TOKEN_GAP_SECONDS
    total: float = UPSTREAM_TOTAL_SECONDS
    list_models: float = UPSTREAM_LIST_SECONDS


class ReplyParser(Protocol):
    """Turns the bytes of one reply, cut anywhere, into events; raises nothing."""

    @property
    def fault(self) -> PeerError | None:
        """Why nothing more can come; raise it once the events before it were given away."""
        ...

    @property
    def is_answered(self) -> bool:
        """Whether the answer is whole, though counts and an end mark may be missing."""
        ...

    @property
    def is_done(self) -> bool:
        """Whether the `run-end` was given."""
        ...

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that `chunk` completes."""
        ...

    def finish(self) -> list[Event]:
        """Take the end of the body; return the last events, or set `fault`."""
        ...


class UpstreamAnswer:
    """One try of one call. Open it, read until a batch is empty, and close it in any case.

    Args:
        last_deadline: When the whole call must be over, on the clock's `monotonic`.

    Attributes:
        first_token_seconds: From sending the call to the first events, None before them.
    """

    def __init__(
        self,
        *,
        source: ByteSource,
        parser: ReplyParser,
        refusals: Refusals,
        clock: Clock,
        sleep: Sleep,
        timeouts: Timeouts,
        last_deadline: float,
    ) -> None:
        self._source = source
        self._parser = parser
        self._refusals = refusals
        self._clock = clock
        self._sleep = sleep
        self._timeouts = timeouts
        self._last_deadline = last_deadline
        self._reply: UpstreamReply | None = None
        self._watch: StallWatch | None = None
        self.first_token_seconds: float | None = None
        self._opened_at = 0.0
        self._token_at = 0.0

    async def open(self, call: UpstreamCall) -> None:
        """Send the call and wait for its headers.

        Raises:
            UpstreamUnreachable, UpstreamLost, UpstreamRefused, UpstreamStalled
        """
        self._opened_at = now = self._clock.monotonic()
        first_deadline = min(now + self._timeouts.first_token, self._last_deadline)
        try:
            async with time_limit(first_deadline - now, sleep=self._sleep):
                self._reply = reply = await self._source.open(call)
        except TimeoutError:
            raise self._stalled() from None
        if not 200 <= reply.status < 300:
            raise await self._refusal(reply)
        self._watch = StallWatch(
            clock=self._clock,
            sleep=self._sleep,
            deadline=first_deadline,
            gap_seconds=self._timeouts.between_tokens,
            last_deadline=self._last_deadline,
            give_up=reply.close,
        )

    async def read(self) -> list[Event]:
        """Wait for the next events; empty after the `run-end`.

        Raises:
            PeerError: the answer breaks off here; every event before it was given.
        """
        parser, watch, reply = self._parser, self._watch, self._reply
        assert watch is not None, "read before open"
        assert reply is not None, "read before open"
        if parser.is_done:
            return []
        if parser.fault is not None:
            raise parser.fault
        now = self._clock.monotonic()
        if now >= self._last_deadline:
            raise self._stalled()
        if self.first_token_seconds is not None:
            watch.deadline = min(now + self._timeouts.between_tokens, self._last_deadline)
        try:
            events = await (self._read_tail(reply) if parser.is_answered else self._read_on(reply))
        except UpstreamLost:
            if watch.has_given_up:
                raise self._stalled() from None
            raise
        watch.deadline = math.inf
        self._token_at = self._clock.monotonic()
        if self.first_token_seconds is None:
            self.first_token_seconds = self._token_at - self._opened_at
        return [self._timed(event) for event in events] if parser.is_done else events

    async def close(self) -> None:
        """Close the connection; the upstream has been told when this returns. May be repeated."""
        if self._watch is not None:
            self._watch.stop()
        if self._reply is not None:
            await self._reply.close()

    async def _read_on(self, reply: UpstreamReply) -> list[Event]:
        parser = self._parser
        while True:
            try:
                chunk = await reply.read()
            except UpstreamLost:
                if not parser.is_answered:
                    raise
                chunk = b""
            events = parser.feed(chunk) if chunk else parser.finish()
            if parser.is_done and chunk:
                await self._linger(reply)
            if events:
                return events
            if parser.fault is not None:
                raise parser.fault

    async def _read_tail(self, reply: UpstreamReply) -> list[Event]:
        # The answer is whole: a provider that now says no more, not even the end, has said enough.
        try:
            async with time_limit(UPSTREAM_TAIL_SECONDS, sleep=self._sleep):
                return await self._read_on(reply)
        except TimeoutError:
            return self._parser.finish()

    async def _linger(self, reply: UpstreamReply) -> None:
        # A body read to its very end leaves a connection that can serve the next call.
        try:
            async with time_limit(UPSTREAM_LINGER_SECONDS, sleep=self._sleep):
                while await reply.read():
                    pass
        except (TimeoutError, UpstreamLost):
            await reply.close()

    async def _refusal(self, reply: UpstreamReply) -> UpstreamRefused:
        body = bytearray()
        try:
            async with time_limit(self._timeouts.list_models, sleep=self._sleep):
                await read_body(reply, into=body, bytes_max=UPSTREAM_ERROR_BYTES_MAX)
        except (TimeoutError, UpstreamLost):
            # Half a body still has its status.
            await reply.close()
        return self._refusals.from_reply(
            status=reply.status, headers=reply.headers, body=bytes(body), now=self._clock.now()
        )

    def _timed(self, event: Event) -> Event:
        if type(event) is not Usage:
            return event
        pace = event.tokens_per_second
        seconds = self._token_at - self._opened_at - (self.first_token_seconds or 0.0)
        if pace is None and seconds > 0:
            pace = event.completion_tokens / seconds
        return msgspec.structs.replace(
            event, first_token_seconds=self.first_token_seconds, tokens_per_second=pace
        )

    def _stalled(self) -> UpstreamStalled:
        if self._clock.monotonic() >= self._last_deadline:
            seconds, what = self._timeouts.total, "did not end its answer within"
        elif self.first_token_seconds is not None:
            seconds, what = self._timeouts.between_tokens, "sent no further token for"
        else:
            seconds, what = self._timeouts.first_token, "sent no token for"
        return UpstreamStalled(
            f"The provider {self._refusals.provider} {what} {seconds:.0f} seconds. Try again, or"
            " use another model."
        )


async def read_body(reply: UpstreamReply, *, into: bytearray, bytes_max: int) -> None:
    """Append the body to `into`, to its end or until it has more than `bytes_max`."""
    while len(into) <= bytes_max and (chunk := await reply.read()):
        into += chunk
