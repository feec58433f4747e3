import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, cast

import pytest

from potok.errors import (
    PeerError,
    RequestInvalid,
    UpstreamLost,
    UpstreamMalformed,
    UpstreamRefused,
    UpstreamUnreachable,
)
from potok.events.fold import Fold, Message, Part
from potok.models.contract import Capabilities, ChatRequest, ModelInfo
from potok.models.ollama import OllamaModel, OllamaProvider
from potok.models.retrying import RetryRules
from potok.testing.fakes import CountingIds, FakeClock, RecordingObserver
from potok.testing.gates import FakeSleep, Gate
from potok.testing.upstream import Script, ScriptedUpstream
from tests.unit.models.memory_source import MemorySource

PROMPT = "Составь письмо Анне Петровой о договоре № 45-17."
TOKENS = ("При", "вет", ", ", "мир", " 🎉", "!")
RETRY = RetryRules(tries_max=2, backoff_seconds=1.0, backoff_seconds_max=8.0)
MESSAGES = ({"role": "user", "content": PROMPT},)


class House:
    """A provider whose time the test moves."""

    def __init__(self, base_url: str = "http://test", **more: Any) -> None:
        self.clock = FakeClock()
        self.sleep = FakeSleep(self.clock)
        self.observer = RecordingObserver()
        self.provider = OllamaProvider(
            "ollama",
            base_url,
            clock=self.clock,
            ids=CountingIds(fraction=0.0),
            sleep=self.sleep,
            observer=self.observer,
            retry=RETRY,
            **more,
        )
        self.model = self.provider.model("m")

    def chat(self, **parameters: Any) -> Any:
        request = ChatRequest(model="m", messages=MESSAGES, parameters=parameters)
        return self.model.stream(request)


@asynccontextmanager
async def real_house(
    *scripts: Script, **more: Any
) -> AsyncIterator[tuple[House, ScriptedUpstream]]:
    async with ScriptedUpstream(*scripts, **more) as upstream:
        house = House(upstream.ollama_url)
        try:
            yield house, upstream
        finally:
            await house.provider.close()


async def folded(batches: Any, fold: Fold | None = None) -> Message:
    fold = fold or Fold()
    async for batch in batches:
        assert batch
        for event in batch:
            fold.feed(event)
    return fold.message


async def test_an_answer_comes_as_it_was_said() -> None:
    script = Script(tokens=TOKENS, thinking=("Поду", "маю."), write_bytes_max=7)
    async with real_house(script) as (house, upstream):
        message = await folded(house.chat(temperature=0.2))

    (call,) = upstream.calls
    assert (message.text, message.reasoning) == ("Привет, мир 🎉!", "Подумаю.")
    assert (message.outcome, message.finish_reason) == ("finished", "stop")
    assert (call.method, call.path) == ("POST", "/api/chat")
    assert call.body == {
        "model": "m",
        "messages": [{"role": "user", "content": PROMPT}],
        "stream": True,
        "options": {"temperature": 0.2},
    }


async def test_pace_is_ollamas_own_and_the_first_token_is_timed_here() -> None:
    async with real_house(Script(tokens=TOKENS)) as (house, _):
        usage = (await folded(house.chat())).usage

    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens) == (7, len(TOKENS))
    assert usage.tokens_per_second == len(TOKENS)
    assert usage.first_token_seconds == 0.0


async def test_a_plain_prompt_gives_the_same_events() -> None:
    async with real_house(Script(tokens=TOKENS, thinking=("Хм",))) as (house, upstream):
        chat = [batch async for batch in house.chat()]
        plain = [
            batch
            async for batch in house.model.generate_stream(
                PROMPT, system="Кратко.", is_raw=True, parameters={"max_tokens": 9}
            )
        ]

    call = upstream.calls[1]
    assert [event for batch in plain for event in batch] == [
        event for batch in chat for event in batch
    ]
    assert call.path == "/api/generate"
    assert call.body == {
        "model": "m",
        "prompt": PROMPT,
        "stream": True,
        "system": "Кратко.",
        "raw": True,
        "options": {"num_predict": 9},
    }


async def test_a_token_is_given_before_the_next_one_is_said() -> None:
    gate = Gate()
    async with real_house(Script(tokens=("a", "b"), gate=gate)) as (house, upstream):
        batches = house.chat()
        gate.release()
        first = await anext(batches)
        call = await upstream.until_call(1)

        assert getattr(first[-1], "text", None) == "a"
        assert call.tokens_written == 1
        gate.open()
        assert [batch async for batch in batches]


async def test_calls_one_after_the_other_share_a_connection() -> None:
    async with real_house(Script()) as (house, upstream):
        await house.provider.list_models()
        for _ in range(3):
            await folded(house.chat())
        await folded(house.model.generate_stream("a"))

        assert upstream.connections == 1


