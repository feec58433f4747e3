"""The line to one provider, whatever it speaks: calls in their turn, and further tries of them."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Required, TypedDict

from potok.clock import Clock, IdSource
from potok.errors import PeerError, UpstreamStalled
from potok.events.kinds import Event
from potok.events.queueing import queue_left, queued
from potok.limits import (
    UPSTREAM_CALLS_MAX,
    UPSTREAM_REPLY_BYTES_MAX,
    UPSTREAM_WAIT_SECONDS_MAX,
    UPSTREAM_WAITING_MAX,
)
from potok.models.accounts import Account
from potok.models.aiohttp_source import AiohttpSource
from potok.models.answer import ReplyParser, Timeouts, UpstreamAnswer, read_body
from potok.models.byte_source import ByteSource, UpstreamCall
from potok.models.contract import Capabilities, ChatRequest, ModelInfo
from potok.models.openai_errors import Refusals, StreamOptionsRefused
from potok.models.places import Places
from potok.models.retrying import RetryRules
from potok.models.time_limits import Sleep, time_limit
from potok.telemetry import Observer, SilentObserver

__all__ = ["Asking", "Line", "LineModel", "LineOptions", "LineProvider", "refuse_begun_answer"]


class LineOptions(TypedDict, total=False):
    """What every provider's constructor takes and hands on to its `Line`.

    `source` carries the bytes, aiohttp unless given; the line closes it. `sleep` waits; tests give
    their own. `calls_max` live calls at once, `waiting_max` more wait in their order.
    """

    clock: Required[Clock]
    ids: Required[IdSource]
    source: ByteSource | None
    sleep: Sleep
    observer: Observer | None
    timeouts: Timeouts | None
    retry: RetryRules | None
    calls_max: int
    waiting_max: int
    wait_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One call for an answer.

    `prompts` are the texts that no error may repeat. `new_body` makes the body when its turn has
    come, and is told whether the provider may be asked for its counts. `principal` is whose turn it
    is, `language` that of the statuses while it waits.
    """

    model: str
    path: str
    prompts: tuple[str, ...]
    new_parser: Callable[[Refusals], ReplyParser]
    new_body: Callable[[bool], bytes]
    principal: str = ""
    language: str = "en"


