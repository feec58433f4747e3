"""The AI SDK's own chat, versions 6 and 7, against a real server: send, reload, stop, fail."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from potok.testing.upstream import ScriptedUpstream
from potok.testing.upstream_script import Script
from tests.integration.clients import COUNT, Target
from tests.integration.harness import Server, running_server, upstream_of
from tests.peers.node import NodePeer

PROMPT = "Tell me in detail what Potok is"
CALL: dict[str, Any] = {
    "tool_calls": [
        {
            "index": 0,
            "id": "call_1",
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city": "Пермь"}'},
        }
    ]
}

each_version = pytest.mark.parametrize("version", ["ai6", "ai7"])


@pytest.fixture
def sdk(ai_sdk: NodePeer) -> NodePeer:
    return ai_sdk


async def play(
    sdk: NodePeer, server: Server | Target, version: str, scenario: str, **options: object
) -> Any:
    """Play one user's session and return what the user saw."""
    seen = await sdk.run("session.mjs", version, scenario, server.url, json.dumps(options))
    assert "invalid" not in seen, seen["invalid"]
    return seen


async def told(server: Server | Target, run: str) -> Any:
    """Return a run's state as the native face tells it, once it has ended."""
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        while True:
            state = (await client.get(f"/api/runs/{run}")).json()
            if state["status"] not in ("queued", "running"):
                return state
            await client.get(f"/api/runs/{run}/events?after={state['offset']}&wait=5")


def chunks_of(*deltas: dict[str, Any], finish: str) -> tuple[bytes, ...]:
    """Return a provider's stream with these deltas."""
    steps = [*((delta, None) for delta in deltas), ({}, finish)]
    choices = [{"index": 0, "delta": delta, "finish_reason": end} for delta, end in steps]
    frames = [{"id": "c", "object": "chat.completion.chunk", "choices": [one]} for one in choices]
    lines = [json.dumps({**frame, "created": 1, "model": "m"}) for frame in frames]
    return tuple(f"data: {line}\n\n".encode() for line in [*lines, "[DONE]"])


@each_version
async def test_an_answer_comes_whole(sdk: NodePeer, tmp_path: Path, version: str) -> None:
    async with running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="0") as server:
        seen = await play(sdk, server, version, "answer", prompt=PROMPT)
        state = await told(server, seen["run"])

    assert seen["protocol"] == "v1"
    assert seen["state"] == "ready"
    assert seen["errors"] == []
    assert [message["role"] for message in seen["messages"]] == ["user", "assistant"]
    assert seen["messages"][1]["id"] == f"msg_{seen['run']}"
    assert seen["text"] == state["message"]["text"] != ""
    assert seen["finishes"][0]["finishReason"] == "stop"


@each_version
async def test_a_stream_is_read_into_a_growing_message(
    sdk: NodePeer, tmp_path: Path, version: str
) -> None:
    async with running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="300") as server:
        seen = await play(sdk, server, version, "read", prompt=PROMPT)
        state = await told(server, seen["run"])

    assert seen["texts"] == sorted(seen["texts"])
    assert seen["text"] == state["message"]["text"]


@each_version
@pytest.mark.parametrize("saved", ["question", "all"])
async def test_a_page_that_reloads_in_the_middle_gets_all_of_the_answer_once(
    sdk: NodePeer, tmp_path: Path, version: str, saved: str
) -> None:
    async with running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="150") as server:
        seen = await play(sdk, server, version, "reload", prompt=PROMPT, saved=saved)
        state = await told(server, seen["run"])

    assert seen["status"] == 200
    assert state["status"] == "finished"
    assert 0 < len(seen["partial"]) < len(seen["text"])
    assert seen["text"] == state["message"]["text"]
    assert seen["before"] == seen["messages"][-1]["id"]
    assert [message["role"] for message in seen["messages"]] == ["user", "assistant"]


@each_version
async def test_a_page_without_a_live_answer_resumes_nothing(
    sdk: NodePeer, tmp_path: Path, version: str
) -> None:
    async with running_server(tmp_path) as server:
        seen = await play(sdk, server, version, "resume", chat="чат/1?")

    assert seen["status"] == 204
    assert seen["state"] == "ready"
    assert len(seen["messages"]) == 1


