"""A real server, a real llama.cpp in its child process, a model of random weights."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from potok.models.gguf.process import is_installed
from tests.integration.harness import Server, running_server, start_run, text_in, whole_run
from tests.tiny_gguf import build_tiny_gguf

pytestmark = [
    pytest.mark.skipif(not is_installed(), reason="xllamacpp is not installed"),
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="children are looked for in /proc"),
]

SETTINGS = {
    "POTOK_GGUF_CONTEXT_TOKENS": "32768",
    "POTOK_GGUF_SLOTS": "2",
    "POTOK_GGUF_THREADS": "1",
}
MODEL = "gguf/tiny"
# Takes this model some ten seconds to read, and llama.cpp looks at nobody meanwhile.
LONG = "x" * 30_000
SCHEMA = {
    "type": "object",
    "properties": {"city": {"enum": ["Псков", "Тверь"]}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
GONE_SECONDS_MAX = 10.0
# More than a child needs to start; a few answers cost less.
READING_CPU_SECONDS = 1.0


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    models = tmp_path / "models"
    models.mkdir()
    build_tiny_gguf(models / "tiny.gguf", context_tokens=65_536)
    return tmp_path


@pytest.fixture
async def server(data_folder: Path) -> AsyncIterator[Server]:
    async with running_server(data_folder, **SETTINGS) as running:
        yield running


@pytest.fixture
async def client(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as opened:
        yield opened


def children_of(process_id: int) -> list[int]:
    """The processes below another one that serve a model."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            words = (folder / "cmdline").read_bytes()
        except (OSError, ValueError):
            continue  # it ended meanwhile
        if parent == process_id and b"gguf/child.py" in words:
            found.append(int(folder.name))
    return found


