"""P4 from any worker: at every moment of a run, repeated, late, and measured at the upstream."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from potok.testing.gates import Gate
from potok.testing.upstream import ScriptedUpstream, SeenCall, frame_of
from potok.testing.upstream_script import Script
from tests.integration.harness import events_of, start_run, upstream_of, whole_run
from tests.integration.test_redis_workers import Seen, servers_on, text_of
from tests.redis_server import RedisServer, need_redis

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]

SOON_SECONDS = 5.0
# What a model may have said between the last event that is stored and the closing of its socket.
ON_THEIR_WAY_MAX = 60

CALL = {"index": 0, "id": "call-1", "type": "function"}
OPEN_CALL = (
    frame_of("m", delta={"role": "assistant", "content": ""}),
    frame_of("m", delta={"tool_calls": [{**CALL, "function": {"name": "f", "arguments": '{"a'}}]}),
)


@dataclass
class Place:
    """Two workers that share a Redis, and the upstream of both."""

    upstream: ScriptedUpstream
    maker: httpx.AsyncClient
    other: httpx.AsyncClient

    async def start(self, prompt: str = "go on") -> tuple[str, SeenCall]:
        """Start a run at the one worker; return it when its upstream was called."""
        calls = len(self.upstream.calls)
        run = await start_run(self.maker, prompt, model="openai/scripted")
        async with asyncio.timeout(SOON_SECONDS):
            return run, await self.upstream.until_call(calls + 1)

    async def until_shown(self, run: str, kind: str) -> None:
        """Read at the other worker until an event of this kind."""
        async for event in events_of(self.other, run):
            if event.event == kind:
                return

    async def stop(self, run: str) -> dict[str, Any]:
        """Stop a run at the other worker."""
        reply = await self.other.post(f"/api/runs/{run}/cancel", json={})
        assert reply.status_code == 200, reply.text
        state: dict[str, Any] = reply.json()
        return state


@asynccontextmanager
async def place(folder: Path, *scripts: Script) -> AsyncIterator[Place]:
    need_redis()
    redis = RedisServer(folder / "redis")
    redis.start()
    try:
        async with (
            ScriptedUpstream(*scripts, models=("scripted",)) as upstream,
            servers_on(redis, folder, "a", "b", **upstream_of(upstream)) as [a, b],
            httpx.AsyncClient(base_url=a.url, timeout=30) as at_a,
            httpx.AsyncClient(base_url=b.url, timeout=30) as at_b,
        ):
            yield Place(upstream, at_a, at_b)
    finally:
        redis.kill()


def check_end(whole: Seen, outcome: str) -> None:
    """Check that a run has one end, the last of its events."""
    kinds = [kind for _, kind, _ in whole]
    assert kinds.index("run-end") == len(kinds) - 1
    assert json.loads(whole[-1][2])["outcome"] == outcome


async def test_a_stop_at_another_worker_holds_at_every_moment_of_a_run(tmp_path: Path) -> None:
    never, later = Gate(), Gate()
    scripts = (
        Script(headers_gate=never),
        Script(gate=never),
        Script(pieces=OPEN_CALL, then="stall"),
        Script(tokens=("a ", "b "), then="stall"),
        Script(tokens=("c ",)),
        Script(tokens=("d ",), gate=later),
    )
    async with place(tmp_path, *scripts) as here:
        # Before the first token: without an answer, and with its headers only.
        for _ in range(2):
            run, call = await here.start()
            state = await here.stop(run)
            await asyncio.wait_for(call.closed_by_client.wait(), SOON_SECONDS)
            assert (state["status"], state["message"]["parts"]) == ("cancelled", [])
            check_end(await whole_run(here.maker, run), "cancelled")

        # In a call of a tool: what there is of it is closed, and nobody may make it.
        run, call = await here.start()
        await here.until_shown(run, "tool-delta")
        state = await here.stop(run)
        await asyncio.wait_for(call.closed_by_client.wait(), SOON_SECONDS)
        whole = await whole_run(here.maker, run)
        check_end(whole, "cancelled")
        [end] = [json.loads(fields) for _, kind, fields in whole if kind == "tool-end"]
        assert end == {"call": state["message"]["parts"][0]["id"], "cut": True}

        # Twice, at both workers at once.
        run, call = await here.start()
        await here.until_shown(run, "text-delta")
        replies = await asyncio.gather(
            *(one.post(f"/api/runs/{run}/cancel", json={}) for one in (here.maker, here.other) * 2)
        )
        await asyncio.wait_for(call.closed_by_client.wait(), SOON_SECONDS)
        assert {reply.json()["status"] for reply in replies} == {"cancelled"}
        check_end(await whole_run(here.maker, run), "cancelled")

        # After the end.
        run, _ = await here.start()
        before = await whole_run(here.maker, run)
        state = await here.stop(run)
        assert (state["status"], state["message"]["text"]) == ("finished", "c ")
        assert await whole_run(here.other, run) == before

        # Late, while the next run is made: never that one.
        following, call = await here.start()
        await here.stop(run)
        later.open()
        whole = await whole_run(here.other, following)
        check_end(whole, "finished")
        assert text_of(whole) == "d "


async def test_after_a_stop_no_token_is_taken_from_the_upstream(tmp_path: Path) -> None:
    endless = Script(tokens=tuple(f"{number} " for number in range(5_000)), interval_seconds=0.005)
    async with place(tmp_path, endless) as here:
        for _ in range(3):
            run, call = await here.start()
            await here.until_shown(run, "text-delta")

            state = await here.stop(run)

            # The end that was answered is logged after the socket was closed.
            await asyncio.wait_for(call.closed_by_client.wait(), SOON_SECONDS)
            taken = len(state["message"]["text"].split())
            assert state["status"] == "cancelled"
            assert call.tokens_at_close is not None
            assert 0 < taken <= call.tokens_at_close <= taken + ON_THEIR_WAY_MAX
            await call.over.wait()
            assert call.tokens_after_close == 0
