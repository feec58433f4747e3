"""One stream: starts it, reads it in several protocols at once, stops it if that is planned."""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Sequence

import aiohttp

from tests.integration.chaos.faces import speaker_of
from tests.integration.chaos.plan import PlannedStream
from tests.integration.chaos.readers import LINE_FAULTS, RUN_HEADER, Reader, Refused
from tests.integration.chaos.world import Worker

__all__ = ["Stream"]

_REPLY = aiohttp.ClientTimeout(total=30, sock_connect=5)
_RETRY_SECONDS = 0.4
_ACCEPTED = 202
_DONE = frozenset({"finished", "cancelled", "failed"})


class Stream:
    """One stream, its run and its readers.

    Attributes:
        runs: Every run that its key was answered with; more than one is a run started twice.
        cancelled_at: When somebody was told that the run is cancelled; None before.
        refusals: Statuses of answers that asked to come again, counted.
    """

    def __init__(self, plan: PlannedStream, *, seed: int) -> None:
        self.plan = plan
        # A folder that was used before knows the keys of then.
        self.key = f"chaos-{seed}-{plan.number}-{os.urandom(4).hex()}"
        self.run: str | None = None
        self.runs: set[str] = set()
        self.has_run = asyncio.Event()
        self.is_ended = False
        self.cancelled_at: float | None = None
        self.refusals: Counter[int] = Counter()
        self.refused: str | None = None
        self.readers = [
            Reader(self, one, is_starter=place == 0) for place, one in enumerate(plan.readers)
        ]
        self._dice = random.Random(plan.dice)

    @property
    def is_live(self) -> bool:
        """Whether its run was started, and nobody has seen its end."""
        return self.run is not None and not self.is_ended

    def is_run(self, run: str) -> None:
        """Hear which run the key stands for."""
        self.runs.add(run)
        if self.run is None:
            self.run = run
            self.has_run.set()

    def end_seen(self) -> None:
        """Hear that a reader saw the end."""
        self.is_ended = True

    def count_refusal(self, status: int) -> None:
        """Hear of an answer that asked to come again."""
        self.refusals[status] += 1

    async def live(self, session: aiohttp.ClientSession, workers: Sequence[Worker]) -> None:
        """Start it, read it to its end; returns when every reader is done."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self.plan.starts - 1):
                group.create_task(self._start_beside(session, self._dice.choice(workers)))
            for reader in self.readers:
                group.create_task(reader.read(session, workers))
            if self.plan.cancel_share is not None:
                for _ in range(self.plan.cancels):
                    group.create_task(self._cancel(session, workers))

    async def _start_beside(self, session: aiohttp.ClientSession, worker: Worker) -> None:
        """Send the same start once more; whether an answer comes is no matter."""
        asked = speaker_of(self.plan.readers[0].face).start(self.plan, self.key)
        try:
            async with session.request(
                asked.method,
                worker.url + asked.path,
                headers=asked.headers,
                json=asked.body,
                timeout=_REPLY,
            ) as reply:
                if reply.status in (200, 201):
                    self.is_run(reply.headers[RUN_HEADER])
        except LINE_FAULTS:
            return

    async def _cancel(self, session: aiohttp.ClientSession, workers: Sequence[Worker]) -> None:
        await self.has_run.wait()
        assert self.plan.cancel_share is not None
        await asyncio.sleep(self.plan.cancel_share * self.plan.seconds)
        path = f"/api/runs/{self.run}/cancel"
        while True:
            try:
                worker = self._dice.choice(workers)
                async with session.post(worker.url + path, json={}, timeout=_REPLY) as reply:
                    said = await reply.json()
                    if reply.status == 200 and said["status"] in _DONE:
                        if said["status"] == "cancelled" and self.cancelled_at is None:
                            self.cancelled_at = time.monotonic()
                        return
                    if reply.status not in (200, _ACCEPTED) and reply.status < 500:
                        raise Refused(f"cancel: {reply.status} {said}")
            except LINE_FAULTS:
                pass
            except Refused as refusal:
                self.refused = str(refusal)
                return
            await asyncio.sleep(_RETRY_SECONDS)
