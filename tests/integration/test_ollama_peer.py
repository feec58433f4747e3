"""The adapter for Ollama, and a whole server, against an Ollama-shaped server that is not ours."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from potok.clock import SystemClock, SystemIds
from potok.errors import UpstreamLost, UpstreamRefused
from potok.events.fold import Fold, Message
from potok.models.contract import ChatRequest
from potok.models.ollama import OllamaProvider
from potok.models.retrying import RetryRules
from tests.integration.harness import running_server
from tests.integration.peers import Aimock, Peers, installed_peers, running_aimock

RUSSIAN = "Съешь ещё этих мягких 🎉 французских булок 👋, да выпей чаю."
FIXTURES: list[dict[str, Any]] = [
    # Pieces of one UTF-16 unit: aimock cuts each emoji in two.
    {"match": {"userMessage": "привет"}, "response": {"content": RUSSIAN}, "chunkSize": 1},
    {
        "match": {"userMessage": "сколько"},
        "response": {"content": "Четыре.", "reasoning": "Два и два."},
        "chunkSize": 3,
    },
    {
        "match": {"userMessage": "погода"},
        "response": {
            "content": "Смотрю.",
            "toolCalls": [
                {"name": "weather", "arguments": {"city": "Псков"}},
                {"name": "weather", "arguments": {"city": "Тверь"}},
            ],
        },
    },
    {
        "match": {"userMessage": "оборви"},
        "response": {"content": "0123456789"},
        "chunkSize": 2,
        "latency": 30,
        "truncateAfterChunks": 3,
    },
    {
        "match": {"userMessage": "занято"},
        "response": {"error": {"message": "overloaded", "type": "server_error"}, "status": 503},
    },
]
ONE_TRY = RetryRules(tries_max=1)


@pytest.fixture(scope="module")
def peers() -> Peers:
    return installed_peers()


@pytest.fixture
async def aimock(tmp_path: Path, peers: Peers) -> AsyncIterator[Aimock]:
    async with running_aimock(tmp_path, FIXTURES, peers=peers) as peer:
        yield peer


@pytest.fixture
async def provider(aimock: Aimock) -> AsyncIterator[OllamaProvider]:
    provider = OllamaProvider(
        "ollama", aimock.url, clock=SystemClock(), ids=SystemIds(), retry=ONE_TRY
    )
    yield provider
    await provider.close()


async def folded(batches: Any, fold: Fold | None = None) -> Message:
    fold = fold or Fold()
    async for batch in batches:
        for event in batch:
            fold.feed(event)
    return fold.message


def asked(question: str, **parameters: Any) -> ChatRequest:
    messages = ({"role": "user", "content": question},)
    return ChatRequest(model="m", messages=messages, parameters=parameters)


async def test_a_chat_is_read_to_the_last_letter(provider: OllamaProvider) -> None:
    message = await folded(provider.model("m").stream(asked("привет")))

    assert message.text == RUSSIAN
    assert (message.outcome, message.finish_reason) == ("finished", "stop")


async def test_a_plain_prompt_is_read_to_the_last_letter(provider: OllamaProvider) -> None:
    model = provider.model("m")

    message = await folded(model.generate_stream("привет", system="Кратко.", is_raw=True))

    assert message.text == RUSSIAN


async def test_thinking_stands_apart(provider: OllamaProvider) -> None:
    message = await folded(provider.model("m").stream(asked("сколько")))

    assert (message.reasoning, message.text) == ("Два и два.", "Четыре.")


async def test_calls_of_tools_are_whole(provider: OllamaProvider) -> None:
    message = await folded(provider.model("m").stream(asked("погода")))

    calls = [(part.name, json.loads(part.text)) for part in message.parts if part.type == "tool"]
    assert message.text == "Смотрю."
    assert calls == [("weather", {"city": "Псков"}), ("weather", {"city": "Тверь"})]
    assert message.finish_reason == "tool_calls"


async def test_a_connection_that_breaks_is_lost_and_the_text_kept(
    provider: OllamaProvider,
) -> None:
    fold = Fold()

    with pytest.raises(UpstreamLost):
        await folded(provider.model("m").stream(asked("оборви")), fold)

    assert fold.message.text
    assert "0123456789".startswith(fold.message.text)


@pytest.mark.parametrize(("question", "status"), [("занято", 503), ("нет такого", 404)])
async def test_a_refusal_has_its_status(
    provider: OllamaProvider, question: str, status: int
) -> None:
    with pytest.raises(UpstreamRefused) as refusal:
        await folded(provider.model("m").stream(asked(question)))

    assert refusal.value.status == status


async def test_it_understands_what_is_sent(aimock: Aimock, provider: OllamaProvider) -> None:
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {}}}]
    request = asked("привет", temperature=0.5, max_tokens=9, tools=tools, stop="x")

    await folded(provider.model("m").stream(request))

    (seen,) = await aimock.requests()
    # Its own reading of Ollama's fields, not ours.
    assert (seen["temperature"], seen["max_tokens"]) == (0.5, 9)
    assert seen["tools"][0]["function"]["name"] == "weather"
    assert seen["messages"] == [{"role": "user", "content": "привет"}]


async def test_its_models_are_listed(provider: OllamaProvider) -> None:
    names = [model.name for model in await provider.list_models()]

    assert "gpt-4o" in names


async def test_a_server_with_ollama_host_serves_its_models(tmp_path: Path, aimock: Aimock) -> None:
    body = {
        "model": "ollama/m",
        "stream": True,
        "messages": [{"role": "user", "content": "привет"}],
    }
    async with (
        running_server(tmp_path / "data", OLLAMA_HOST=aimock.url) as server,
        httpx.AsyncClient(base_url=server.url) as client,
    ):
        models = (await client.get("/v1/models")).json()["data"]
        reply = await client.post("/v1/chat/completions", json=body)

    assert reply.status_code == 200, server.lines[-30:]
    frames = [line[6:] for line in reply.text.splitlines() if line.startswith("data: {")]
    deltas = [choice["delta"] for frame in frames for choice in json.loads(frame)["choices"]]
    assert "ollama/gpt-4o" in {model["full_name"] for model in models}
    assert "".join(delta.get("content") or "" for delta in deltas) == RUSSIAN
