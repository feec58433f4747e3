"""The coding agent on a scripted model: its stages, its loop, its tokens as they come, kill -9."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from potok.testing.gates import Gate
from potok.testing.upstream import ScriptedUpstream
from potok.testing.upstream_script import Script
from potok.wire.sse import SseDecoder
from tests.integration.harness import Server, running_server, upstream_of

pytestmark = pytest.mark.integration

END_SECONDS_MAX = 30.0
CODE = ("```python ", "count.py\n", "def count", "(text):\n", "    return 0\n", "```")
WISH = {"message": "Посчитай слова", "mode": "code", "model": "scripted-1"}

Frame = tuple[str, dict[str, Any], str]


def as_json(value: object) -> Script:
    return Script(tokens=(json.dumps(value, ensure_ascii=False),))


PLAN = as_json({"steps": ["Разбить текст", "Посчитать"]})
FIX = as_json({"verdict": "fix", "issues": ["Считает неверно"]})
FINE = as_json({"verdict": "ok", "issues": []})
ANSWER = Script(tokens=("Готова ", "функция ", "count."))


async def frames_of(
    client: httpx.AsyncClient, body: dict[str, Any], *, last_id: str | None = None
) -> AsyncIterator[Frame]:
    decoder = SseDecoder()
    headers = {"Last-Event-ID": last_id} if last_id else {}
    async with client.stream("POST", "/api/agent/stream", json=body, headers=headers) as reply:
        assert reply.status_code == 200, await reply.aread()
        async for chunk in reply.aiter_raw():
            for frame in decoder.feed(chunk):
                yield frame.event, json.loads(frame.data), frame.id


async def ask(
    folder: Path, scripts: Sequence[Script], body: dict[str, Any] = WISH
) -> tuple[list[Frame], list[dict[str, Any]]]:
    async with (
        ScriptedUpstream(*scripts) as upstream,
        running_server(folder, **upstream_of(upstream)) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        frames = [frame async for frame in frames_of(client, body)]
        return frames, [call.body for call in upstream.calls]


def stages_in(frames: Sequence[Frame]) -> list[str]:
    return [
        f"{fields['stage']} {fields['attempt']} {fields['state']}"
        for event, fields, _ in frames
        if event == "stage_update"
    ]


def text_in(frames: Sequence[Frame]) -> str:
    return "".join(fields["text"] for event, fields, _ in frames if event == "token")


async def test_code_goes_through_three_stages_and_both_texts_stream(tmp_path: Path) -> None:
    frames, asked = await ask(tmp_path, [PLAN, Script(tokens=CODE), FINE, ANSWER])

    assert stages_in(frames) == [
        "planner 1 started",
        "planner 1 finished",
        "coder 1 started",
        "coder 1 finished",
        "critic 1 started",
        "critic 1 finished",
    ]
    assert text_in(frames) == "".join(CODE) + "Готова функция count."
    assert all(set(fields) == {"text"} for event, fields, _ in frames if event == "token")
    assert [event for event, _, _ in frames[-2:]] == ["metadata", "done"]
    metadata = frames[-2][1]
    assert metadata["plan"] == ["Разбить текст", "Посчитать"]
    assert metadata["files"] == [
        {"path": "count.py", "language": "python", "content": "def count(text):\n    return 0\n"}
    ]
    assert (metadata["critique"], metadata["iterations"]) == ({"verdict": "ok", "issues": []}, 1)
    assert metadata["task_id"] == frames[-1][2].partition(".")[0]
    # The form of the plan is asked for, as the model can take it.
    assert "steps" in json.dumps(asked[0])


async def test_the_critic_sends_code_back_and_the_loop_has_a_bound(tmp_path: Path) -> None:
    code = Script(tokens=CODE)
    frames, asked = await ask(tmp_path, [PLAN, code, FIX, code, FIX, code, FIX, ANSWER])

    starts = [stage for stage in stages_in(frames) if "started" in stage]
    assert starts == [
        "planner 1 started",
        "coder 1 started",
        "critic 1 started",
        "coder 2 started",
        "critic 2 started",
        "coder 3 started",
        "critic 3 started",
    ]
    assert frames[-2][1]["iterations"] == 3
    assert frames[-2][1]["critique"] == {"verdict": "fix", "issues": ["Считает неверно"]}
    assert "Считает неверно" in asked[3]["messages"][-1]["content"]
    assert len(asked) == 8


async def test_chat_mode_streams_an_answer_without_stages(tmp_path: Path) -> None:
    history = [{"role": "user", "content": "Привет"}, {"role": "assistant", "content": "Привет!"}]
    body = {
        "message": "Как дела?",
        "conversation_history": history,
        "mode": "chat",
        "model": "scripted-1",
        "temperature": 0.5,
    }
    frames, asked = await ask(tmp_path, [ANSWER], body)

    assert {event for event, _, _ in frames} == {"token", "done"}
    assert text_in(frames) == "Готова функция count."
    assert asked[0]["messages"] == [*history, {"role": "user", "content": "Как дела?"}]
    assert asked[0]["temperature"] == 0.5


async def test_tokens_come_while_the_model_is_still_writing(tmp_path: Path) -> None:
    gate = Gate()
    scripts = [PLAN, Script(tokens=CODE, gate=gate), FINE, ANSWER]
    async with (
        ScriptedUpstream(*scripts) as upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
        asyncio.timeout(END_SECONDS_MAX),
    ):
        shown: list[str] = []
        async for event, fields, _ in frames_of(client, WISH):
            is_begun = fields.get("stage") == "coder" and fields["state"] == "started"
            if event == "token":
                shown.append(fields["text"])
            # The next piece is not written before this one was shown.
            if event == "token" or is_begun:
                gate.release()

    assert shown[: len(CODE)] == list(CODE)


async def test_stop_closes_the_model_and_says_so(tmp_path: Path) -> None:
    gate = Gate(passes=2)
    async with (
        ScriptedUpstream(PLAN, Script(tokens=CODE, gate=gate)) as upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
        asyncio.timeout(END_SECONDS_MAX),
    ):
        frames: list[Frame] = []
        async for frame in frames_of(client, WISH):
            frames.append(frame)
            if frame[0] == "token" and text_in(frames) == "```python count.py\n":
                await client.post(f"/api/runs/{frame[2].partition('.')[0]}/cancel")
        call = await upstream.until_call(2)
        await call.closed_by_client.wait()

    assert frames[-1][:2] == (
        "done",
        {"message": "Остановлено", "task_id": frames[-1][2].partition(".")[0]},
    )


async def test_a_model_that_fails_ends_in_a_failure_with_a_code(tmp_path: Path) -> None:
    refused = Script(status=400, body=b'{"error": {"message": "no"}}')
    frames, _ = await ask(tmp_path, [PLAN, refused])

    assert frames[-1][0] == "failure"
    assert frames[-1][1]["code"] == "upstream_rejected"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "message"),
    ({"message": " "}, "message"),
    ({"message": "x" * 20_001}, "message"),
    ({"message": "x", "mode": "fast"}, "mode"),
    ({"message": "x", "temperature": "hot"}, "temperature"),
    ({"message": "x", "conversation_history": {}}, "conversation_history"),
    ({"message": "x", "conversation_history": [{"role": "user"}]}, "conversation_history[0]"),
]


async def test_a_wrong_field_is_named(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        replies = [await client.post("/api/agent/stream", json=body) for body, _ in WRONG]

    assert [reply.status_code for reply in replies] == [400] * len(WRONG)
    assert [reply.json()["param"] for reply in replies] == [param for _, param in WRONG]
    assert {reply.json()["code"] for reply in replies} == {"invalid_request"}


async def test_kill_nine_in_any_stage_shows_every_token_once(tmp_path: Path) -> None:
    wish = {"message": "Посчитай слова в тексте", "mode": "code"}
    server = Server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="200")
    await server.start()
    try:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            uncut = [frame async for frame in frames_of(client, wish)]
        for shown_min in (2, 9, 45):
            await kill_and_compare(server, wish, uncut, shown_min=shown_min)
    finally:
        if server.is_running:
            await server.kill()


async def kill_and_compare(
    server: Server, wish: dict[str, Any], uncut: list[Frame], *, shown_min: int
) -> None:
    shown: list[Frame] = []
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        async for frame in frames_of(client, wish):
            shown.append(frame)
            if len(shown) == shown_min:
                break
    await server.kill()
    await server.start()
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
        asyncio.timeout(END_SECONDS_MAX),
    ):
        rest = [frame async for frame in frames_of(client, wish, last_id=shown[-1][2])]

    assert text_in([*shown, *rest]) == text_in(uncut)
    assert stages_in([*shown, *rest]) == stages_in(uncut)
    assert rest[-1][0] == "done"
