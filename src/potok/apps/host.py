"""The apps that a server has: their agents by name, each app built when it is first needed."""

import asyncio
import gc
import importlib
import importlib.util
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from potok.agents.contract import Agent, Turn, at_once
from potok.apps.contract import App, AppContext, Route
from potok.errors import AppUnavailable, PotokError, RequestInvalid
from potok.events.kinds import Event
from potok.protocol.continuation import How

__all__ = ["AppHost", "InstalledApp", "check_names"]

_logger = logging.getLogger("potok.apps")


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledApp:
    """An app, and why it cannot be used; None if it can."""

    app: App
    unavailable: str | None = None


class AppHost:
    """All apps of one server process.

    Args:
        prepare: Makes an app's tables ready and returns what it is built with.
        close: Lets go of what `prepare` opened.

    Raises:
        RequestInvalid: two apps, or agents of them, have one name.
    """

    def __init__(
        self,
        apps: Sequence[App],
        *,
        prepare: Callable[[App], Awaitable[AppContext]],
        close: Callable[[], Awaitable[None]] = at_once,
    ) -> None:
        check_names(apps)
        self._prepare = prepare
        self._close = close
        self._apps = tuple(InstalledApp(app=app, unavailable=_what_is_missing(app)) for app in apps)
        self._building = asyncio.Lock()
        self._built: dict[str, Mapping[str, Agent]] = {}

    @property
    def apps(self) -> tuple[InstalledApp, ...]:
        """What is installed, in the order of names."""
        return self._apps

    @property
    def routes(self) -> tuple[tuple[InstalledApp, Route], ...]:
        """All routes of all apps."""
        return tuple((one, route) for one in self._apps for route in one.app.routes)

    @property
    def agents(self) -> tuple[Agent, ...]:
        """All agents by their names; each builds its app when it is first run."""
        return tuple(_AppAgent(name, one, self) for one in self._apps for name in one.app.agents)

    async def agent(self, installed: InstalledApp, name: str) -> Agent:
        """Return an app's agent, built.

        Raises:
            AppUnavailable: something that the app needs is missing, or it could not be built.
        """
        app = installed.app
        if installed.unavailable is not None:
            raise AppUnavailable(app.name, why=installed.unavailable)
        async with self._building:
            if app.name not in self._built:
                self._built[app.name] = await self._build(app)
        return self._built[app.name][name]

    async def close(self) -> None:
        """Let go of databases; no run of an app is made any more."""
        await self._close()

    async def _build(self, app: App) -> Mapping[str, Agent]:
        try:
            # Loading LangGraph takes most of a second, in which other runs go on.
            await asyncio.to_thread(_load, app.requires)
            agents = {agent.name: agent for agent in await app.build(await self._prepare(app))}
        except PotokError:
            raise
        except Exception as error:
            # An app's own words may quote what a database holds.
            _logger.exception("app %s could not be built", app.name)
            raise AppUnavailable(
                app.name, why=f"It could not be built ({type(error).__name__}); see the log."
            ) from error
        # What was loaded stays: a full collection that walks it again and again holds up the loop
        # for a tenth of a second.
        gc.freeze()
        missing = set(app.agents) - set(agents)
        if missing:
            raise AppUnavailable(app.name, why=f"It has not built {', '.join(sorted(missing))}.")
        return agents


class _AppAgent:
    """Stands for an agent until its app is built."""

    def __init__(self, name: str, installed: InstalledApp, host: AppHost) -> None:
        self._name = name
        self._installed = installed
        self._host = host

    @property
    def name(self) -> str:
        return self._name

    async def can_continue(self, turn: Turn) -> How | None:
        try:
            agent = await self._host.agent(self._installed, self._name)
        except PotokError:
            return None
        return await agent.can_continue(turn)

    async def run(self, turn: Turn) -> AsyncGenerator[list[Event], None]:
        agent = await self._host.agent(self._installed, self._name)
        async with aclosing(agent.run(turn)) as batches:
            async for events in batches:
                yield events


def _load(modules: Sequence[str]) -> None:
    for module in modules:
        importlib.import_module(module)


def _what_is_missing(app: App) -> str | None:
    missing = [name for name in app.requires if not _is_there(name)]
    if not missing:
        return None
    line = f" Install it with: {app.install}" if app.install else ""
    return f"It needs {', '.join(missing)}.{line}"


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        # A package above it is missing.
        return False


def check_names(apps: Sequence[App]) -> None:
    """Refuse two apps, agents or routes of one name.

    Raises:
        RequestInvalid: names the two.
    """
    seen: dict[str, str] = {}
    for app in apps:
        agents = (f"agent {agent}" for agent in app.agents)
        routes = (f"route {route.path}" for route in app.routes)
        for name in (f"app {app.name}", *agents, *routes):
            if name in seen:
                raise RequestInvalid(f"The {name} is given by {seen[name]} and {app.name}.")
            seen[name] = app.name
