"""The adapter for every server that speaks Chat Completions: sends calls, feeds the parser."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import msgspec

from potok.clock import Clock, IdSource
from potok.errors import PeerError, UpstreamMalformed, UpstreamStalled
from potok.events.kinds import Event
from potok.events.run_request import JsonObject, text_of
from potok.limits import (
    CHOICES_MAX,
    MODELS_MAX,
    UPSTREAM_CALLS_MAX,
    UPSTREAM_REPLY_BYTES_MAX,
    UPSTREAM_WAIT_SECONDS_MAX,
    UPSTREAM_WAITING_MAX,
)
from potok.models.accounts import Account
from potok.models.aiohttp_source import AiohttpSource
from potok.models.byte_source import ByteSource, UpstreamCall
from potok.models.capabilities import capabilities_of
from potok.models.contract import Capabilities, ChatModel, ChatRequest, ModelInfo
from potok.models.openai_answer import OpenAiAnswer, Timeouts, read_body
from potok.models.openai_chat_parse import OpenAiChatParser
from potok.models.openai_errors import Refusals, StreamOptionsRefused
from potok.models.openai_models_parse import parse_models
from potok.models.places import Places
from potok.models.retrying import RetryRules
from potok.models.time_limits import Sleep, time_limit
from potok.telemetry import Observer, SilentObserver

__all__ = ["OpenAiProvider", "RetryRules", "Timeouts"]


class OpenAiProvider:
    """An account with one server that speaks Chat Completions.

    Args:
        name: The word before the slash in its models' full names.
        base_url: Where its API begins, `https://api.openai.com/v1`.
        api_key: Its key, or None where it asks for none; never shown anywhere.
        source: Carries the bytes; None means aiohttp. The provider closes it.
        sleep: Waits; tests give their own.
        key_setting: What errors call the setting that holds the key.
        calls_max: Live calls at once; `waiting_max` more wait in their order.
        capabilities: What a model can do, by its name.

    Raises:
        SettingInvalid: the address or the key cannot be used.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        api_key: str | None = None,
        *,
        clock: Clock,
        ids: IdSource,
        source: ByteSource | None = None,
        sleep: Sleep = asyncio.sleep,
        observer: Observer | None = None,
        timeouts: Timeouts | None = None,
        retry: RetryRules | None = None,
        key_setting: str | None = None,
        calls_max: int = UPSTREAM_CALLS_MAX,
        waiting_max: int = UPSTREAM_WAITING_MAX,
        wait_seconds: float = UPSTREAM_WAIT_SECONDS_MAX,
        capabilities: Callable[[str], Capabilities] = capabilities_of,
    ) -> None:
        self._account = Account(
            name=name, base_url=base_url, api_key=api_key, key_setting=key_setting
        )
        self._capabilities = capabilities
        self.places = Places(
            provider=name,
            calls_max=calls_max,
            waiting_max=waiting_max,
            wait_seconds=wait_seconds,
            sleep=sleep,
        )
        self._line = _Line(
            account=self._account,
            source=source or AiohttpSource(),
            clock=clock,
            ids=ids,
            sleep=sleep,
            observer=observer or SilentObserver(),
            timeouts=timeouts or Timeouts(),
            retry=retry or RetryRules(),
            places=self.places,
        )

    def __repr__(self) -> str:
        return f"OpenAiProvider({self.name!r}, {self._account.shown_url!r})"

    @property
    def name(self) -> str:
        return self._account.name

    def model(self, name: str) -> ChatModel:
        return _OpenAiModel(
            info=ModelInfo(name=name, provider=self.name),
            capabilities=self._capabilities(name),
            line=self._line,
        )

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """Ask `GET /models` once; the caller caches.

        Raises:
            UpstreamStalled: no list within the time for it. UpstreamMalformed: no list at all.
        """
        line = self._line
        refusals = line.refusals(model="", prompts=())
        body = bytearray()
        try:
            async with time_limit(line.timeouts.list_models, sleep=line.sleep):
                reply = await line.source.open(line.call("GET", "/models", None))
                try:
                    await read_body(reply, into=body, bytes_max=UPSTREAM_REPLY_BYTES_MAX)
                finally:
                    await reply.close()
        except TimeoutError:
            raise UpstreamStalled(
                f"The provider {self.name} did not list its models within"
                f" {line.timeouts.list_models:.0f} seconds. Is it overloaded?"
            ) from None
        if not 200 <= reply.status < 300:
            raise refusals.from_reply(
                status=reply.status, headers=reply.headers, body=bytes(body), now=line.clock.now()
            )
        models = parse_models(bytes(body), provider=self.name, models_max=MODELS_MAX)
        if models is None:
            raise UpstreamMalformed(
                f"The provider {self.name} answers GET /models with something that is no list of"
                " models. Check its base URL: it usually ends in /v1."
            )
        return models

    async def close(self) -> None:
        self._line.is_closed = True
        await self._line.source.close()


