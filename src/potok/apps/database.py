"""The tables of apps: one database for all of them, with a record of which steps were run.

SQLite has a file of its own beside the chats'; in PostgreSQL apps have a schema of their own.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from potok.apps.contract import App, Migration
from potok.chats.database import Database
from potok.errors import DatabaseNewer

__all__ = ["APPS_SCHEMA", "AppsDatabase"]

APPS_SCHEMA = "potok_apps"
"""The schema in PostgreSQL that holds the tables of apps."""

# Any number that nothing else locks by: workers that start together take turns.
_LOCK = 7_061_746_007
_STEPS = """
CREATE TABLE IF NOT EXISTS potok_app_migrations (
    app VARCHAR(64) NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (app, number)
)
"""


class AppsDatabase:
    """The engine that apps are given, after their migrations.

    Args:
        url: `sqlite:///<path>` or `postgresql://...`; it may hold a password and is never shown.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url, schema=APPS_SCHEMA)

    @property
    def engine(self) -> AsyncEngine:
        """What apps read and write with."""
        return self._database.engines[0]

    async def prepare(self, app: App) -> None:
        """Run an app's new migrations, each once, then its seed.

        Raises:
            DatabaseNewer: a newer version of the app has written here.
            ChatsUnavailable: the database does not answer.
        """
        async with self._locked() as connection:
            await connection.execute(text(_STEPS))
            rows = await connection.execute(
                text("SELECT number FROM potok_app_migrations WHERE app = :app"), {"app": app.name}
            )
            done = {row[0] for row in rows}
            newest = max((step.number for step in app.migrations), default=0)
            if done and max(done) > newest:
                raise DatabaseNewer(
                    f"The tables of the app {app.name!r} in {self._database.place} were made by a"
                    f" newer version (step {max(done)}, this one knows {newest}). Install that one."
                )
            await _run(
                connection, app, [step for step in app.migrations if step.number not in done]
            )
        await app.seed(self.engine)

    async def close(self) -> None:
        """Close all connections."""
        await self._database.close()

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[AsyncConnection]:
        async with self._database.writing() as connection:
            if not self._database.is_sqlite:
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
                await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {APPS_SCHEMA}"))
            yield connection


async def _run(connection: AsyncConnection, app: App, steps: Sequence[Migration]) -> None:
    for step in sorted(steps, key=lambda step: step.number):
        for statement in step.statements:
            await connection.execute(text(statement))
        await connection.execute(
            text("INSERT INTO potok_app_migrations (app, number) VALUES (:app, :number)"),
            {"app": app.name, "number": step.number},
        )
