from pathlib import Path

import pytest

pytest.register_assert_rewrite(
    "potok.testing.chat_store_base",
    "potok.testing.chat_store_answers",
    "potok.testing.chat_store_chats",
    "potok.testing.chat_store_search",
    "potok.testing.chat_store_told",
    "potok.testing.chat_store_tree",
)

from potok.chats.contract import ChatStore  # noqa: E402
from potok.chats.database import sqlite_url  # noqa: E402
from potok.chats.store import SqlChatStore  # noqa: E402
from potok.testing.chat_store_suite import ChatStoreSuite  # noqa: E402
from potok.testing.fakes import FakeClock  # noqa: E402
from tests.postgres import new_schema, postgres_url  # noqa: E402


class TestSqliteStore(ChatStoreSuite):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> None:
        self.path = tmp_path / "chats.sqlite3"

    def make_store(self, clock: FakeClock) -> ChatStore:
        return SqlChatStore(sqlite_url(self.path), clock=clock)


class TestPostgresStore(ChatStoreSuite):
    @pytest.fixture(autouse=True)
    def server(self) -> None:
        self.url = postgres_url()

    def make_store(self, clock: FakeClock) -> ChatStore:
        return SqlChatStore(self.url, clock=clock, schema=new_schema())
