"""Where graphs keep their state between steps: a SQLite file, or PostgreSQL.

Nothing of a graph is stored before the log holds what the graph has said: a run that goes on in
another worker never skips a node whose words were lost.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from potok.agents.session import SessionVar
from potok.errors import DatabaseUnusable
from potok.limits import (
    AGENT_START_SECONDS_MAX,
    AGENT_STARTS_AT_ONCE,
    CHECKPOINT_CONNECTIONS_MAX,
    CHECKPOINT_SECONDS_MAX,
    CHECKPOINT_SETUP_LOOK_SECONDS,
    CHECKPOINT_SETUP_SECONDS_MAX,
    CHECKPOINTS_LISTED_MAX,
    DATABASE_CONNECT_SECONDS,
)

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

__all__ = ["Checkpoints"]

_Given = TypeVar("_Given")

# Any number that nothing else locks by.
_SETUP_LOCK = 7_061_746_008
_THREADS = "SELECT DISTINCT thread_id FROM checkpoints"


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

        Leaving calls it, too, and so does time: a graph may have long to think before it speaks.
        """
        await self._starting.acquire()
        is_started = False

        def started() -> None:
            nonlocal is_started
            if not is_started:
                is_started = True
                self._starting.release()

        timer = asyncio.get_running_loop().call_later(AGENT_START_SECONDS_MAX, started)
        try:
            yield started
        finally:
            timer.cancel()
            started()

    async def forget(self, run: str) -> None:
        """Remove what a run's graph kept: the run has ended, whoever has made it.

        Raises:
            DatabaseUnusable: the database cannot be opened.
        """
        if self._saver is None and self._url is None and not self._path.exists():
            return
        saver = await self.saver()
        await _whole(saver.adelete_thread(run))

    async def kept_runs(self) -> list[str]:
        """Return runs, not all of them if there are many, of which a graph's state is kept.

        Raises:
            DatabaseUnusable: the database cannot be opened.
        """
        saver: Any = await self.saver()
        runs: list[str] = await saver.threads(CHECKPOINTS_LISTED_MAX)
        return runs

    async def close(self) -> None:
        """Close the database; the next use would open it again."""
        self._saver = None
        await self._stack.aclose()

    async def _open(self) -> "BaseCheckpointSaver[Any]":
        async with AsyncExitStack() as stack:
            if self._url is None:
                saver = await self._open_sqlite(stack)
            else:
                saver = await _open_postgres(stack, self._url)
            self._stack = stack.pop_all()
        return saver

    async def _open_sqlite(self, stack: AsyncExitStack) -> "BaseCheckpointSaver[Any]":
        await asyncio.to_thread(_load_sqlite)
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        class LoggedSqliteSaver(_LogFirst, AsyncSqliteSaver):
            """Waits for the log."""

            async def threads(self, items_max: int) -> list[str]:
                statement = f"{_THREADS} LIMIT ?"
                async with self.lock, self.conn.execute(statement, (items_max,)) as rows:
                    return [row[0] async for row in rows]

        saver = await stack.enter_async_context(LoggedSqliteSaver.from_conn_string(str(self._path)))
        await saver.setup()
        # Safe when the process dies; the log, which is ahead of it, has its own durability.
        await saver.conn.execute("PRAGMA synchronous = NORMAL")
        return saver


async def _open_postgres(stack: AsyncExitStack, url: str) -> "BaseCheckpointSaver[Any]":
    await asyncio.to_thread(_load_postgres)
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from psycopg import AsyncConnection
    from psycopg.rows import DictRow, dict_row
    from psycopg_pool import AsyncConnectionPool

    class LoggedPostgresSaver(_LogFirst, AsyncPostgresSaver):
        """Waits for the log."""

        async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
            return await super().aput(config, _without_nul(checkpoint), metadata, new_versions)

        async def threads(self, items_max: int) -> list[str]:
            async with self._cursor() as cursor:
                await cursor.execute(f"{_THREADS} LIMIT %s", (items_max,))
                return [row["thread_id"] for row in await cursor.fetchall()]

    # A pool, not a connection: one that was dropped is replaced.
    pool = AsyncConnectionPool[AsyncConnection[DictRow]](
        _libpq_url(url),
        min_size=1,
        max_size=CHECKPOINT_CONNECTIONS_MAX,
        timeout=DATABASE_CONNECT_SECONDS,
        kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row},
        check=AsyncConnectionPool.check_connection,
        open=False,
    )
    await stack.enter_async_context(pool)
    await pool.wait(timeout=DATABASE_CONNECT_SECONDS)
    saver = LoggedPostgresSaver(pool)
    async with pool.connection() as connection, asyncio.timeout(CHECKPOINT_SETUP_SECONDS_MAX):
        # Not by waiting in the server: an index that is made concurrently waits for all who do.
        while not await _answer_to(connection, "SELECT pg_try_advisory_lock(%s) AS answer"):  # noqa: ASYNC110
            await asyncio.sleep(CHECKPOINT_SETUP_LOOK_SECONDS)
        try:
            await saver.setup()
        finally:
            await _answer_to(connection, "SELECT pg_advisory_unlock(%s) AS answer")
    return saver


def _without_nul(checkpoint: Any) -> Any:
    # PostgreSQL's JSON, in which plain texts of a state are kept, has no NUL.
    values = {
        name: value.replace("\x00", "\ufffd") if isinstance(value, str) else value
        for name, value in checkpoint["channel_values"].items()
    }
    return {**checkpoint, "channel_values": values}


async def _answer_to(connection: Any, statement: str) -> bool:
    row = await (await connection.execute(statement, (_SETUP_LOCK,))).fetchone()
    return bool(row["answer"])


def _libpq_url(url: str) -> str:
    # Of the names that the chats' database goes by, libpq knows all but this one.
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)


class _LogFirst:
    """Lets a checkpoint be written once the log holds what its run has said."""

    async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        session = SessionVar.get()
        writing = super().aput  # type: ignore[misc]
        if session is None:
            return await _whole(writing(config, checkpoint, metadata, new_versions))
        is_first = metadata.get("source") == "input"
        with session.founding() if is_first else nullcontext():
            await session.flushed()
            return await _whole(writing(config, checkpoint, metadata, new_versions))

    async def aput_writes(self, *args: Any, **kwargs: Any) -> None:
        session = SessionVar.get()
        if session is not None:
            await session.flushed()
        await _whole(super().aput_writes(*args, **kwargs))  # type: ignore[misc]


async def _whole(writing: Coroutine[Any, Any, _Given]) -> _Given:
    """Let a write that has begun end, though its run is stopped.

    Half of one would keep a SQLite file locked for every other process.
    """
    task = asyncio.create_task(writing)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(_hear)
        await asyncio.wait([task], timeout=CHECKPOINT_SECONDS_MAX)
        raise


def _hear(task: asyncio.Task[Any]) -> None:
    # What became of it concerns nobody any more.
    if not task.cancelled():
        task.exception()


def _load_sqlite() -> None:
    import langgraph.checkpoint.sqlite.aio  # noqa: F401


def _load_postgres() -> None:
    import langgraph.checkpoint.postgres.aio  # noqa: F401
