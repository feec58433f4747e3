"""Promises on the real server, with real connections that are cut and real upstreams that watch."""

import asyncio
import json
import signal
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from potok.streamlog.segments import unpack_segment
from potok.testing.gates import Gate
from potok.testing.upstream import ScriptedUpstream
from potok.testing.upstream_script import Script
from tests.integration.harness import (
    Server,
    events_of,
    running_server,
    start_run,
    text_in,
    upstream_of,
    whole_run,
)

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

LONG_PROMPT = "Tell me in detail what Potok is"


def stored_offsets(log_file: Path, run: str) -> set[int]:
    """Find a run's stored events through a connection of our own."""
    offsets: set[int] = set()
    with sqlite3.connect(f"file:{log_file}?mode=ro", uri=True) as connection:
        for (blob,) in connection.execute("SELECT blob FROM segments"):
            for chunk in unpack_segment(blob):
                if chunk.run == run:
                    offsets.update(range(chunk.first, chunk.first + chunk.count))
    return offsets


async def test_each_frame_a_reader_receives_is_already_in_the_file(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="200") as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        run = await start_run(client, LONG_PROMPT)
        frames = 0
        async for event in events_of(client, run):
            frames += 1
            # Looking through the whole file for each of several hundred frames takes too long.
            if frames < 60 or event.event == "run-end":
                stored = await asyncio.to_thread(stored_offsets, server.log_file, run)
                assert int(event.id) in stored
    assert frames > 100


