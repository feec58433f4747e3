"""P10: one log, every protocol: start with one SDK, watch with another, cancel with curl."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai.types.chat import ChatCompletionChunk

from potok.wire.sse import SseDecoder, SseEvent
from tests.integration.harness import Server, events_of, running_server, text_in, whole_run

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

LONG_PROMPT = "Tell me in detail what Potok is"


async def curl(*arguments: str) -> str:
    """Run curl as a user types it; return what it printed."""
    process = await asyncio.create_subprocess_exec(
        "curl", "-sS", "--max-time", "20", *arguments, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return output.decode()


async def read_words(stream: openai.AsyncStream[ChatCompletionChunk], words: list[str]) -> None:
    """Read a stream to its end, noting each piece as it comes."""
    async for chunk in stream:
        words.append(chunk.choices[0].delta.content or "")


async def cancel_after(server: Server, run: str, words: list[str], *, count: int) -> Any:
    """Cancel a run with curl once so many pieces were seen; return what curl printed."""
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as native:
        async for _ in events_of(native, run):
            if len(words) >= count:
                break
    json_body = ("-X", "POST", "-d", "{}", "-H", "Content-Type: application/json")
    return json.loads(await curl(*json_body, f"{server.url}/api/runs/{run}/cancel"))


async def test_a_run_started_by_openai_is_watched_natively_and_cancelled_by_curl(
    tmp_path: Path,
) -> None:
    async with running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="40") as server:
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any") as client:
            reply = await client.chat.completions.with_raw_response.create(
                model="demo", messages=[{"role": "user", "content": LONG_PROMPT}], stream=True
            )
            run = reply.headers["x-potok-run"]
            words: list[str] = []
            cancelling = asyncio.create_task(cancel_after(server, run, words, count=8))
            with pytest.raises(openai.APIError) as stopped:
                await read_words(reply.parse(), words)
            state = await cancelling
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as native:
            whole = await whole_run(native, run)

    assert state["status"] == "cancelled"
    assert stopped.value.code == "cancelled"
    assert text_in(whole) == "".join(words)


async def chat_frames(
    server: Server, body: dict[str, object], headers: dict[str, str], frames_max: int
) -> tuple[str, list[SseEvent]]:
    """Post a chat and read at most so many frames; return the run and the frames."""
    decoder = SseDecoder()
    frames: list[SseEvent] = []
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
        client.stream("POST", "/v1/chat/completions", json=body, headers=headers) as reply,
    ):
        assert reply.status_code == 200, await reply.aread()
        async for chunk in reply.aiter_raw():
            frames.extend(decoder.feed(chunk))
            if len(frames) >= frames_max:
                break
        return reply.headers["x-potok-run"], frames[:frames_max]


async def test_a_chat_completion_that_was_cut_goes_on_by_last_event_id(tmp_path: Path) -> None:
    body: dict[str, object] = {
        "model": "demo",
        "stream": True,
        "messages": [{"role": "user", "content": LONG_PROMPT}],
    }
    async with running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="300") as server:
        run, before = await chat_frames(server, body, {}, 30)
        same, after = await chat_frames(server, body, {"Last-Event-ID": before[-1].id}, 10_000)
        key = {"Idempotency-Key": "k", "X-Potok-On-Disconnect": "keep"}
        _, uncut = await chat_frames(server, body, key, 10_000)

    def text(frames: list[SseEvent]) -> str:
        chunks = [json.loads(frame.data) for frame in frames if frame.data != "[DONE]"]
        return "".join(
            choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"]
        )

    assert run == same
    assert text(before) + text(after) == text(uncut)
    assert after[-1].data == "[DONE]"


async def test_ndjson_and_sse_and_the_snapshot_tell_the_same_run(tmp_path: Path) -> None:
    async with running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="0") as server:
        started = json.loads(
            await curl(
                *("-H", "Content-Type: application/json", f"{server.url}/api/runs", "-d"),
                '{"model":"demo","messages":[{"role":"user","content":"What is Potok?"}]}',
            )
        )
        run = started["id"]
        lines = await curl("-N", f"{server.url}{started['events']}?format=ndjson")
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as native:
            frames = await whole_run(native, run)
        state = json.loads(await curl(f"{server.url}/api/runs/{run}"))

    ndjson = [json.loads(line) for line in lines.splitlines() if line]
    assert [(line.pop("id"), line.pop("event"), line) for line in ndjson] == [
        (offset, kind, json.loads(fields)) for offset, kind, fields in frames
    ]
    assert state["message"]["text"] == text_in(frames)
    assert state["offset"] == frames[-1][0]
