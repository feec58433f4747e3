import asyncio
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from potok.testing.gates import Gate
from potok.testing.upstream import Script, ScriptedUpstream


class Caller:
    """One connection that asks in plain HTTP."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, base_url: str) -> "Caller":
        host, port = base_url.split("/")[2].split(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    async def ask(self, path: str = "/v1/chat/completions", body: Any = None) -> None:
        raw = b"" if body is None else json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(raw)}\r\n\r\n"
        self.writer.write(head.encode() + raw)
        await self.writer.drain()

    async def answer(self, end: bytes = b"0\r\n\r\n") -> bytes:
        return await self.reader.readuntil(end)

    async def rest(self) -> bytes:
        try:
            return await self.reader.read()
        except ConnectionError:
            return b""

    def close(self) -> None:
        self.writer.transport.abort()


async def test_tokens_come_as_frames_with_usage_only_if_it_was_asked_for() -> None:
    async with ScriptedUpstream(Script(tokens=("a", "b"))) as upstream:
        caller = await Caller.connect(upstream.base_url)
        await caller.ask()
        without = await caller.answer()
        await caller.ask(body={"stream_options": {"include_usage": True}})
        asked = await caller.answer()
        caller.close()

    assert without.count(b'"content": "a"') == 1
    assert b"usage" not in without
    assert b'"completion_tokens": 2' in asked
    assert b"data: [DONE]" in asked
    assert (upstream.connections, len(upstream.calls)) == (1, 2)


async def test_a_token_waits_for_its_gate_and_is_counted() -> None:
    gate = Gate(passes=1)
    async with ScriptedUpstream(Script(tokens=("a", "b"), gate=gate)) as upstream:
        caller = await Caller.connect(upstream.base_url)
        await caller.ask()
        await caller.answer(b'"content": "a"')
        await gate.until_waited_for()
        assert upstream.calls[0].tokens_written == 1

        gate.open()
        await caller.answer()
        assert upstream.calls[0].tokens_written == 2
        caller.close()


async def test_a_client_that_goes_away_is_seen_and_gets_no_more() -> None:
    gate = Gate(passes=1)
    async with ScriptedUpstream(Script(tokens=("a", "b"), gate=gate)) as upstream:
        caller = await Caller.connect(upstream.base_url)
        await caller.ask()
        await gate.until_waited_for()
        caller.close()
        call = await upstream.until_call(1)
        await call.closed_by_client.wait()
        gate.open()
        await call.over.wait()

    assert (call.tokens_written, call.tokens_after_close) == (1, 0)


@pytest.mark.parametrize(
    ("then", "last"),
    [("drop", b""), ("error", b"out of order"), ("malformed", b'"content"\n\n'), ("end", b'"a"')],
)
async def test_a_script_ends_as_it_says(then: Any, last: bytes) -> None:
    async with ScriptedUpstream(Script(tokens=("a",), then=then)) as upstream:
        caller = await Caller.connect(upstream.base_url)
        await caller.ask()
        said = await (caller.rest() if then == "drop" else caller.answer())
        caller.close()

    assert last in said
    assert b"[DONE]" not in said
    assert said.endswith(b"0\r\n\r\n") is (then != "drop")


async def test_each_call_gets_its_own_script_and_the_last_one_stays() -> None:
    limited = Script(status=429, headers={"Retry-After": "3"}, body=b"{}")
    async with ScriptedUpstream(limited, Script()) as upstream:
        caller = await Caller.connect(upstream.base_url)
        await caller.ask()
        first = await caller.answer(b"\r\n\r\n{}")
        for _ in range(2):
            await caller.ask()
            assert (await caller.answer()).startswith(b"HTTP/1.1 200")
        caller.close()

    assert first.startswith(b"HTTP/1.1 429")
    assert b"Retry-After: 3" in first


async def test_a_stopped_upstream_refuses_connections() -> None:
    async with ScriptedUpstream() as upstream:
        base_url = upstream.base_url

    with pytest.raises(ConnectionError):
        await Caller.connect(base_url)


def test_it_runs_alone_and_tells_its_counts() -> None:
    words = [sys.executable, "-m", "potok.testing.upstream", "--tokens", "3", "--models", "a"]
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=found) as process:
        try:
            assert process.stdout is not None
            base_url = process.stdout.readline().split()[-1]
            stats = asyncio.run(play_once(base_url))
        finally:
            process.terminate()

    assert stats["calls"] == 1
    assert stats["tokens_written"] == [3]


async def play_once(base_url: str) -> Any:
    caller = await Caller.connect(base_url)
    await caller.ask()
    await caller.answer()
    await caller.ask("/stats")
    stats = json.loads((await caller.answer(b"}")).partition(b"\r\n\r\n")[2])
    caller.close()
    return stats


async def test_ollamas_api_is_spoken_below_api_in_lines() -> None:
    script = Script(tokens=("a", "b"), thinking=("c",))
    async with ScriptedUpstream(script, models=("m",)) as upstream:
        caller = await Caller.connect(upstream.ollama_url)
        await caller.ask("/api/chat", {"model": "m", "messages": []})
        chat = await caller.answer()
        await caller.ask("/api/generate", {"model": "m", "prompt": "x"})
        plain = await caller.answer()
        await caller.ask("/api/tags")
        tags = await caller.answer(b"]}")
        caller.close()

    assert b"application/x-ndjson" in chat
    assert b'"message": {"role": "assistant", "content": "a"}' in chat
    assert b'"thinking": "c"' in chat
    assert b'"response": "b"' in plain
    assert b'"eval_count": 3' in plain
    assert b'"name": "m"' in tags
    assert (len(upstream.calls), upstream.lists) == (2, 1)


@pytest.mark.parametrize(
    ("script", "end"),
    [
        (Script(tokens=("a",), then="error", error="no"), b'{"error": "no"}\n'),
        (Script(tokens=("a",), then="malformed"), b'{"message": {"content"\n'),
        (Script(pieces=(b"x", b"y")), b"y"),
    ],
)
async def test_faults_are_spoken_in_lines_too(script: Script, end: bytes) -> None:
    async with ScriptedUpstream(script) as upstream:
        caller = await Caller.connect(upstream.ollama_url)
        await caller.ask("/api/chat", {"messages": []})
        answer = await caller.answer()
        caller.close()

    assert answer.endswith(end + b"\r\n0\r\n\r\n")
