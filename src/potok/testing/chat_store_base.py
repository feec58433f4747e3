"""What the parts of the chat store suite share: a store, its clock, and short ways to fill it."""

from collections.abc import AsyncIterator

import pytest

from potok.chats.contract import (
    Begun,
    Chat,
    ChatStore,
    Ending,
    MessageRecord,
    NewAnswer,
    NewChat,
    Settled,
)
from potok.testing.fakes import CountingIds, FakeClock

__all__ = ["ME", "STRANGER", "ChatStoreBase"]

ME = "me"
STRANGER = "somebody else"


class ChatStoreBase:
    """Subclasses give `make_store`; every test gets a store of its own, opened."""

    def make_store(self, clock: FakeClock) -> ChatStore:
        """Return a store over an empty database, not opened yet."""
        raise NotImplementedError

    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock()

    @pytest.fixture
    def ids(self) -> CountingIds:
        return CountingIds()

    @pytest.fixture
    async def store(self, clock: FakeClock) -> AsyncIterator[ChatStore]:
        store = self.make_store(clock)
        await store.open()
        yield store
        await store.close()

    @pytest.fixture
    async def chat(self, store: ChatStore) -> Chat:
        return await store.chats.create(NewChat(), principal=ME)

    @staticmethod
    async def ask(
        store: ChatStore,
        chat: Chat,
        content: str | None,
        *,
        run: str = "run-1",
        principal: str = ME,
        **more: object,
    ) -> Begun:
        """Begin an answer."""
        new = NewAnswer(chat_id=chat.id, run=run, content=content, **more)  # type: ignore[arg-type]
        return await store.answers.begin(new, principal=principal)

    @staticmethod
    async def end(
        store: ChatStore,
        answer: MessageRecord,
        text: str,
        *,
        status: str = "finished",
        run: str | None = None,
    ) -> Settled | None:
        """Settle an answer."""
        ending = Ending(status=status, text=text, metadata={}, is_empty=not text)  # type: ignore[arg-type]
        return await store.answers.settle(answer.id, run=run or answer.run or "", ending=ending)

    @classmethod
    async def talk(
        cls, store: ChatStore, chat: Chat, question: str, answer: str, *, principal: str = ME
    ) -> tuple[MessageRecord, MessageRecord]:
        """Store a question with its answer; return both messages."""
        begun = await cls.ask(store, chat, question, principal=principal)
        settled = await cls.end(store, begun.answer, answer)
        assert settled is not None
        assert settled.message is not None
        parent = settled.message.parent_id
        assert parent is not None
        return await store.messages.read(chat.id, parent, principal=principal), settled.message

    @staticmethod
    async def shown(store: ChatStore, chat: Chat) -> list[str]:
        """Return the texts of the shown path."""
        now = await store.chats.read(chat.id, principal=ME)
        messages, _ = await store.messages.path(now, principal=ME, before=None, items_max=100)
        return [message.content for message in messages]
