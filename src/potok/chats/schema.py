"""Brings a database to this version's schema, under a lock, or refuses it unchanged.

Alembic runs the steps. It is loaded only where steps are missing: at most starts, one look at the
version is all that happens.
"""

import asyncio
from importlib import resources
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from potok.chats.database import Database
from potok.chats.file_header import APPLICATION_ID, check_file, newer
from potok.chats.migrations import HEAD, KNOWN
from potok.errors import ChatsUnavailable, DatabaseUnusable

__all__ = ["migrate"]

_VERSION_TABLE = "chats_version"
_LOCK = 0x706F746F6B


async def migrate(database: Database) -> None:
    """Run the steps that the database lacks, all in one transaction.

    Several servers may do so at once: one does it, the others wait and find it done. A SQLite file
    that holds anything is copied first, to `<name>.<version>.backup` beside it.

    Raises:
        DatabaseNewer: a newer Potok wrote it; nothing was changed.
        DatabaseUnusable: it cannot be reached or written, or another program's tables are there.
    """
    try:
        if database.path is not None:
            check_file(database.path)
            await asyncio.to_thread(database.path.parent.mkdir, parents=True, exist_ok=True)
        async with database.reading() as connection:
            version = await connection.run_sync(_read_version, database)
        _check_known(version, database)
        if version == HEAD:
            return
        if version is not None and database.path is not None:
            await _back_up(database, database.path, version)
        async with database.writing() as connection:
            await _lock(connection, database)
            version = await connection.run_sync(_read_version, database)
            _check_known(version, database)
            if version != HEAD:
                await connection.run_sync(_upgrade, database.is_sqlite)
        await _checkpoint(database)
    except ChatsUnavailable as error:
        raise _unusable(database.place, error.__cause__ or error) from error
    except OSError as error:
        raise _unusable(database.place, error) from error


def _check_known(version: str | None, database: Database) -> None:
    if version is not None and version not in KNOWN:
        raise newer(database.place, version)


def _read_version(connection: Connection, database: Database) -> str | None:
    """Return the database's last step, None if it has none yet."""
    schema = None if database.is_sqlite else database.schema
    tables = inspect(connection).get_table_names(schema=schema)
    if _VERSION_TABLE in tables:
        version: str | None = connection.scalar(text(f"SELECT version_num FROM {_VERSION_TABLE}"))
        return version
    if tables:
        raise DatabaseUnusable(
            f"{database.place} holds tables of another program. Give Potok's chats a database of"
            " their own with POTOK_DATABASE_URL."
        )
    return None


async def _back_up(database: Database, path: Path, version: str) -> None:
    copy = path.with_name(f"{path.name}.{version}.backup")
    await asyncio.to_thread(copy.unlink, missing_ok=True)
    async with database.reading() as connection:
        await connection.execute(text("PRAGMA query_only = OFF"))
        await connection.execute(text("VACUUM INTO :copy"), {"copy": str(copy)})
        await connection.execute(text("PRAGMA query_only = ON"))


async def _lock(connection: AsyncConnection, database: Database) -> None:
    # SQLite's transaction has the write lock already.
    if not database.is_sqlite:
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        await connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{database.schema}"'))


def _upgrade(connection: Connection, is_sqlite: bool) -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    folder = str(resources.files("potok.chats") / "migrations")
    scripts = ScriptDirectory(folder, version_locations=[folder])
    with EnvironmentContext(
        Config(), scripts, fn=lambda revision, _: scripts._upgrade_revs("head", revision)
    ) as environment:
        # The transaction is ours: all steps or none, also in SQLite.
        environment.configure(
            connection=connection,
            version_table=_VERSION_TABLE,
            transactional_ddl=True,
            transaction_per_migration=False,
        )
        environment.run_migrations()
    if is_sqlite:
        connection.execute(text(f"PRAGMA application_id = {APPLICATION_ID}"))
        connection.execute(text(f"PRAGMA user_version = {len(KNOWN)}"))


async def _checkpoint(database: Database) -> None:
    # The header is looked at by itself, so it must not wait in the write-ahead log.
    if database.is_sqlite:
        async with database.reading() as connection:
            await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))


def _unusable(place: str, error: BaseException) -> DatabaseUnusable:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    words = str(cause).strip().splitlines()
    return DatabaseUnusable(
        f"The chats' database cannot be used ({place}): {words[0] if words else 'no answer'}."
        " Check POTOK_DATABASE_URL and POTOK_DATA_DIR, and that it is there and may be written."
    )
