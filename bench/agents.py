"""What an agent costs over calling its model, and whether many at once hold up the event loop.

    scripts/bench agents

`cost`: CPU time of one token through a graph's node, less that of the model's own stream, for a
model that gives a token a turn of the loop (the worst case: nothing can be joined).

`stall`: users, each with five agents side by side, over a real SQLite log; the longest time that
the loop worked without letting a task run that wants to every few milliseconds. It is the thread's
CPU time that counts, which other work on the machine does not change; the wall's is told, too.
"""

import asyncio
import gc
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypedDict

import uvloop
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

from potok.agents.checkpoints import Checkpoints
from potok.agents.contract import Agent, Turn
from potok.agents.graphs import Graphs
from potok.agents.node import current_node
from potok.agents.registry import AgentRegistry
from potok.clock import RunId, SystemClock, SystemIds
from potok.events.kinds import Event, RunEnd, TextDelta, TextEnd, TextStart
from potok.events.run_request import RunRequest
from potok.models.catalogue import Catalogue
from potok.models.contract import Capabilities, ChatModel, ChatRequest, ModelInfo
from potok.runs.service import RunService
from potok.runs.settings import RunSettings
from potok.streamlog.sqlite import SqliteLog
from potok.telemetry import SilentObserver

__all__ = ["main"]

TOKENS = 20_000
ROUNDS = 5
USERS = 100
AGENTS_EACH = 5
TOKENS_EACH = 60
TOKENS_PER_SECOND = 15.0
WATCH_SECONDS = 0.005
COST_SECONDS_MAX = 15e-6
STALL_SECONDS_MAX = 0.050


class _Model:
    """Gives the same word again and again, one a batch."""

    def __init__(self, *, tokens: int, tokens_per_second: float | None) -> None:
        self._tokens = tokens
        self._gap = 0.0 if tokens_per_second is None else 1 / tokens_per_second

    @property
    def info(self) -> ModelInfo:
        return ModelInfo(name="words", provider="bench")

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities()

    async def stream(self, request: ChatRequest) -> AsyncGenerator[list[Event], None]:
        yield [TextStart(part="t")]
        for _ in range(self._tokens):
            await asyncio.sleep(self._gap)
            yield [TextDelta(part="t", text="слово ")]
        yield [TextEnd(part="t"), RunEnd(outcome="finished", finish_reason="stop")]


class _Provider:
    name = "bench"

    def __init__(self, model: ChatModel) -> None:
        self._model = model

    async def list_models(self) -> tuple[ModelInfo, ...]:
        return (self._model.info,)

    def model(self, name: str) -> ChatModel:
        return self._model

    async def close(self) -> None:
        return


def _registry(model: ChatModel, *agents: Agent) -> AgentRegistry:
    return AgentRegistry(Catalogue([_Provider(model)], clock=SystemClock()), agents=agents)


class _State(TypedDict, total=False):
    agent: str


async def _speak(state: _State) -> _State:
    await current_node(state.get("agent")).say([{"role": "user", "content": "Go on."}])
    return {}


def _graph(*, agents: int) -> "StateGraph[Any, Any, Any, Any]":
    graph: StateGraph[Any, Any, Any, Any] = StateGraph(_State)
    graph.add_node("speak", _speak)
    fan = [f"agent{number}" for number in range(agents)]
    graph.add_conditional_edges(
        START, lambda state: [Send("speak", {"agent": agent}) for agent in fan], ["speak"]
    )
    graph.add_edge("speak", END)
    return graph


async def _seconds_a_token(agent: Agent, request: RunRequest, run: str) -> float:
    began = time.process_time()
    async with aclosing(agent.run(Turn(run=RunId(run), request=request))) as batches:
        async for _ in batches:
            continue
    return (time.process_time() - began) / TOKENS