@each_version
async def test_a_stopped_answer_keeps_its_text(sdk: NodePeer, tmp_path: Path, version: str) -> None:
    async with running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="100") as server:
        seen = await play(sdk, server, version, "stop", prompt=PROMPT, chat="a b/c")
        state = await told(server, seen["run"])

    assert state["status"] == "cancelled"
    assert seen["chunks"][-1] == "abort"
    assert seen["state"] == "ready"
    assert seen["errors"] == []
    assert seen["text"] == state["message"]["text"] != ""


@each_version
async def test_a_broken_provider_is_an_error_of_the_chat(
    sdk: NodePeer, tmp_path: Path, version: str
) -> None:
    broken = Script(status=401, body=b'{"error": {"message": "no such key"}}')
    async with (
        ScriptedUpstream(broken, models=("m",)) as upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
    ):
        body = {"model": "openai/m"}
        seen = await play(sdk, server, version, "answer", prompt="?", body=body)
        state = await told(server, seen["run"])

    assert seen["state"] == "error"
    assert seen["errors"] == [state["error"]["message"]]
    assert seen["finishes"][0]["isError"] is True


@each_version
async def test_a_refused_request_says_why(sdk: NodePeer, tmp_path: Path, version: str) -> None:
    async with running_server(tmp_path) as server:
        seen = await play(sdk, server, version, "answer", prompt="?", body={"model": "nobody"})

    assert seen["status"] == 404
    assert seen["state"] == "error"
    assert json.loads(seen["errors"][0])["error"]["code"] == "model_not_found"


@each_version
async def test_the_output_of_a_pages_tool_goes_back_and_the_same_message_goes_on(
    sdk: NodePeer, tmp_path: Path, version: str
) -> None:
    calling = Script(pieces=chunks_of(CALL, finish="tool_calls"))
    saying = Script(pieces=chunks_of({"content": "It is sunny."}, finish="stop"))
    async with (
        ScriptedUpstream(calling, saying, models=("m",)) as upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
    ):
        body = {"model": "openai/m"}
        seen = await play(sdk, server, version, "tool", prompt="Weather?", body=body)
        asked = upstream.calls[-1].body

    parts = [part for part in seen["messages"][1]["parts"] if part["type"] != "step-start"]
    assert [message["role"] for message in seen["messages"]] == ["user", "assistant"]
    assert parts[0]["input"] == {"city": "Пермь"}
    assert parts[0]["output"] == {"sunny": True}
    assert seen["text"] == "It is sunny."
    assert [message["role"] for message in asked["messages"]] == ["user", "assistant", "tool"]
    assert json.loads(asked["messages"][2]["content"]) == {"sunny": True}


@each_version
async def test_a_chat_finds_its_answer_after_the_server_was_killed(
    sdk: NodePeer, tmp_path: Path, version: str
) -> None:
    asked = {
        "id": "chat-1",
        "messages": [{"role": "user", "parts": [{"type": "text", "text": PROMPT}]}],
    }
    async with running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="100") as server:
        async with (
            httpx.AsyncClient(base_url=server.url, timeout=30) as client,
            client.stream("POST", "/api/ui/chat", json=asked) as reply,
        ):
            run = reply.headers["x-potok-run"]
            async for chunk in reply.aiter_raw():
                if b"text-delta" in chunk:
                    break
            await server.kill()
        await server.start()
        seen, state = await asyncio.gather(
            play(sdk, server, version, "resume", prompt=PROMPT), told(server, run)
        )

    assert seen["run"] == run
    assert state["status"] == "finished"
    assert seen["text"] == state["message"]["text"]
    assert seen["messages"][-1]["id"] == f"msg_{run}"


@each_version
async def test_a_reload_in_the_middle_of_somebody_elses_answer_loses_nothing(
    sdk: NodePeer, passing_target: Target, version: str
) -> None:
    chat, body = f"aimock-{version}", {"model": passing_target.model}
    seen = await play(sdk, passing_target, version, "reload", prompt=COUNT, chat=chat, body=body)
    state = await told(passing_target, seen["run"])

    assert 0 < len(seen["partial"]) < len(seen["text"])
    assert seen["text"] == state["message"]["text"]
    assert seen["text"].endswith("299, 300.")
