"""Where graphs keep their state between steps: a SQLite file, or PostgreSQL.

Nothing of a graph is stored before the log holds what the graph has said: a run that goes on in
another worker never skips a node whose words were lost.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from potok.agents.session import SessionVar
from potok.errors import DatabaseUnusable
from potok.limits import AGENT_STARTS_AT_ONCE

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

__all__ = ["Checkpoints"]


class Checkpoints:
    """The state of all graphs of a server; opened at its first use.

    Args:
        path: The SQLite file, where no `url` is given. Several processes of one host may share it.
        url: `postgresql://...`; it may hold a password and is never shown.
    """

    def __init__(self, path: Path, *, url: str | None = None) -> None:
        self._path = path
        self._url = url
        self._stack = AsyncExitStack()
        self._saver: BaseCheckpointSaver[Any] | None = None
        self._opening = asyncio.Lock()
        self._starting = asyncio.Semaphore(AGENT_STARTS_AT_ONCE)

    async def saver(self) -> "BaseCheckpointSaver[Any]":
        """Return what LangGraph is compiled with.

        Raises:
            DatabaseUnusable: the database cannot be opened.
        """
        async with self._opening:
            if self._saver is None:
                try:
                    self._saver = await self._open()
                except Exception as error:
                    # The driver's words may quote the password.
                    raise DatabaseUnusable(
                        f"The graphs' checkpoints cannot be opened ({type(error).__name__})."
                    ) from error
            return self._saver

    @asynccontextmanager
    async def turn_to_start(self) -> AsyncGenerator[Callable[[], None], None]:
        """Wait for one's turn among the graphs that start; the next one's comes when it is called.

        Leaving calls it, too.
        """
        await self._starting.acquire()
        is_started = False

        def started() -> None:
            nonlocal is_started
            if not is_started:
                is_started = True
                self._starting.release()

        try:
            yield started
        finally:
            started()

    async def forget(self, run: str) -> None:
        """Remove what a run's graph kept: the run has ended."""
        if self._saver is not None:
            await self._saver.adelete_thread(run)

    async def close(self) -> None:
        """Close the database; the next use would open it again."""
        self._saver = None
        await self._stack.aclose()

    async def _open(self) -> "BaseCheckpointSaver[Any]":
        if self._url is not None:
            return await self._open_postgres(self._url)
        await asyncio.to_thread(_load_sqlite)
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        class LoggedSqliteSaver(_LogFirst, AsyncSqliteSaver):
            """Waits for the log."""

        opened = LoggedSqliteSaver.from_conn_string(str(self._path))
        saver = await self._stack.enter_async_context(opened)
        await saver.setup()
        # Safe when the process dies; the log, which is ahead of it, has its own durability.
        await saver.conn.execute("PRAGMA synchronous = NORMAL")
        return saver

    async def _open_postgres(self, url: str) -> "BaseCheckpointSaver[Any]":
        await asyncio.to_thread(_load_postgres)
        from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

        class LoggedPostgresSaver(_LogFirst, AsyncPostgresSaver):
            """Waits for the log."""

        opened = LoggedPostgresSaver.from_conn_string(url)
        saver = await self._stack.enter_async_context(opened)
        await saver.setup()
        return saver


class _LogFirst:
    """Lets a checkpoint be written once the log holds what its run has said."""

    async def aput(self, *args: Any, **kwargs: Any) -> Any:
        await _flushed()
        return await super().aput(*args, **kwargs)  # type: ignore[misc]

    async def aput_writes(self, *args: Any, **kwargs: Any) -> None:
        await _flushed()
        await super().aput_writes(*args, **kwargs)  # type: ignore[misc]


async def _flushed() -> None:
    session = SessionVar.get()
    if session is not None:
        await session.flushed()


def _load_sqlite() -> None:
    import langgraph.checkpoint.sqlite.aio  # noqa: F401


def _load_postgres() -> None:
    import langgraph.checkpoint.postgres.aio  # noqa: F401
