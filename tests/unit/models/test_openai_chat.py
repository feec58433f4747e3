import asyncio
import json
import logging
import traceback
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import msgspec
import pytest

from potok.errors import (
    PeerError,
    UpstreamBusy,
    UpstreamLost,
    UpstreamMalformed,
    UpstreamRefused,
    UpstreamStalled,
    UpstreamUnreachable,
)
from potok.events.fold import Fold, Message, Part
from potok.events.kinds import Event, TextStart
from potok.events.queueing import queue_left, queued
from potok.limits import UPSTREAM_LIST_SECONDS
from potok.models.contract import Capabilities, ChatRequest
from potok.models.openai_chat import OpenAiProvider, RetryRules, Timeouts
from potok.testing.fakes import CountingIds, FakeClock, RecordingObserver
from potok.testing.gates import FakeSleep, Gate
from potok.testing.upstream import Script, ScriptedUpstream
from tests.unit.models.memory_source import MemoryReply, MemorySource, frame

KEY = "sk-proj-Ab12Cd34Ef56Gh78"
PROMPT = "Составь письмо Анне Петровой о договоре № 45-17."
TOKENS = ("При", "вет", ", ", "мир", " 🎉", "!")
RETRY = RetryRules(tries_max=3, backoff_seconds=1.0, backoff_seconds_max=8.0)
ANSWER = frame('{"content":"ok"}') + frame(more=',"finish_reason":"stop"') + b"data: [DONE]\n\n"


def request(**parameters: Any) -> ChatRequest:
    return ChatRequest(
        model="m", messages=({"role": "user", "content": PROMPT},), parameters=parameters
    )


class House:
    """A provider whose time the test moves, over the given source or real HTTP."""

    def __init__(self, base_url: str = "http://test/v1", **more: Any) -> None:
        self.clock = FakeClock()
        self.sleep = FakeSleep(self.clock)
        self.observer = RecordingObserver()
        self.provider = OpenAiProvider(
            "openai",
            base_url,
            KEY,
            clock=self.clock,
            ids=CountingIds(fraction=0.0),
            sleep=self.sleep,
            observer=self.observer,
            retry=RETRY,
            **more,
        )

    def stream(self, asked: ChatRequest | None = None) -> AsyncGenerator[list[Event], None]:
        return self.provider.model("m").stream(asked or request())

    async def message(
        self, asked: ChatRequest | None = None, *, folded: Fold | None = None
    ) -> Message:
        folded = folded or Fold()
        async for batch in self.stream(asked):
            assert batch
            for event in batch:
                folded.feed(event)
        return folded.message


@asynccontextmanager
async def real_house(
    *scripts: Script, **more: Any
) -> AsyncIterator[tuple[House, ScriptedUpstream]]:
    async with ScriptedUpstream(*scripts, **more) as upstream:
        house = House(upstream.base_url)
        try:
            yield house, upstream
        finally:
            await house.provider.close()


def replies(*chunks: bytes) -> MemoryReply:
    return MemoryReply(*chunks, b"")


async def test_an_answer_comes_as_it_was_said() -> None:
    script = Script(tokens=TOKENS, thinking=("Поду", "маю."), write_bytes_max=7)
    async with real_house(script) as (house, _):
        message = await house.message()

    assert message.text == "Привет, мир 🎉!"
    assert message.reasoning == "Подумаю."
    assert (message.outcome, message.finish_reason) == ("finished", "stop")
    assert message.usage is not None
    assert message.usage.completion_tokens == len(TOKENS) + 2


async def test_a_token_is_given_before_the_next_one_is_said() -> None:
    gate = Gate()
    async with real_house(Script(tokens=("a", "b"), gate=gate)) as (house, upstream):
        batches = house.stream()
        gate.release()
        first = await anext(batches)
        call = await upstream.until_call(1)

        assert getattr(first[-1], "text", None) == "a"
        assert call.tokens_written == 1
        gate.open()
        assert len([batch async for batch in batches]) >= 1


