"""The apps of one server: which are installed, and what each is built with."""

import asyncio
import logging
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from potok.agents.checkpoints import Checkpoints
from potok.agents.graphs import Graphs
from potok.agents.session import AgentFinder
from potok.apps.contract import App, AppContext
from potok.apps.host import AppHost
from potok.assembly.settings import Settings
from potok.clock import Clock, IdSource, RunId
from potok.errors import PotokError, RunNotFound
from potok.limits import CHECKPOINTS_CLOSE_SECONDS
from potok.runs.service import RunService
from potok.streamlog.contract import RunRecord, StreamLog

if TYPE_CHECKING:
    from potok.apps.database import AppsDatabase

__all__ = ["APPS_FILE", "CHECKPOINTS_FILE", "InstalledApps", "installed_apps"]

APPS_FILE = "apps.sqlite3"
"""The tables of apps in the data folder, where no other database is set."""
CHECKPOINTS_FILE = "checkpoints.sqlite3"
"""The state of graphs, likewise."""

_GROUP = "potok.apps"
_logger = logging.getLogger("potok.apps")


def installed_apps() -> list[App]:
    """Return what is registered as entry points of apps, by name; a broken one is left out."""
    found = []
    for entry in sorted(entry_points(group=_GROUP), key=lambda entry: entry.name):
        try:
            app = entry.load()
        except Exception as error:
            _logger.error("the app %s cannot be loaded: %s", entry.name, type(error).__name__)
            _logger.debug("app %s", entry.name, exc_info=error)
            continue
        if isinstance(app, App):
            found.append(app)
        else:
            _logger.error("the entry point %s of %s is no App", entry.name, _GROUP)
    return found


class InstalledApps:
    """Opens what apps share when the first of them is needed."""

    def __init__(
        self, settings: Settings, *, models: AgentFinder, clock: Clock, ids: IdSource
    ) -> None:
        url = settings.chats.database_url
        self._url = None if url is None else url.get_secret_value()
        self._file = settings.data_dir / APPS_FILE
        is_postgres = self._url is not None and not self._url.startswith("sqlite")
        self._checkpoints = Checkpoints(
            settings.data_dir / CHECKPOINTS_FILE, url=self._url if is_postgres else None
        )
        self._graphs = Graphs(models=models, checkpoints=self._checkpoints)
        self._clock = clock
        self._ids = ids
        self._database: AppsDatabase | None = None
        self._forgetting: set[asyncio.Task[None]] = set()
        self._has_swept = False
        self.host = AppHost(installed_apps(), prepare=self._prepare, close=self._close)

    def watch(self, runs: RunService, log: StreamLog) -> None:
        """Forget what a graph kept once its run has ended."""
        names = {agent.name for agent in self.host.agents}

        def ended(record: RunRecord) -> None:
            if record.request.agent in names:
                task = asyncio.create_task(self._forget(record, log))
                self._forgetting.add(task)
                task.add_done_callback(self._forgetting.discard)

        runs.on_end(ended)

    async def _forget(self, record: RunRecord, log: StreamLog) -> None:
        try:
            # The producer may have stopped for another worker to go on.
            if not await _is_live(record.run, log, unknown=False):
                await self._checkpoints.forget(record.run)
            if not self._has_swept:
                self._has_swept = True
                await self._sweep(log)
        except PotokError as error:
            _logger.warning("run %s: its checkpoints are kept: %s", record.run, error.code)
        except Exception as error:
            _logger.warning(
                "run %s: its checkpoints are kept: %s", record.run, type(error).__name__
            )

    async def _sweep(self, log: StreamLog) -> None:
        """Forget what processes left that died just after a run's end.

        What is no run of this log is left alone: the database may be somebody else's, too.
        """
        for run in await self._checkpoints.kept_runs():
            if not await _is_live(RunId(run), log, unknown=True):
                await self._checkpoints.forget(run)

    async def _prepare(self, app: App) -> AppContext:
        # SQLAlchemy takes longer to load than all else together.
        await asyncio.to_thread(_load)
        from potok.apps.database import AppsDatabase
        from potok.chats.database import sqlite_url

        if self._database is None:
            self._database = AppsDatabase(self._url or sqlite_url(self._file))
        await self._database.prepare(app)
        return AppContext(
            engine=self._database.engine, graphs=self._graphs, clock=self._clock, ids=self._ids
        )

    async def _close(self) -> None:
        if self._forgetting:
            _, late = await asyncio.wait(self._forgetting, timeout=CHECKPOINTS_CLOSE_SECONDS)
            for task in late:
                # The next process sweeps.
                task.cancel()
        await self._checkpoints.close()
        if self._database is not None:
            await self._database.close()


async def _is_live(run: RunId, log: StreamLog, *, unknown: bool) -> bool:
    try:
        return (await log.read_run(run)).is_live
    except RunNotFound:
        return unknown


def _load() -> None:
    import potok.apps.database  # noqa: F401