def is_there(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


async def until_gone(process_id: int) -> None:
    async with asyncio.timeout(GONE_SECONDS_MAX):
        while is_there(process_id):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def until_begun(client: httpx.AsyncClient, run: str) -> None:
    """Return once a run has said something."""
    async with client.stream("GET", f"/api/runs/{run}/events") as reply:
        async for line in reply.aiter_lines():
            if line == "event: text-delta":
                return


async def until_it_reads(server: Server, *, more_than: float = 0.0) -> int:
    """Return the child's process id, once there is one that computes on a prompt.

    `more_than` is the time that it had already computed for others.
    """
    async with asyncio.timeout(30):
        while not (found := children_of(server.process_id)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        while cpu_seconds_of(found[0]) < more_than + READING_CPU_SECONDS:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return found[0]


def cpu_seconds_of(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def kinds_of(client: httpx.AsyncClient, run: str) -> list[str]:
    return [kind for _, kind, _ in await whole_run(client, run)]


async def end_of(client: httpx.AsyncClient, run: str) -> dict[str, Any]:
    events = await whole_run(client, run)
    _, kind, fields = events[-1]
    assert kind == "run-end"
    ended: dict[str, Any] = json.loads(fields)
    return ended


async def test_real_tokens_are_streamed_stored_and_replayed(client: httpx.AsyncClient) -> None:
    run = await start_run(client, "Привет!", model=MODEL, max_tokens=400, ignore_eos=True)

    events = await whole_run(client, run)

    assert events == await whole_run(client, run)
    assert (await end_of(client, run))["finish_reason"] == "length"
    usage = next(json.loads(fields) for _, kind, fields in events if kind == "usage")
    assert usage["completion_tokens"] == 400
    # Random bytes are rarely letters: what is no UTF-8 is one mark each, and breaks nothing.
    assert "\ufffd" in text_in(events)


async def test_a_stop_while_a_prompt_is_read_stops_it(
    server: Server, client: httpx.AsyncClient
) -> None:
    run = await start_run(client, LONG, model=MODEL, max_tokens=5)
    child = await until_it_reads(server)

    began = asyncio.get_running_loop().time()
    reply = await client.post(f"/api/runs/{run}/cancel")
    ended = await end_of(client, run)
    seconds = asyncio.get_running_loop().time() - began

    assert reply.status_code in (200, 202)
    assert ended["outcome"] == "cancelled"
    assert seconds < 3
    await until_gone(child)
    again = await start_run(client, "Hi", model=MODEL, max_tokens=5)
    assert (await end_of(client, again))["outcome"] == "finished"
    assert children_of(server.process_id) != [child]


async def test_others_in_that_child_go_on_after_it_was_killed(
    server: Server, client: httpx.AsyncClient
) -> None:
    wish: dict[str, Any] = {"max_tokens": 20_000, "ignore_eos": True}
    talking = await start_run(client, "Hi", model=MODEL, **wish)
    await until_begun(client, talking)
    spent = cpu_seconds_of(children_of(server.process_id)[0])
    reading = await start_run(client, LONG, model=MODEL, max_tokens=5)
    child = await until_it_reads(server, more_than=spent)

    await client.post(f"/api/runs/{reading}/cancel")
    await until_gone(child)

    async with client.stream("GET", f"/api/runs/{talking}/events") as reply:
        async for line in reply.aiter_lines():
            if line == "event: source-change":
                break
        else:
            raise AssertionError("the answer did not go on")
    await client.post(f"/api/runs/{talking}/cancel")
    assert (await end_of(client, talking))["outcome"] == "cancelled"


async def test_an_answer_survives_the_death_of_its_child(
    server: Server, client: httpx.AsyncClient
) -> None:
    wish: dict[str, Any] = {"max_tokens": 6000, "ignore_eos": True}
    run = await start_run(client, "Hi", model=MODEL, **wish)
    await until_begun(client, run)

    (child,) = children_of(server.process_id)
    os.kill(child, signal.SIGKILL)
    events = await whole_run(client, run)

    changes = [json.loads(fields) for _, kind, fields in events if kind == "source-change"]
    assert [change["how"] for change in changes] == ["prefill"]
    ended = await end_of(client, run)
    assert (ended["outcome"], ended["finish_reason"]) == ("finished", "length")
    assert children_of(server.process_id) != [child]


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_nothing_is_left_behind(
    server: Server, client: httpx.AsyncClient, sent: signal.Signals
) -> None:
    await start_run(client, LONG, model=MODEL, max_tokens=5)
    child = await until_it_reads(server)

    await server.stop(sent)

    await until_gone(child)


async def test_the_openai_client_streams_whole_answers_and_vectors(server: Server) -> None:
    messages: Any = [{"role": "user", "content": "Привет!"}]
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none") as sdk:
        names = [model.id async for model in sdk.models.list()]
        whole = await sdk.chat.completions.create(model=MODEL, messages=messages, max_tokens=20)
        stream = await sdk.chat.completions.create(
            model=MODEL,
            messages=messages,
            max_tokens=20,
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
        made = await sdk.embeddings.create(model=MODEL, input=["one", "два"])

        assert "tiny" in names
        assert whole.choices[0].finish_reason == "length"
        assert whole.usage is not None
        assert whole.usage.completion_tokens == 20
        assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.completion_tokens == 20
        assert [len(one.embedding) for one in made.data] == [128, 128]


async def test_the_openai_client_gets_json_by_its_schema_and_calls(server: Server) -> None:
    messages: Any = [{"role": "user", "content": "Weather?"}]
    schema: Any = {
        "type": "json_schema",
        "json_schema": {"name": "w", "strict": True, "schema": SCHEMA},
    }
    tools: Any = [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}]
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none") as sdk:
        for _ in range(3):
            answer = await sdk.chat.completions.create(
                model=MODEL, messages=messages, response_format=schema, max_tokens=600
            )
            found = json.loads(answer.choices[0].message.content or "")
            assert found.keys() == {"city", "days"}
            assert found["city"] in ("Псков", "Тверь")
            assert isinstance(found["days"], int)

            called = await sdk.chat.completions.create(
                model=MODEL,
                messages=messages,
                tools=tools,
                tool_choice="required",
                parallel_tool_calls=False,
                max_tokens=600,
            )
            assert called.choices[0].finish_reason == "tool_calls"
            (call,) = called.choices[0].message.tool_calls or []
            assert call.type == "function"
            assert call.function.name == "weather"
            assert json.loads(call.function.arguments).keys() == {"city", "days"}


async def test_a_conversation_that_is_too_long_is_a_400_with_the_figures(server: Server) -> None:
    messages: Any = [{"role": "user", "content": "x" * 40_000}]
    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none") as sdk:
        with pytest.raises(openai.BadRequestError) as caught:
            await sdk.chat.completions.create(model=MODEL, messages=messages, max_tokens=5)

    assert caught.value.code == "context_length_exceeded"
    assert "40020 tokens" in str(caught.value)
    assert "32768" in str(caught.value)


async def test_a_broken_file_is_said_and_another_model_stands_in(
    server: Server, client: httpx.AsyncClient, data_folder: Path
) -> None:
    whole = (data_folder / "models" / "tiny.gguf").read_bytes()
    # Whole enough for a look at its head, and without its last weights.
    (data_folder / "models" / "cut.gguf").write_bytes(whole[:-1000])
    policy = {"fallback": [MODEL]}

    alone = await client.post("/api/runs", json=asked("gguf/cut"))
    run = await start_run(client, "Hi", model="gguf/cut", policy=policy, max_tokens=5)

    ended = await end_of(client, alone.json()["id"])
    assert ended["code"] == "model_unusable"
    assert "corrupted or incomplete" in ended["message"]
    assert (await end_of(client, run))["outcome"] == "finished"
    assert "source-change" in await kinds_of(client, run)


def asked(model: str) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "Hi"}]}
