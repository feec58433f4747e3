"""The connections to one database: SQLite in a file, or PostgreSQL. Owns engines, knows no table.

SQLite has one writing connection, whose transactions take the write lock at their beginning: one
that reads first and writes then could only fail. PostgreSQL's tables stand in a schema of their
own, so that a shared database holds nothing of ours beside its own.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from potok.errors import ChatsUnavailable, DatabaseUnusable
from potok.limits import (
    DATABASE_CONNECT_SECONDS,
    DATABASE_CONNECTIONS_MAX,
    SQLITE_BUSY_SECONDS,
    SQLITE_WAL_BYTES_MAX,
)

__all__ = ["SCHEMA", "Database", "sqlite_url"]

SCHEMA = "potok"
"""The schema in PostgreSQL that holds our tables."""

_FAILURES = (DBAPIError, PoolTimeout, OSError)
_POSTGRES_NAMES = ("postgres", "postgresql", "postgresql+asyncpg")


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file."""
    return URL.create("sqlite+aiosqlite", database=str(path)).render_as_string()


class Database:
    """Transactions on one database.

    Args:
        url: `sqlite:///<path>` or `postgresql://...`; it may hold a password and is never shown.
        schema: Of PostgreSQL only.

    Raises:
        DatabaseUnusable: no such kind of database, or its driver is not installed.
    """

    def __init__(self, url: str, *, schema: str = SCHEMA) -> None:
        self.schema = schema
        try:
            self._url = _driven(make_url(url))
        except ArgumentError as error:
            raise DatabaseUnusable(
                "POTOK_DATABASE_URL is no URL of a database. Write postgresql://user:password@host"
                "/name, or unset it for a SQLite file in the data folder."
            ) from error
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        try:
            self._writer, self._reader = self._engines()
        except ModuleNotFoundError as error:
            raise DatabaseUnusable(
                "POTOK_DATABASE_URL names PostgreSQL, whose driver is not installed. Install the"
                " extra `postgres`: pip install '.[postgres]' in a checkout of Potok, or pip"
                " install asyncpg."
            ) from error

    @property
    def path(self) -> Path | None:
        """The file of a SQLite database."""
        return Path(self._url.database or "") if self.is_sqlite else None

    @property
    def place(self) -> str:
        """The database in words for people, without its password."""
        return str(self.path) if self.is_sqlite else f"PostgreSQL at {self._url.host}"

    @property
    def engines(self) -> tuple[AsyncEngine, AsyncEngine]:
        """What writes and what reads; for tests that count statements."""
        return self._writer, self._reader

    async def close(self) -> None:
        """Close all connections."""
        await self._writer.dispose()
        await self._reader.dispose()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Hold a transaction that is committed at the end, or undone by any exception.

        Raises:
            ChatsUnavailable: the database failed; nothing of the transaction is stored, unless the
                connection was lost while it was committed.
        """
        try:
            async with self._writer.begin() as connection:
                yield connection
        except IntegrityError:
            raise
        except _FAILURES as error:
            raise _unavailable(error) from error

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Hold a connection whose every statement sees what is committed; see `writing`."""
        try:
            async with self._reader.connect() as connection:
                yield connection
        except _FAILURES as error:
            raise _unavailable(error) from error

    def _engines(self) -> tuple[AsyncEngine, AsyncEngine]:
        if not self.is_sqlite:
            engine = create_async_engine(
                self._url,
                pool_size=DATABASE_CONNECTIONS_MAX,
                max_overflow=0,
                pool_pre_ping=True,
                pool_timeout=DATABASE_CONNECT_SECONDS,
                connect_args={
                    "timeout": DATABASE_CONNECT_SECONDS,
                    "server_settings": {
                        "search_path": self.schema,
                        # How rare a word is decides how it is looked for, each time anew.
                        "plan_cache_mode": "force_custom_plan",
                    },
                },
            )
            return engine, engine.execution_options(isolation_level="AUTOCOMMIT")
        waiting = {"timeout": SQLITE_BUSY_SECONDS}
        writer = create_async_engine(
            self._url,
            pool_size=1,
            max_overflow=0,
            pool_timeout=DATABASE_CONNECT_SECONDS,
            connect_args=waiting,
        )
        reader = create_async_engine(
            self._url,
            pool_size=DATABASE_CONNECTIONS_MAX,
            max_overflow=0,
            pool_timeout=DATABASE_CONNECT_SECONDS,
            connect_args=waiting,
            isolation_level="AUTOCOMMIT",
        )
        event.listen(writer.sync_engine, "connect", _prepare_writer)
        event.listen(writer.sync_engine, "begin", _begin_writing)
        event.listen(reader.sync_engine, "connect", _prepare_reader)
        return writer, reader


def _driven(url: URL) -> URL:
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            raise DatabaseUnusable("POTOK_DATABASE_URL names SQLite without the path of a file.")
        return url.set(drivername="sqlite+aiosqlite")
    if url.drivername not in _POSTGRES_NAMES:
        raise DatabaseUnusable(
            f"POTOK_DATABASE_URL names a database of the kind {url.drivername[:40]!r}. Potok keeps"
            " chats in PostgreSQL (postgresql://...) or in a SQLite file."
        )
    # libpq's word for it, which most hosts print; the driver has another.
    mode = url.query.get("sslmode")
    url = url.set(drivername="postgresql+asyncpg").difference_update_query(["sslmode"])
    return url.update_query_dict({"ssl": mode}) if isinstance(mode, str) else url


def _prepare_writer(connection: Any, _: object) -> None:
    # Transactions are written out: the driver must begin none by itself.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA temp_store = MEMORY")
    cursor.execute(f"PRAGMA journal_size_limit = {SQLITE_WAL_BYTES_MAX}")
    cursor.close()


def _begin_writing(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _prepare_reader(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only = ON")
    cursor.execute("PRAGMA temp_store = MEMORY")
    cursor.close()


def _unavailable(error: Exception) -> ChatsUnavailable:
    # The driver's own words quote statements and values: what people wrote.
    kind = type(getattr(error, "orig", None) or error).__name__
    return ChatsUnavailable(
        f"The chats' database does not answer ({kind}). Try again; what it holds is kept."
    )