@dataclass(slots=True, kw_only=True, repr=False)
class _Line:
    """What the provider and its models share."""

    account: Account
    source: ByteSource
    clock: Clock
    ids: IdSource
    sleep: Sleep
    observer: Observer
    timeouts: Timeouts
    retry: RetryRules
    places: Places
    is_closed: bool = False

    def call(self, method: str, path: str, body: bytes | None) -> UpstreamCall:
        return UpstreamCall(
            provider=self.account.name,
            method=method,
            url=self.account.url(path),
            headers=self.account.headers(),
            body=body,
            connect_seconds=self.timeouts.connect,
        )

    def refusals(self, *, model: str, prompts: tuple[str, ...]) -> Refusals:
        return Refusals(
            provider=self.account.name,
            model=model,
            key_setting=self.account.key_setting,
            has_key=self.account.has_key,
            secrets=self.account.secrets,
            prompts=prompts,
        )


class _OpenAiModel:
    """One model; holds nothing between calls."""

    def __init__(self, *, info: ModelInfo, capabilities: Capabilities, line: _Line) -> None:
        self._info = info
        self._capabilities = capabilities
        self._line = line

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def capabilities(self) -> Capabilities:
        """Facts about the model's family; agents decide by `continues` how a cut answer goes on."""
        return self._capabilities

    async def stream(self, request: ChatRequest) -> AsyncIterator[list[Event]]:
        """Answer a request; tries again before the first token, never after it.

        A begun answer cannot be handed in: an agent continues by asking anew, in the way that
        `capabilities.continues` names, without `said`.

        Raises:
            PeerError: also for a request whose `said` holds parts.
        """
        if request.said is not None and request.said.parts:
            raise PeerError(
                f"The model {self._info.full_name} cannot take up an answer in its middle. Ask it"
                " again."
            )
        line = self._line
        async with line.places.one():
            answer, batch = await self._begin(request)
            try:
                while batch:
                    yield batch
                    batch = await answer.read()
            finally:
                await answer.close()

    async def _begin(self, request: ChatRequest) -> tuple[OpenAiAnswer, list[Event]]:
        line = self._line
        last_deadline = line.clock.monotonic() + line.timeouts.total
        refusals = line.refusals(
            model=self._info.name, prompts=tuple(text_of(message) for message in request.messages)
        )
        asks_usage = True
        tries = 0
        while True:
            answer = OpenAiAnswer(
                source=line.source,
                parser=OpenAiChatParser(refusals=refusals, choices=_choices(request)),
                refusals=refusals,
                clock=line.clock,
                sleep=line.sleep,
                timeouts=line.timeouts,
                last_deadline=last_deadline,
            )
            tries += 1
            try:
                return answer, await self._first_batch(answer, request, asks_usage=asks_usage)
            except StreamOptionsRefused:
                if not asks_usage:
                    raise
                # Some servers know no usage in streams; the answer is worth more than its count.
                asks_usage = False
                tries -= 1
            except PeerError as fault:
                await self._wait_for_next_try(fault, tries, last_deadline)

    async def _first_batch(
        self, answer: OpenAiAnswer, request: ChatRequest, *, asks_usage: bool
    ) -> list[Event]:
        line = self._line
        body = _body(self._info.name, request, asks_usage=asks_usage)
        line.observer.counted("upstream_calls")
        try:
            await answer.open(line.call("POST", "/chat/completions", body))
            batch = await answer.read()
        except BaseException:
            await answer.close()
            raise
        line.observer.timed("upstream_first_token_seconds", answer.first_token_seconds or 0.0)
        return batch

    async def _wait_for_next_try(self, fault: PeerError, tries: int, last_deadline: float) -> None:
        line = self._line
        line.observer.counted("upstream_failures")
        wait = line.retry.wait_seconds(fault=fault, tries=tries, fraction=line.ids.fraction())
        if wait is None or line.is_closed or line.clock.monotonic() + wait >= last_deadline:
            raise fault
        await line.sleep(wait)
        if line.is_closed:
            raise fault
        line.observer.counted("upstream_retries")


def _body(model: str, request: ChatRequest, *, asks_usage: bool) -> bytes:
    body: JsonObject = {
        **request.parameters,
        "model": model,
        "messages": request.messages,
        "stream": True,
    }
    if asks_usage:
        options = request.parameters.get("stream_options")
        asked = options if isinstance(options, dict) else {}
        body["stream_options"] = {**asked, "include_usage": True}
    else:
        body.pop("stream_options", None)
    return msgspec.json.encode(body)


def _choices(request: ChatRequest) -> int:
    asked = request.parameters.get("n")
    return asked if isinstance(asked, int) and 1 <= asked <= CHOICES_MAX else 1
