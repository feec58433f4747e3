"""A SQLite log as its tests open it again, and its file as another program sees it."""

import sqlite3
from pathlib import Path
from typing import Any

from potok.streamlog.sqlite import SqliteLog

__all__ = ["reopen", "rows"]


async def reopen(log: SqliteLog) -> None:
    await log.close()
    await log.open()


def rows(path: Path, query: str, *values: object) -> list[Any]:
    """Ask the file as another program would: with SQLite and nothing of ours."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()
