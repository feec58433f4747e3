"""The suite that every chat store passes. Subclass it in a test module, name the class `Test...`.

class TestSqliteStore(ChatStoreSuite):
    def make_store(self, clock: FakeClock) -> ChatStore: ...
"""

from potok.testing.chat_store_answers import AnswersSuite, QueueSuite
from potok.testing.chat_store_chats import ChatsSuite
from potok.testing.chat_store_search import SearchSuite, TransferSuite
from potok.testing.chat_store_told import ToldSuite
from potok.testing.chat_store_tree import TreeSuite

__all__ = ["ChatStoreSuite"]


class ChatStoreSuite(
    ChatsSuite, TreeSuite, AnswersSuite, ToldSuite, QueueSuite, SearchSuite, TransferSuite
):
    """All that a chat store promises."""
