"""Runs chaos on one backend: starts the world, lets the plan happen, judges, reports."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.integration.chaos.examination import Examination, Examined
from tests.integration.chaos.faces import DEMO_PROMPT, speaker_of, text_in
from tests.integration.chaos.faults import Faults
from tests.integration.chaos.plan import Backend, plan_faults, plan_streams
from tests.integration.chaos.report import Report, made_report
from tests.integration.chaos.streams import Stream
from tests.integration.chaos.world import World, built_world

__all__ = ["Chaos"]

_SETTLE_SECONDS_MAX = 75.0
"""Wait after the last stream began for every reader to see an end; longer than any lease."""
_SETTLE_SECONDS_MORE = 15.0
"""What it is longer than the time in which faults happened, if that is short."""


class Chaos:
    """One run: `seconds` in which `streams` begin and `faults` kills and cuts happen.

    Args:
        run_seconds: About how long an undisturbed answer takes.
        say: Hears how it goes.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        seconds: float,
        streams: int,
        faults: int,
        seed: int,
        run_seconds: float,
        say: Callable[[str], None],
    ) -> None:
        self._backend: Backend = backend
        self._seconds = seconds
        self._seed = seed
        self._say = say
        plans = plan_streams(streams=streams, seconds=seconds, run_seconds=run_seconds, seed=seed)
        self._streams = [Stream(plan, seed=seed) for plan in plans]
        self._faults = plan_faults(
            backend=backend, faults=faults, seconds=seconds - run_seconds / 2, seed=seed
        )
        self._report = Report(
            backend=backend,
            seed=seed,
            seconds=seconds,
            streams_wanted=streams,
            kills_and_cuts_wanted=faults,
        )
        self.examined: list[Examined] = []

    async def happen(self, folder: Path) -> Report:
        """Do all of it; `folder` takes the workers' files."""
        async with built_world(self._backend, folder) as world:
            demo_text = await _demo_text(world)
            faults = Faults(world, self._streams, say=self._say)
            async with asyncio.TaskGroup() as group:
                beside = [
                    group.create_task(self._tell()),
                    group.create_task(_watch(world)),
                ]
                group.create_task(faults.happen(self._faults))
                await self._live(world)
                for task in beside:
                    task.cancel()
            self._say("reading everything once more")
            self.examined = await Examination(world, demo_text=demo_text).examine(self._streams)
            troubles = [*world.troubles(), *await world.wrong_joins()]
            return made_report(
                self._report,
                streams=self._streams,
                examined=self.examined,
                faults=faults.done,
                skipped=len(faults.skipped),
                spells=world.spells,
                late_pieces=await _late_pieces(world, self._streams),
                troubles=troubles,
            )

    async def _live(self, world: World) -> None:
        """Let every stream live; those that hang are left alone in the end."""
        settle = min(_SETTLE_SECONDS_MAX, self._seconds + _SETTLE_SECONDS_MORE)
        lives = [asyncio.create_task(self._one(world, stream)) for stream in self._streams]
        _, hanging = await asyncio.wait(lives, timeout=self._seconds + settle)
        for life in hanging:
            life.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
        for life in lives:
            if life not in hanging:
                life.result()

    async def _one(self, world: World, stream: Stream) -> None:
        await asyncio.sleep(stream.plan.at_seconds)
        await stream.live(world.session, world.workers)

    async def _tell(self) -> None:
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        while True:
            await asyncio.sleep(10)
            live = sum(stream.is_live for stream in self._streams)
            begun = sum(stream.run is not None for stream in self._streams)
            self._say(f"{loop.time() - began_at:5.1f} s: {begun} streams begun, {live} live")


async def _watch(world: World) -> None:
    """End it all once a worker has ended that nobody killed: then the figures mean nothing."""
    while True:
        await asyncio.sleep(1)
        for worker in world.workers:
            if not worker.is_busy and not worker.server.is_running:
                last = worker.server.lines[-3:]
                raise RuntimeError(f"worker {worker.name} ended, and chaos did not do it: {last}")


async def _demo_text(world: World) -> str:
    """Return the built-in model's answer, undisturbed."""
    url = world.workers[0].server.url
    body = {"model": "demo", "messages": [{"role": "user", "content": DEMO_PROMPT}]}
    async with world.session.post(f"{url}/api/runs", json=body) as reply:
        run = (await reply.json())["id"]
    async with world.session.get(f"{url}/api/runs/{run}/events") as reply:
        return text_in("sse", speaker_of("sse").decoder()(await reply.read()))


async def _late_pieces(world: World, streams: Sequence[Stream]) -> tuple[int, int]:
    """Return the pieces taken after a cancel, and apart those by workers that were deaf."""
    moments = [
        (stream.plan.number, stream.cancelled_at)
        for stream in streams
        if stream.cancelled_at is not None
    ]
    late = deaf = 0
    for pieces in await world.pieces_after(moments):
        for worker, at in pieces:
            is_deaf = any(
                spell.worker == worker and spell.since <= at <= spell.until
                for spell in world.spells
            )
            deaf += is_deaf
            late += not is_deaf
    return late, deaf
