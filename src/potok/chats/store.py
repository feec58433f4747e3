"""`SqlChatStore`: all parts of the store over one database."""

from potok.chats.answers import SqlAnswers
from potok.chats.chat_list import SqlChats
from potok.chats.database import SCHEMA, Database
from potok.chats.messages import SqlMessages
from potok.chats.projects import SqlProjects
from potok.chats.queue import SqlQueue
from potok.chats.schema import migrate
from potok.chats.search import SqlSearch
from potok.chats.search_index import index_of
from potok.chats.transfer import SqlTransfer
from potok.clock import Clock

__all__ = ["SqlChatStore"]


class SqlChatStore:
    """A `ChatStore` in SQLite or PostgreSQL.

    Args:
        url: See `Database`.
    """

    def __init__(self, url: str, *, clock: Clock, schema: str = SCHEMA) -> None:
        self.database = Database(url, schema=schema)
        index = index_of(is_sqlite=self.database.is_sqlite)
        self.projects = SqlProjects(self.database, clock)
        self.chats = SqlChats(self.database, clock, index)
        self.messages = SqlMessages(self.database, clock, index)
        self.answers = SqlAnswers(self.database, clock, index)
        self.queue = SqlQueue(self.database, clock)
        self.search = SqlSearch(self.database, index)
        self.transfer = SqlTransfer(self.database, index)

    async def open(self) -> None:
        try:
            await migrate(self.database)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        await self.database.close()