@pytest.mark.parametrize("how", ["cancel", "close"])
async def test_leaving_in_the_middle_closes_the_call(how: str) -> None:
    gate = Gate(passes=2)
    async with real_house(Script(tokens=("a", "b", "c"), gate=gate)) as (house, upstream):
        got_one, gone = asyncio.Event(), asyncio.Event()

        async def read() -> None:
            async with aclosing(house.chat()) as batches:
                async for _ in batches:
                    got_one.set()
                    if how == "close":
                        break
            gone.set()

        reader = asyncio.create_task(read())
        await got_one.wait()
        if how == "cancel":
            reader.cancel()
        await asyncio.wait([reader])

        call = await upstream.until_call(1)
        await call.closed_by_client.wait()
        assert call.tokens_after_close == 0


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        (Script(tokens=("a",), then="drop"), UpstreamLost),
        (Script(tokens=("a",), then="end"), UpstreamLost),
        (Script(tokens=("a",), then="malformed"), UpstreamMalformed),
        (Script(tokens=("a",), then="error", error="it burns"), UpstreamRefused),
    ],
)
async def test_what_was_said_before_a_fault_is_kept(script: Script, fault: type[PeerError]) -> None:
    fold = Fold()
    async with real_house(script) as (house, upstream):
        with pytest.raises(fault):
            await folded(house.chat(), fold)

    assert fold.message.text == "a"
    assert len(upstream.calls) == 1


async def test_a_fault_before_the_first_token_is_tried_again() -> None:
    async with real_house(Script(status=503, body=b'{"error":"busy"}'), Script()) as (house, up):
        answering = asyncio.create_task(folded(house.chat()))
        await house.sleep.until(0.5)
        house.sleep.advance(0.5)

        assert (await answering).text == "Hello, world!"
        assert len(up.calls) == 2


async def test_a_model_that_is_not_there_is_to_be_pulled() -> None:
    missing = Script(status=404, body=b'{"error":"model \'m\' not found"}')
    async with real_house(missing) as (house, _):
        with pytest.raises(UpstreamRefused, match="run `ollama pull`") as refusal:
            await folded(house.chat())

    assert refusal.value.status == 404


async def test_what_a_model_cannot_do_is_told_in_ollamas_words() -> None:
    refused = Script(status=400, body=b'{"error":"\\"m\\" does not support thinking"}')
    async with real_house(refused) as (house, _):
        with pytest.raises(UpstreamRefused, match='"m" does not support thinking'):
            await folded(house.chat(reasoning_effort="high"))


@pytest.mark.parametrize("path", ["chat", "generate"])
async def test_no_error_repeats_the_prompt(path: str) -> None:
    said = f'{{"error":"cannot say {PROMPT}"}}'.encode()
    async with real_house(Script(status=400, body=said)) as (house, _):
        asked = house.chat() if path == "chat" else house.model.generate_stream(PROMPT)
        with pytest.raises(UpstreamRefused) as refusal:
            await folded(asked)

    assert "Анне" not in str(refusal.value)


async def test_what_cannot_be_sent_is_refused_before_anything_is() -> None:
    source = MemorySource()
    house = House(source=source)

    with pytest.raises(RequestInvalid):
        await anext(house.chat(n=2))
    with pytest.raises(RequestInvalid):
        await anext(cast(Any, house.model.generate_stream("a", parameters={"n": 2})))
    begun = Message(parts=[Part(type="text", id="text-1", text="a")])
    with pytest.raises(PeerError, match="in its middle"):
        await anext(cast(Any, house.model.stream(ChatRequest(model="m", messages=(), said=begun))))

    assert source.calls == []
    assert house.provider.places.live == 0


async def test_models_are_listed_and_what_was_told_of_them_is_remembered() -> None:
    async with real_house(models=("llama3.2:latest",)) as (house, upstream):
        before = house.provider.model("llama3.2:latest")
        (listed,) = await house.provider.list_models()
        model = house.provider.model("llama3.2:latest")

    assert upstream.lists == 1
    assert listed == model.info
    assert (listed.full_name, listed.context_tokens) == ("ollama/llama3.2:latest", 8192)
    assert model.capabilities == Capabilities(continues="prompt", tools=True, json_schema=True)
    assert before.info == ModelInfo(name="llama3.2:latest", provider="ollama")


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        (Script(status=500), UpstreamRefused),
        (Script(body=b"Ollama is running"), UpstreamMalformed),
        (Script(tokens=(), then="drop"), UpstreamLost),
    ],
)
async def test_a_list_that_is_none_is_a_fault(script: Script, fault: type[PeerError]) -> None:
    async with real_house(models_script=script) as (house, _):
        with pytest.raises(fault):
            await house.provider.list_models()


async def test_where_nobody_listens_no_call_is_made() -> None:
    async def nobody() -> bool:
        return False

    source = MemorySource()
    house = House(source=source, is_listening=nobody)

    with pytest.raises(UpstreamUnreachable, match="nobody listens at http://test"):
        await house.provider.list_models()
    assert source.calls == []


async def test_where_somebody_listens_the_list_is_asked_for() -> None:
    async def somebody() -> bool:
        return True

    async with ScriptedUpstream(models=("m",)) as upstream:
        house = House(upstream.ollama_url, is_listening=somebody)
        assert [model.name for model in await house.provider.list_models()] == ["m"]
        await house.provider.close()


def test_its_repr_shows_where_it_is_and_no_password() -> None:
    provider = House("http://user:secret@gpu.lan:11434").provider

    assert repr(provider) == "OllamaProvider('ollama', 'http://gpu.lan:11434')"
    assert isinstance(provider.model("m"), OllamaModel)