async def _measure_cost(folder: Path) -> float:
    model = _Model(tokens=TOKENS, tokens_per_second=None)
    checkpoints = Checkpoints(folder / "checkpoints.sqlite3")
    registry = _registry(model)
    graphs = Graphs(models=registry, checkpoints=checkpoints)
    bridged = graphs.agent("one", _graph(agents=1), read=lambda request: {})
    asked = RunRequest(model="words", messages=({"role": "user", "content": "Go on."},))
    direct = await registry.resolve(asked)
    costs: list[float] = []
    for number in range(ROUNDS):
        plain = await _seconds_a_token(direct, asked, f"direct{number}0000000000")
        through = await _seconds_a_token(
            bridged, RunRequest(agent="one", input="x"), f"bridged{number}000000000"
        )
        costs.append(through - plain)
        print(f"  direct {plain * 1e6:5.1f} us  through a graph {through * 1e6:5.1f} us a token")
    await checkpoints.close()
    cost = statistics.median(costs)
    print(f"cost of the bridge: {cost * 1e6:.1f} us a token (at most {COST_SECONDS_MAX * 1e6:.0f})")
    return cost


async def _measure_stall(folder: Path) -> float:
    model = _Model(tokens=TOKENS_EACH, tokens_per_second=TOKENS_PER_SECOND)
    checkpoints = Checkpoints(folder / "many.sqlite3")
    graphs = Graphs(models=_registry(model), checkpoints=checkpoints)
    crew = graphs.agent("crew", _graph(agents=AGENTS_EACH), read=lambda request: {})
    clock, ids = SystemClock(), SystemIds()
    log = SqliteLog(folder / "runs.sqlite3", clock=clock)
    await log.open()
    runs = RunService(
        log,
        _registry(model, crew),
        clock=clock,
        ids=ids,
        observer=SilentObserver(),
        settings=RunSettings(),
    )
    await runs.open()
    # The first run loads and compiles; that is no user's business.
    await _one_user(runs, "warm-up")
    # As the server does once an app is built.
    gc.freeze()
    gaps: list[float] = []
    stalls: list[float] = []
    watching = asyncio.create_task(_watch(gaps, stalls))
    began, cpu = time.monotonic(), time.process_time()
    await asyncio.gather(*(_one_user(runs, f"user{number}") for number in range(USERS)))
    seconds, cpu = time.monotonic() - began, time.process_time() - cpu
    watching.cancel()
    tokens = USERS * AGENTS_EACH * TOKENS_EACH
    gaps.sort()
    stalls.sort()
    print(
        f"  {USERS} users x {AGENTS_EACH} agents: {tokens} tokens in {seconds:.1f} s,"
        f" {cpu / tokens * 1e6:.0f} us of CPU a token"
    )
    print(
        f"longest stall of the loop: {stalls[-1] * 1e3:.1f} ms (at most"
        f" {STALL_SECONDS_MAX * 1e3:.0f}), p99 {stalls[int(len(stalls) * 0.99)] * 1e3:.1f} ms;"
        f" by the wall {gaps[-1] * 1e3:.1f} ms, p99 {gaps[int(len(gaps) * 0.99)] * 1e3:.1f} ms"
    )
    await runs.close()
    await log.close()
    await checkpoints.close()
    return stalls[-1]


async def _one_user(runs: RunService, name: str) -> None:
    record, _ = await runs.start(RunRequest(agent="crew", input=name), principal="bench")
    message = await runs.settle(record)
    assert message.outcome == "finished", message.error


async def _watch(gaps: list[float], stalls: list[float]) -> None:
    while True:
        at, worked = time.monotonic(), time.thread_time()
        await asyncio.sleep(WATCH_SECONDS)
        gaps.append(max(time.monotonic() - at - WATCH_SECONDS, 0.0))
        # What was worked while this task was not due yet held up nobody.
        stalls.append(max(time.thread_time() - worked - WATCH_SECONDS, 0.0))


async def _measure() -> int:
    with tempfile.TemporaryDirectory() as folder:
        cost = await _measure_cost(Path(folder))
        stall = await _measure_stall(Path(folder))
    return int(cost > COST_SECONDS_MAX or stall > STALL_SECONDS_MAX)


def main(arguments: list[str]) -> int:
    """Measure both; 1 if one of them is over what we promise."""
    return uvloop.run(_measure())