async def test_messages_and_parameters_pass_through_untouched() -> None:
    messages = ({"role": "user", "content": [{"type": "text", "text": "a"}], "custom": {"x": [1]}},)
    parameters = {"temperature": 0.3, "n": 1, "tools": [], "unknown": {"ключ": None}}
    async with real_house(Script()) as (house, upstream):
        await house.message(ChatRequest(model="other", messages=messages, parameters=parameters))

    (call,) = upstream.calls
    assert call.body == {
        **parameters,
        "model": "m",
        "messages": list(messages),
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert call.headers["authorization"] == f"Bearer {KEY}"
    assert call.path == "/v1/chat/completions"


async def test_one_connection_serves_one_call_after_the_other() -> None:
    async with real_house(Script()) as (house, upstream):
        for _ in range(3):
            await house.message()
        await house.provider.list_models()

        assert upstream.connections == 1


@pytest.mark.parametrize("how", ["cancel", "close"])
async def test_leaving_in_the_middle_closes_the_upstream_call(how: str) -> None:
    gate = Gate(passes=2)
    tokens = tuple(f"{number} " for number in range(100))
    async with real_house(Script(tokens=tokens, gate=gate)) as (house, upstream):
        got_one, gone = asyncio.Event(), asyncio.Event()

        async def read() -> None:
            async with aclosing(house.stream()) as batches:
                async for _ in batches:
                    got_one.set()
                    if how == "close":
                        break
            gone.set()

        reading = asyncio.create_task(read())
        await got_one.wait()
        if how == "cancel":
            reading.cancel()
        await asyncio.wait({reading})
        call = upstream.calls[0]
        await call.closed_by_client.wait()
        gate.open()
        await call.over.wait()

        assert reading.cancelled() is (how == "cancel")
        assert call.tokens_written <= 2
        assert call.tokens_after_close == 0
        assert house.provider.places.live == 0


async def test_leaving_before_the_headers_closes_the_upstream_call() -> None:
    async with real_house(Script(headers_gate=Gate())) as (house, upstream):
        reading = asyncio.create_task(house.message())
        call = await upstream.until_call(1)

        reading.cancel()
        await asyncio.wait({reading})

        await call.closed_by_client.wait()
        assert call.tokens_written == 0


async def test_leaving_while_waiting_for_the_next_try_ends_at_once() -> None:
    async with real_house(Script(status=503)) as (house, upstream):
        reading = asyncio.create_task(house.message())
        await house.sleep.until(0.5)

        reading.cancel()
        await asyncio.wait({reading})

        assert reading.cancelled()
        assert len(upstream.calls) == 1


@pytest.mark.parametrize(
    ("then", "fault"),
    [
        ("drop", UpstreamLost),
        ("end", UpstreamLost),
        ("error", UpstreamRefused),
        ("malformed", UpstreamMalformed),
    ],
)
async def test_a_fault_after_the_first_token_keeps_the_text_and_is_not_tried_again(
    then: Any, fault: type[PeerError]
) -> None:
    async with real_house(Script(tokens=TOKENS, then=then)) as (house, upstream):
        folded = Fold()
        with pytest.raises(fault):
            await house.message(folded=folded)

        assert len(upstream.calls) == 1
        # A broken connection may take with it what the kernel still held.
        said = folded.message.text
        assert "".join(TOKENS).startswith(said)
        assert said == "".join(TOKENS) or then == "drop"


async def test_a_provider_that_falls_silent_is_given_up_and_sees_it() -> None:
    gate = Gate(passes=1)
    async with real_house(Script(tokens=("a",), gate=gate, then="stall")) as (house, upstream):
        batches = house.stream()
        await anext(batches)
        reading = asyncio.ensure_future(anext(batches))
        await gate.until_waited_for()
        gate.release(3)
        await gate.until_waited_for()

        house.sleep.advance(120.0)

        with pytest.raises(UpstreamStalled):
            await reading
        await upstream.calls[0].closed_by_client.wait()


@pytest.mark.parametrize(
    "bad",
    [
        Script(status=500),
        Script(status=429, headers={"Retry-After": "0.5"}),
        Script(tokens=(), then="drop"),
        Script(tokens=(), then="error"),
        Script(tokens=(), then="end"),
    ],
)
async def test_a_fault_before_the_first_token_is_tried_again(bad: Script) -> None:
    async with real_house(bad, bad, Script(tokens=TOKENS)) as (house, upstream):
        reading = asyncio.create_task(house.message())
        first, second = (0.5, 0.5) if bad.status == 429 else (0.5, 1.0)
        await house.sleep.until(first)
        house.sleep.advance(first)
        await upstream.until_call(2)
        await house.sleep.until(second)
        house.sleep.advance(second)

        assert (await reading).text == "".join(TOKENS)
        assert house.observer.counts["upstream_retries"] == 2
        assert house.observer.counts["upstream_calls"] == 3


async def test_a_provider_that_is_not_there_is_tried_again_and_then_named() -> None:
    async with ScriptedUpstream() as upstream:
        base_url = upstream.base_url
    house = House(base_url)
    reading = asyncio.create_task(house.message())

    for seconds in (0.5, 1.0):
        await house.sleep.until(seconds)
        house.sleep.advance(seconds)

    with pytest.raises(UpstreamUnreachable, match="openai cannot be reached"):
        await reading
    await house.provider.close()


async def test_the_wait_that_a_provider_asks_for_is_kept() -> None:
    source = MemorySource(MemoryReply(b"", status=429, retry_after="7"), replies(ANSWER))
    house = House(source=source)
    reading = asyncio.create_task(house.message())
    await house.sleep.until(7.0)

    house.sleep.advance(6.9)
    await asyncio.sleep(0)
    assert len(source.calls) == 1
    house.sleep.advance(0.1)

    assert (await reading).text == "ok"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_the_callers_own_mistakes_are_not_tried_again(status: int) -> None:
    async with real_house(Script(status=status)) as (house, upstream):
        with pytest.raises(UpstreamRefused) as caught:
            await house.message()

        assert caught.value.status == status
        assert len(upstream.calls) == 1


async def test_a_try_that_would_come_after_the_time_of_the_whole_call_is_not_waited_for() -> None:
    source = MemorySource(MemoryReply(b"", status=503, retry_after="50"))
    house = House(source=source, timeouts=Timeouts(total=40.0))

    with pytest.raises(UpstreamRefused):
        await house.message()

    assert len(source.calls) == 1


@pytest.mark.parametrize("status", [400, 422])
async def test_a_server_that_does_not_know_stream_options_is_asked_without(status: int) -> None:
    body = json.dumps({"error": {"message": "Unknown parameter: 'stream_options'."}}).encode()
    async with real_house(Script(status=status, body=body), Script(tokens=TOKENS)) as (
        house,
        upstream,
    ):
        message = await house.message(request(stream_options={"include_obfuscation": False}))

    assert message.text == "".join(TOKENS)
    assert upstream.calls[0].body["stream_options"] == {
        "include_obfuscation": False,
        "include_usage": True,
    }
    assert "stream_options" not in upstream.calls[1].body


async def test_a_server_that_always_complains_of_stream_options_is_asked_twice() -> None:
    body = b'{"error": {"message": "stream_options"}}'
    async with real_house(Script(status=400, body=body)) as (house, upstream):
        with pytest.raises(UpstreamRefused):
            await house.message()

        assert len(upstream.calls) == 2


async def test_calls_beyond_the_limit_wait_for_their_turn_in_order() -> None:
    gate = Gate()
    async with ScriptedUpstream(Script(tokens=("a",), gate=gate)) as upstream:
        house = House(upstream.base_url, calls_max=1, waiting_max=2)
        tasks = []
        for number in range(3):
            tasks.append(asyncio.create_task(house.message(request(seed=number))))
            await asyncio.sleep(0)
        await upstream.until_call(1)
        assert (house.provider.places.live, house.provider.places.waiting) == (1, 2)

        with pytest.raises(UpstreamBusy):
            await house.message()
        gate.open()
        await asyncio.gather(*tasks)

        assert [call.body["seed"] for call in upstream.calls] == [0, 1, 2]
        await house.provider.close()


async def test_a_call_that_waits_says_its_place_and_then_that_it_is_made() -> None:
    gate = Gate()
    async with ScriptedUpstream(Script(tokens=("a",), gate=gate)) as upstream:
        house = House(upstream.base_url, calls_max=1)
        first = asyncio.create_task(house.message())
        await upstream.until_call(1)
        asked = msgspec.structs.replace(request(), language="ru", principal="ann")
        batches = house.stream(asked)

        waiting = await anext(batches)
        gate.open()
        await first
        made = await anext(batches)

        assert waiting == [queued(1, language="ru")]
        assert made == [queue_left(language="ru")]
        assert [type(event) for event in await anext(batches)][:1] == [TextStart]
        await batches.aclose()
        await house.provider.close()


async def test_leaving_the_line_takes_no_place_and_calls_nobody() -> None:
    gate = Gate()
    async with ScriptedUpstream(Script(tokens=("a",), gate=gate)) as upstream:
        house = House(upstream.base_url, calls_max=1)
        first = asyncio.create_task(house.message())
        await upstream.until_call(1)
        batches = house.stream()
        await anext(batches)

        await batches.aclose()

        assert (house.provider.places.live, house.provider.places.waiting) == (1, 0)
        gate.open()
        await first
        assert house.provider.places.live == 0
        assert len(upstream.calls) == 1
        await house.provider.close()


async def test_one_answer_as_one_json_is_an_answer() -> None:
    body = json.dumps(
        {
            "choices": [{"message": {"content": "Готово."}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2},
        }
    ).encode()
    async with real_house(Script(body=body)) as (house, _):
        message = await house.message()

    assert message.text == "Готово."
    assert message.usage is not None


async def test_an_answer_cannot_be_taken_up_in_its_middle() -> None:
    source = MemorySource(replies(ANSWER))
    house = House(source=source)
    begun = Message(run="r", parts=[Part(type="text", id="text-1", text="Начало")])

    with pytest.raises(PeerError, match="openai/m cannot take up an answer in its middle"):
        await house.message(ChatRequest(model="m", messages=(), said=begun))
    assert source.calls == []
    nothing = ChatRequest(model="m", messages=(), said=Message(run="r"))
    assert (await house.message(nothing)).text == "ok"


async def test_closing_the_provider_ends_calls_under_way() -> None:
    async with real_house(Script(tokens=("a", "b"), gate=Gate(passes=1))) as (house, upstream):
        batches = house.stream()
        await anext(batches)
        reading = asyncio.ensure_future(anext(batches))
        await asyncio.sleep(0)

        await house.provider.close()

        with pytest.raises(UpstreamLost):
            await reading
        await upstream.calls[0].closed_by_client.wait()
        with pytest.raises(UpstreamLost):
            await house.message()


async def test_closing_the_provider_ends_the_wait_for_the_next_try_without_one() -> None:
    source = MemorySource(MemoryReply(b"", status=503))
    house = House(source=source)
    reading = asyncio.create_task(house.message())
    await house.sleep.until(0.5)

    await house.provider.close()
    house.sleep.advance(0.5)

    with pytest.raises(UpstreamRefused):
        await reading
    assert len(source.calls) == 1


async def test_neither_key_nor_prompt_are_in_errors_names_or_logs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    words = f"Incorrect API key provided: {KEY} for {PROMPT}"
    body = json.dumps({"error": {"message": words}}, ensure_ascii=False).encode()
    async with real_house(Script(status=401, body=body), Script(then="drop")) as (house, _):
        with pytest.raises(UpstreamRefused, match="check OPENAI_API_KEY") as refused:
            await house.message()
        with pytest.raises(UpstreamLost) as lost:
            await house.message()
        model = house.provider.model("m")

    seen = [repr(house.provider), repr(model), caplog.text, repr(vars(house.provider))]
    for caught in (refused, lost):
        seen += [str(caught.value), repr(caught.value)]
        seen += traceback.format_exception(caught.value)
        seen += [repr(caught.value.__context__), repr(caught.value.__cause__)]
    for text in seen:
        assert KEY not in text
        assert "Петровой" not in text


async def test_models_are_listed_as_the_server_names_them() -> None:
    async with real_house(models=("gpt-x", "meta/llama")) as (house, upstream):
        models = await house.provider.list_models()

    assert [model.full_name for model in models] == ["openai/gpt-x", "openai/meta/llama"]
    assert upstream.lists == 1


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        (Script(status=401), UpstreamRefused),
        (Script(status=500), UpstreamRefused),
        (Script(body=b"<html>"), UpstreamMalformed),
        (Script(tokens=(), then="drop"), UpstreamLost),
    ],
)
async def test_a_list_that_does_not_come_says_why(script: Script, fault: type[PeerError]) -> None:
    async with real_house(models_script=script) as (house, upstream):
        with pytest.raises(fault):
            await house.provider.list_models()

        assert upstream.lists == 1


async def test_a_list_is_not_waited_for_long() -> None:
    async with real_house(models_script=Script(headers_gate=Gate())) as (house, _):
        listing = asyncio.create_task(house.provider.list_models())
        await house.sleep.until(UPSTREAM_LIST_SECONDS)

        house.sleep.advance(UPSTREAM_LIST_SECONDS)

        with pytest.raises(UpstreamStalled, match="did not list its models within 5 seconds"):
            await listing


async def test_capabilities_are_those_of_the_name_or_the_operators_own() -> None:
    known = House().provider.model("gpt-5-mini")
    own = House(capabilities=lambda name: Capabilities(continues="no")).provider.model("gpt-5-mini")

    assert known.capabilities.reasoning
    assert known.info.full_name == "openai/gpt-5-mini"
    assert own.capabilities == Capabilities(continues="no")
