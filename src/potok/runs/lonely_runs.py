"""Ends runs that nobody reads and that nobody can come back to, once the log agrees."""

import asyncio
import logging

from potok.clock import RunId
from potok.errors import PotokError
from potok.runs.audience import Audience
from potok.runs.live_runs import LiveRuns
from potok.runs.producer import DISCONNECTED
from potok.streamlog.contract import StreamLog

__all__ = ["LonelyRuns"]

_logger = logging.getLogger("potok.runs")


class LonelyRuns:
    """Hears from an audience of runs without a reader; `audience` has to be set before."""

    audience: Audience

    def __init__(self, log: StreamLog, live: LiveRuns) -> None:
        self._log = log
        self._live = live
        self._abandoning: set[asyncio.Task[None]] = set()

    def abandon(self, run: RunId) -> None:
        """End a live run of this worker, unless it is to be kept."""
        task = asyncio.create_task(self._cancel_unless_kept(run), name=f"abandon-{run}")
        self._abandoning.add(task)
        task.add_done_callback(self._abandoning.discard)

    async def _cancel_unless_kept(self, run: RunId) -> None:
        # A reader that came back to another worker has left word in the record.
        try:
            record = await self._log.read_run(run)
        except PotokError as error:
            _logger.warning("run %s: nobody reads it, asking again later: %s", run, error.code)
            if run in self._live:
                self.audience.open(run, "cancel")
            return
        if record.request.on_disconnect == "cancel" and self._live.cancel(run, DISCONNECTED):
            _logger.info("run %s: nobody reads it, stopping", run)
