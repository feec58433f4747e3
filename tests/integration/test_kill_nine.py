"""P1, P2, P5: the server is killed at random tokens, and nobody loses or doubles a word."""

import asyncio
import json
import random
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.integration.harness import Server, events_of, start_run, text_in, whole_run

pytestmark = pytest.mark.integration

RUNS_PER_KILL = 5
SHOWN_MIN = 20
SHOWN_MAX = 200
PROMPT = "Расскажи подробно, что такое Поток и как он хранит ответы"
END_SECONDS_MAX = 20.0

Seen = list[tuple[str, str, str]]


@dataclass
class Shown:
    """What one reader was shown of one run before the kill."""

    run: str
    events: Seen = field(default_factory=list)


async def read_until(
    client: httpx.AsyncClient, shown: Shown, enough: asyncio.Barrier, wanted: int
) -> None:
    """Note what a run shows; meet the others once it was `wanted` tokens, in whatever events."""
    tokens = 0
    met: asyncio.Task[int] | None = None
    async for event in events_of(client, shown.run):
        shown.events.append((event.id, event.event, event.data))
        if event.event == "text-delta":
            # A busy machine merges tokens: their number, not that of events, is the same each time.
            tokens += json.loads(event.data).get("tokens", 1)
        if met is None and tokens >= wanted and len(shown.events) >= SHOWN_MIN:
            met = asyncio.create_task(enough.wait())
    if met is not None:
        await met


async def cut_five_runs(server: Server, dice: random.Random) -> list[Shown]:
    """Start five runs, read each to its own random token at least, then kill the server."""
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        readings = [Shown(await start_run(client, PROMPT)) for _ in range(RUNS_PER_KILL)]
        enough = asyncio.Barrier(RUNS_PER_KILL + 1)
        wanted = dice.randint(SHOWN_MIN, SHOWN_MAX)
        tasks = [
            asyncio.create_task(read_until(client, shown, enough, wanted)) for shown in readings
        ]
        async with asyncio.timeout(END_SECONDS_MAX):
            await enough.wait()
        await server.kill()
        await asyncio.gather(*tasks)
    return readings


async def check_after_restart(server: Server, readings: list[Shown], uncut: str) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        async with asyncio.timeout(END_SECONDS_MAX):
            wholes = await asyncio.gather(*(whole_run(client, shown.run) for shown in readings))
        for shown, whole in zip(readings, wholes, strict=True):
            assert len(shown.events) >= SHOWN_MIN
            assert whole[: len(shown.events)] == shown.events, "lost or changed"
            assert [offset for offset, _, _ in whole] == [
                str(place) for place in range(1, len(whole) + 1)
            ], "lost or doubled"
            assert whole[-1][1] == "run-end"
            assert json.loads(whole[-1][2])["outcome"] == "finished"
            assert text_in(whole) == uncut
            state = (await client.get(f"/api/runs/{shown.run}")).json()
            assert (state["status"], state["message"]["text"]) == ("finished", uncut)


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(20, marks=pytest.mark.timeout(150)),
        pytest.param(200, marks=[pytest.mark.long, pytest.mark.timeout(1500)]),
    ],
)
async def test_what_readers_saw_before_many_kills_is_what_new_readers_see(
    tmp_path: Path, kills: int
) -> None:
    dice = random.Random(20261121 + kills)
    server = Server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="300")
    await server.start()
    try:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            uncut = text_in(await whole_run(client, await start_run(client, PROMPT)))
        assert len(uncut) > 1000

        for _ in range(kills):
            readings = await cut_five_runs(server, dice)
            await server.start()
            await check_after_restart(server, readings, uncut)
    finally:
        if server.is_running:
            await server.kill()
