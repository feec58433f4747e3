"""The chats of one server: which database, and when it is opened."""

import asyncio
from pathlib import Path

from potok.assembly.settings import Settings
from potok.chats.contract import ChatStore
from potok.chats.file_header import check_file
from potok.clock import Clock, IdSource
from potok.runs.conversations import ChatSettings, Conversations
from potok.runs.service import RunService

__all__ = ["CHATS_FILE", "check_chats", "connect_chats"]

CHATS_FILE = "chats.sqlite3"
"""The chats' file in the data folder, where no other database is set."""


def check_chats(settings: Settings) -> None:
    """Refuse a file of chats that this version cannot use, before anything is opened.

    Raises:
        DatabaseNewer, DatabaseUnusable: see `check_file`.
    """
    if settings.chats.database_url is None:
        check_file(settings.data_dir / CHATS_FILE)


def connect_chats(
    settings: Settings, runs: RunService, *, clock: Clock, ids: IdSource
) -> Conversations:
    """Return the chats of a server, not opened yet."""
    url = settings.chats.database_url
    given = None if url is None else url.get_secret_value()

    async def open_store() -> ChatStore:
        return await _open_store(given, settings.data_dir / CHATS_FILE, clock)

    return Conversations(
        open_store,
        runs,
        clock=clock,
        ids=ids,
        settings=ChatSettings(
            has_model_titles=settings.chats.chat_titles == "model",
            recover_age_max_seconds=settings.runs.recover_age_max_seconds,
            # A file in our own folder opens; whether another machine answers must be known first.
            opens_early=given is not None,
        ),
    )


async def _open_store(given: str | None, path: Path, clock: Clock) -> ChatStore:
    # SQLAlchemy takes longer to load than all else together, and the server is up meanwhile.
    await asyncio.to_thread(_load)
    from potok.chats.database import sqlite_url
    from potok.chats.store import SqlChatStore

    store = SqlChatStore(given or sqlite_url(path), clock=clock)
    await store.open()
    return store


def _load() -> None:
    import potok.chats.store  # noqa: F401
