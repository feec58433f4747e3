"""What a user's app may import of Potok, and all that it may.

An app is a light description: its import must load nothing heavy. What it runs is built by
`build`, at its first run. Register it as an entry point of the group `potok.apps`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from potok.agents.contract import Agent, Turn
from potok.agents.graphs import Graphs
from potok.agents.mcp_tools import McpServer, mcp_tools
from potok.agents.node import Branch, Node, Said, branch, current_node
from potok.agents.tools import Tool, say_with_tools
from potok.clock import Clock, IdSource
from potok.dialects.dialect import Dialect, Encoder, Reading
from potok.errors import PotokError, RequestInvalid
from potok.events.run_request import JsonObject, RunRequest

if TYPE_CHECKING:
    # SQLAlchemy takes longer to load than all else together.
    from sqlalchemy.ext.asyncio import AsyncEngine

__all__ = [
    "Agent",
    "App",
    "AppContext",
    "Branch",
    "Clock",
    "Dialect",
    "Encoder",
    "Graphs",
    "JsonObject",
    "McpServer",
    "Migration",
    "Node",
    "PotokError",
    "Reading",
    "RequestInvalid",
    "Route",
    "RunRequest",
    "Said",
    "Start",
    "Tool",
    "Turn",
    "branch",
    "current_node",
    "mcp_tools",
    "say_with_tools",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step of an app's own tables; numbers rise from 1, and a step is never edited.

    Each statement runs on SQLite and PostgreSQL alike; all of a step are one transaction.
    """

    number: int
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a request of a route asks of an agent.

    Args:
        agent: Which of the app's agents.
        input: Any JSON; it is what makes two requests the same run.
        model: By any of its names; None for the server's first one.
        parameters: The model's own, such as `temperature`.
    """

    agent: str
    input: Any
    model: str | None = None
    parameters: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One path that starts runs by POST and lets readers come back, by GET too.

    Args:
        path: As `/api/greet/{name}/stream`.
        dialect: In which the run is streamed, and errors are said.
        read: From the body, decoded JSON, and the path's own parts to what is to be started.
            Raises `RequestInvalid` with the field in `param`.
        body: JSON Schema of the body, for `/openapi.json`.
        example: A body that works.
        reply: What a stream looks like, for `/openapi.json`.
        summary: A few words; `description` says the rest.
        language: Of statuses, where a request has no `Accept-Language` that Potok speaks.
        starts_by_get: Whether GET with `?message=` starts a run, for EventSource.
    """

    path: str
    dialect: Dialect
    read: Callable[[JsonObject, Mapping[str, str]], Start]
    body: JsonObject
    example: JsonObject
    summary: str
    description: str = ""
    reply: str = ""
    language: str = "ru"
    starts_by_get: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AppContext:
    """What a server gives to an app that it builds.

    `engine` is a database of the server's: a SQLite file, or PostgreSQL with a schema for apps.
    The app's migrations and its seed were run on it.
    """

    engine: "AsyncEngine"
    graphs: Graphs
    clock: Clock
    ids: IdSource


async def _no_seed(engine: "AsyncEngine") -> None:
    """Put nothing into the tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A set of agents with their routes and tables.

    Args:
        name: A word of `[a-z0-9_]`, unique among the apps of a server.
        titles: Its name for people, by language (`en`, `ru`).
        agents: The names that `build` returns agents for.
        build: Called once, before the first run, in the event loop; may import what is heavy.
        requires: Modules that must be importable; `install` is the line that installs them.
        migrations: Of the app's own tables, which begin with its name and an underscore.
        seed: Fills the tables after the migrations; harmless when it is called again.
    """

    name: str
    titles: Mapping[str, str]
    agents: tuple[str, ...]
    build: Callable[[AppContext], Awaitable[Sequence[Agent]]]
    routes: tuple[Route, ...] = ()
    requires: tuple[str, ...] = ()
    install: str = ""
    migrations: tuple[Migration, ...] = ()
    seed: "Callable[[AsyncEngine], Awaitable[None]]" = _no_seed