async def test_an_upstream_that_waits_for_its_reader_runs_to_its_end(tmp_path: Path) -> None:
    tokens = tuple(f"слово{number} " for number in range(40))
    gate = Gate(passes=1)
    async with (
        ScriptedUpstream(Script(tokens=tokens, gate=gate), models=("scripted",)) as upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        run = await start_run(client, "go on", model="openai/scripted")
        text = ""
        async for event in events_of(client, run):
            if event.event == "text-delta":
                text += json.loads(event.data)["text"]
                gate.release()
    assert text == "".join(tokens)
    assert event.event == "run-end"


async def test_a_run_outlives_its_reader_and_a_second_reader_gets_all_of_it(
    tmp_path: Path,
) -> None:
    async with (
        running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="300") as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        run = await start_run(client, LONG_PROMPT)
        seen = []
        async for event in events_of(client, run):
            seen.append((event.id, event.event, event.data))
            if len(seen) == 25:
                break
        rest = [
            (event.id, event.event, event.data)
            async for event in events_of(client, run, after=seen[-1][0])
        ]

        assert seen + rest == await whole_run(client, run)


async def test_stop_closes_the_upstream_and_keeps_the_text(tmp_path: Path) -> None:
    async with (
        ScriptedUpstream(
            Script(tokens=("a ", "b ", "c "), then="stall"), models=("scripted",)
        ) as upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        run = await start_run(client, "go on", model="openai/scripted")
        shown = 0
        async for event in events_of(client, run):
            shown += event.event == "text-delta"
            if json.loads(event.data).get("text", "").endswith("c "):
                break

        reply = await client.post(f"/api/runs/{run}/cancel", json={})
        again = await client.post(f"/api/runs/{run}/cancel", json={})

        async with asyncio.timeout(5):
            await upstream.calls[0].closed_by_client.wait()
        whole = await whole_run(client, run)
    assert (reply.status_code, reply.json()["status"]) == (200, "cancelled")
    assert again.json()["status"] == "cancelled"
    assert text_in(whole) == "a b c "
    assert json.loads(whole[-1][2])["outcome"] == "cancelled"
    assert [kind for _, kind, _ in whole].count("run-end") == 1


async def read_on(chunks: AsyncIterator[bytes], seen: list[bytes]) -> None:
    """Read what is left of a body."""
    async for chunk in chunks:
        seen.append(chunk)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_server_within_five_seconds_and_cuts_its_readers(
    tmp_path: Path, sent: signal.Signals
) -> None:
    async with (
        running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="10") as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        run = await start_run(client, LONG_PROMPT)
        async with client.stream("GET", f"/api/runs/{run}/events") as reply:
            chunks = reply.aiter_raw()
            seen = [await anext(chunks)]
            async with asyncio.timeout(5):
                status = await server.stop(sent)
                with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                    await read_on(chunks, seen)
        assert status == 0
        assert b"run-end" not in b"".join(seen)

        await server.start()
        async with asyncio.timeout(5):
            async for event in events_of(client, run):
                if event.event == "source-change":
                    break
        assert json.loads(event.data)["how"] == "replay"


async def crashed_in_the_middle(server: Server, client: httpx.AsyncClient, **request: Any) -> str:
    """Start a run of the scripted model, and kill the server once a word of it was read."""
    run = await start_run(client, "go on", model="openai/scripted", **request)
    async for event in events_of(client, run):
        if event.event == "text-delta":
            break
    await server.kill()
    return run


async def test_a_run_of_a_real_model_ends_honestly_after_a_crash_where_it_may_not_go_on(
    tmp_path: Path,
) -> None:
    async with (
        ScriptedUpstream(Script(tokens=("kept ",), then="stall"), models=("scripted",)) as upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        policy = {"on_upstream_failure": "fail"}
        run = await crashed_in_the_middle(server, client, policy=policy)
        await server.start()

        async with asyncio.timeout(10):
            whole = await whole_run(client, run)
        state = (await client.get(f"/api/runs/{run}")).json()
    assert text_in(whole) == "kept "
    assert state["status"] == "failed"
    assert state["error"]["code"] == "worker_lost"
    assert len(upstream.calls) == 1


async def test_a_run_of_a_real_model_goes_on_after_a_crash(tmp_path: Path) -> None:
    tokens = tuple(f"слово{number} " for number in range(40))
    scripts = (Script(tokens=tokens[:17], then="stall"), Script(tokens=tokens[17:]))
    async with (
        ScriptedUpstream(*scripts, models=("scripted",)) as upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        run = await start_run(client, "go on", model="openai/scripted")
        text = ""
        async for event in events_of(client, run):
            text += json.loads(event.data)["text"] if event.event == "text-delta" else ""
            if text == "".join(tokens[:17]):
                break
        await server.kill()
        await server.start()

        async with asyncio.timeout(10):
            whole = await whole_run(client, run)
        asked = upstream.calls[1].body["messages"]
    assert text_in(whole) == "".join(tokens)
    assert json.loads(whole[-1][2])["outcome"] == "finished"
    assert [kind for _, kind, _ in whole].count("run-end") == 1
    change = next(json.loads(fields) for _, kind, fields in whole if kind == "source-change")
    assert (change["reason"], change["how"]) == ("worker_lost", "prompt")
    assert asked[-2] == {"role": "assistant", "content": text}


@pytest.mark.parametrize("then", ["drop", "error", "malformed"])
async def test_an_answer_whose_upstream_breaks_is_whole_for_an_sdk(
    tmp_path: Path, then: Any
) -> None:
    tokens = tuple(f"слово{number} " for number in range(40))
    config = tmp_path / "potok.toml"
    async with (
        ScriptedUpstream(
            Script(tokens=tokens[:23], then=then), Script(status=503, body=b"{}"), models=("a",)
        ) as first,
        # Half a sentence is said again.
        ScriptedUpstream(Script(tokens=tokens[20:]), models=("b",)) as second,
    ):
        config.write_text(
            f'[providers.first]\nbase_url = "{first.base_url}"\n'
            f'[providers.second]\nbase_url = "{second.base_url}"\n'
            '[models.a]\nfallback = ["b"]\n'
        )
        async with (
            running_server(tmp_path / "data", POTOK_CONFIG=str(config)) as server,
            openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any") as client,
        ):
            stream = await client.chat.completions.create(
                model="a", messages=[{"role": "user", "content": "go on"}], stream=True
            )
            async with asyncio.timeout(30):
                chunks = [chunk async for chunk in stream]

    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == "".join(tokens)
    assert [
        chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason
    ] == ["stop"]
    assert second.calls


async def test_a_model_that_nobody_serves_is_no_fallback(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        reply = await client.post(
            "/api/runs",
            json={
                "model": "demo",
                "messages": [{"role": "user", "content": "x"}],
                "policy": {"fallback": ["no-such-model"]},
            },
        )
        runs = (await client.get("/api/runs")).json()["items"]
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "model_not_found")
    assert runs == []


async def test_one_key_starts_one_run_however_often_it_is_sent(tmp_path: Path) -> None:
    body = {"model": "demo", "messages": [{"role": "user", "content": "привет"}]}
    headers = {"Idempotency-Key": "one"}
    async with (
        running_server(tmp_path) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        replies = await asyncio.gather(
            *(client.post("/api/runs", json=body, headers=headers) for _ in range(8))
        )
        await server.kill()
        await server.start()
        late = await client.post("/api/runs", json=body, headers=headers)
        other = await client.post(
            "/api/runs",
            json={**body, "messages": [{"role": "user", "content": "x"}]},
            headers=headers,
        )

    assert {reply.json()["id"] for reply in replies} == {late.json()["id"]}
    assert sorted(reply.status_code for reply in replies) == [200] * 7 + [201]
    assert other.status_code == 409
    assert other.json()["error"]["code"] == "idempotency_conflict"


async def test_openai_python_streams_through_heartbeats(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "POTOK_HEARTBEAT_SECONDS": "0.02",
        "POTOK_DEMO_TOKENS_PER_SECOND": "20",
    }
    async with (
        running_server(tmp_path, **settings) as server,
        openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any") as client,
    ):
        stream = await client.chat.completions.create(
            model="gpt-4o",
            messages=[{"role": "user", "content": "привет"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
        whole = await client.chat.completions.create(
            model="demo", messages=[{"role": "user", "content": "привет"}]
        )

    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[0].model == "demo"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 3