class Line:
    """What a provider and its models share.

    Args:
        advice: What to say of a status instead of the usual, as `Refusals` takes it.
    """

    def __init__(
        self,
        account: Account,
        *,
        clock: Clock,
        ids: IdSource,
        source: ByteSource | None = None,
        sleep: Sleep = asyncio.sleep,
        observer: Observer | None = None,
        timeouts: Timeouts | None = None,
        retry: RetryRules | None = None,
        calls_max: int = UPSTREAM_CALLS_MAX,
        waiting_max: int = UPSTREAM_WAITING_MAX,
        wait_seconds: float = UPSTREAM_WAIT_SECONDS_MAX,
        advice: Mapping[int, str] | None = None,
    ) -> None:
        self.account = account
        self.places = Places(
            provider=account.name,
            calls_max=calls_max,
            waiting_max=waiting_max,
            wait_seconds=wait_seconds,
            clock=clock,
            sleep=sleep,
        )
        self._source = source or AiohttpSource()
        self._clock = clock
        self._ids = ids
        self._sleep = sleep
        self._observer = observer or SilentObserver()
        self._timeouts = timeouts or Timeouts()
        self._retry = retry or RetryRules()
        self._advice = advice
        self._is_closed = False

    async def stream(self, ask: Callable[[], Asking]) -> AsyncGenerator[list[Event], None]:
        """Yield the batches of one answer; tries again before the first token, never after it.

        While it waits for its place, statuses come that say its position. `ask` is called when the
        first batch is asked for, so that its errors come then.
        """
        asking = ask()
        ticket = self.places.ask(asking.principal)
        try:
            position = None
            while (moved_to := await ticket.wait()) is not None:
                position = moved_to
                yield [queued(position, language=asking.language)]
            if position is not None:
                yield [queue_left(language=asking.language)]
            answer, batch = await self._begin(asking)
            try:
                while batch:
                    yield batch
                    batch = await answer.read()
            finally:
                await answer.close()
        finally:
            ticket.leave()

    async def read_list(self, path: str) -> bytes:
        """Return the body of a `GET` that lists models; one try.

        Raises:
            UpstreamStalled: it was not whole within its time. Others as a call's.
        """
        body = bytearray()
        try:
            async with time_limit(self._timeouts.list_models, sleep=self._sleep):
                reply = await self._source.open(self._call("GET", path, None))
                try:
                    await read_body(reply, into=body, bytes_max=UPSTREAM_REPLY_BYTES_MAX)
                finally:
                    await reply.close()
        except TimeoutError:
            raise UpstreamStalled(
                f"The provider {self.account.name} did not list its models within"
                f" {self._timeouts.list_models:.0f} seconds. Is it overloaded?"
            ) from None
        if not 200 <= reply.status < 300:
            raise self._refusals(model="", prompts=()).from_reply(
                status=reply.status, headers=reply.headers, body=bytes(body), now=self._clock.now()
            )
        return bytes(body)

    async def post(
        self, path: str, body: bytes, *, model: str, prompts: tuple[str, ...], seconds: float
    ) -> bytes:
        """Return the whole body of a `POST`'s reply; in its turn, one try.

        Raises:
            UpstreamStalled: it was not whole within `seconds`. Others as a call's.
        """
        into = bytearray()
        async with self.places.one():
            try:
                async with time_limit(seconds, sleep=self._sleep):
                    reply = await self._source.open(self._call("POST", path, body))
                    try:
                        await read_body(reply, into=into, bytes_max=UPSTREAM_REPLY_BYTES_MAX)
                    finally:
                        await reply.close()
            except TimeoutError:
                raise UpstreamStalled(
                    f"The provider {self.account.name} did not answer within {seconds:.0f} seconds."
                ) from None
        if not 200 <= reply.status < 300:
            raise self._refusals(model=model, prompts=prompts).from_reply(
                status=reply.status, headers=reply.headers, body=bytes(into), now=self._clock.now()
            )
        return bytes(into)

    async def close(self) -> None:
        """Close all connections; calls under way end with `UpstreamLost`."""
        self._is_closed = True
        await self._source.close()

    def _call(self, method: str, path: str, body: bytes | None) -> UpstreamCall:
        return UpstreamCall(
            provider=self.account.name,
            method=method,
            url=self.account.url(path),
            headers=self.account.headers(),
            body=body,
            connect_seconds=self._timeouts.connect,
        )

    def _refusals(self, *, model: str, prompts: tuple[str, ...]) -> Refusals:
        return Refusals(
            provider=self.account.name,
            model=model,
            key_setting=self.account.key_setting,
            has_key=self.account.has_key,
            secrets=self.account.secrets,
            prompts=prompts,
            advice=self._advice,
        )

    async def _begin(self, asking: Asking) -> tuple[UpstreamAnswer, list[Event]]:
        last_deadline = self._clock.monotonic() + self._timeouts.total
        refusals = self._refusals(model=asking.model, prompts=asking.prompts)
        asks_counts = True
        tries = 0
        while True:
            answer = UpstreamAnswer(
                source=self._source,
                parser=asking.new_parser(refusals),
                refusals=refusals,
                clock=self._clock,
                sleep=self._sleep,
                timeouts=self._timeouts,
                last_deadline=last_deadline,
            )
            tries += 1
            try:
                body = asking.new_body(asks_counts)
                return answer, await self._first_batch(answer, asking.path, body)
            except StreamOptionsRefused:
                if not asks_counts:
                    raise
                # Some servers know no usage in streams; the answer is worth more than its count.
                asks_counts = False
                tries -= 1
            except PeerError as fault:
                await self._wait_for_next_try(fault, tries, last_deadline)

    async def _first_batch(self, answer: UpstreamAnswer, path: str, body: bytes) -> list[Event]:
        self._observer.counted("upstream_calls")
        try:
            await answer.open(self._call("POST", path, body))
            batch = await answer.read()
        except BaseException:
            await answer.close()
            raise
        self._observer.timed("upstream_first_token_seconds", answer.first_token_seconds or 0.0)
        return batch

    async def _wait_for_next_try(self, fault: PeerError, tries: int, last_deadline: float) -> None:
        self._observer.counted("upstream_failures")
        wait = self._retry.wait_seconds(fault=fault, tries=tries, fraction=self._ids.fraction())
        if wait is None or self._is_closed or self._clock.monotonic() + wait >= last_deadline:
            raise fault
        await self._sleep(wait)
        if self._is_closed:
            raise fault
        self._observer.counted("upstream_retries")


class LineProvider:
    """What providers over a line have in common; each adds its models and their list."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.places = line.places

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self._line.account.shown_url!r})"

    @property
    def name(self) -> str:
        return self._line.account.name

    async def close(self) -> None:
        await self._line.close()


class LineModel:
    """What models over a line have in common; each holds nothing between calls."""

    def __init__(self, *, info: ModelInfo, capabilities: Capabilities, line: Line) -> None:
        self._info = info
        self._capabilities = capabilities
        self._line = line

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def capabilities(self) -> Capabilities:
        """What is known of the model; agents decide by `continues` how a cut answer goes on."""
        return self._capabilities

    def check_room(self, principal: str) -> None:
        """Raise `UpstreamBusy` if one more call of this principal could not even wait."""
        self._line.places.check_room(principal)


def refuse_begun_answer(info: ModelInfo, request: ChatRequest) -> None:
    """Refuse a request whose `said` holds parts: for models that cannot take an answer up.

    Raises:
        PeerError: it does.
    """
    if request.said is not None and request.said.parts:
        raise PeerError(
            f"The model {info.full_name} cannot take up an answer in its middle. Ask it again."
        )
