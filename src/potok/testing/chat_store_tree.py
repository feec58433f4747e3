"""Suite of a chat store: the tree of messages."""

import pytest

from potok.chats.contract import Chat, ChatChanges, ChatStore, NewChat
from potok.errors import ChatNotFound, RequestInvalid
from potok.testing.chat_store_base import ME, ChatStoreBase

__all__ = ["TreeSuite"]


class TreeSuite(ChatStoreBase):
    """Paths, siblings, edits, deletions."""

    async def test_messages_come_in_the_order_of_the_talk(
        self, store: ChatStore, chat: Chat
    ) -> None:
        for number in range(3):
            await self.talk(store, chat, f"q{number}", f"a{number}")

        assert await self.shown(store, chat) == ["q0", "a0", "q1", "a1", "q2", "a2"]

    @pytest.mark.parametrize("size", [1, 2, 3, 5, 6, 7])
    async def test_pages_go_back_and_hold_every_message_once(
        self, store: ChatStore, chat: Chat, size: int
    ) -> None:
        for number in range(3):
            await self.talk(store, chat, f"q{number}", f"a{number}")
        now = await store.chats.read(chat.id, principal=ME)

        pages: list[list[str]] = []
        before = None
        while True:
            page, before = await store.messages.path(
                now, principal=ME, before=before, items_max=size
            )
            pages.insert(0, [message.content for message in page])
            if before is None:
                break

        assert [text for page in pages for text in page] == ["q0", "a0", "q1", "a1", "q2", "a2"]
        assert all(len(page) == size for page in pages[1:])
        assert pages[0]

    async def test_an_edit_is_a_sibling_and_both_paths_stay(
        self, store: ChatStore, chat: Chat
    ) -> None:
        question, answer = await self.talk(store, chat, "old", "answer to old")

        edited = await store.messages.edit(chat.id, question.id, "new", principal=ME)
        begun = await self.ask(store, chat, None, at_leaf=False, parent_id=edited.id)
        await self.end(store, begun.answer, "answer to new")
        new_path = await self.shown(store, chat)
        await store.chats.update(chat.id, ChatChanges(current_message_id=question.id), principal=ME)

        assert edited.sibling_ids == (question.id, edited.id)
        assert new_path == ["new", "answer to new"]
        assert await self.shown(store, chat) == ["old", "answer to old"]
        assert (await store.messages.read(chat.id, answer.id, principal=ME)).content

    async def test_an_answer_made_again_is_a_sibling(self, store: ChatStore, chat: Chat) -> None:
        question, answer = await self.talk(store, chat, "question", "one")

        begun = await self.ask(store, chat, None, at_leaf=False, parent_id=question.id)
        await self.end(store, begun.answer, "two")

        assert begun.answer.sibling_ids == (answer.id, begun.answer.id)
        assert await self.shown(store, chat) == ["question", "two"]

    async def test_switching_shows_the_newest_end_below_a_message(
        self, store: ChatStore, chat: Chat
    ) -> None:
        question, answer = await self.talk(store, chat, "question", "answer")
        await self.talk(store, chat, "more", "more answer")
        await store.messages.edit(chat.id, question.id, "other", principal=ME)

        await store.chats.update(chat.id, ChatChanges(current_message_id=answer.id), principal=ME)

        assert await self.shown(store, chat) == ["question", "answer", "more", "more answer"]

    async def test_a_message_of_another_chat_is_no_place_to_switch_to(
        self, store: ChatStore, chat: Chat
    ) -> None:
        other = await store.chats.create(NewChat(), principal=ME)
        _, answer = await self.talk(store, other, "question", "answer")

        with pytest.raises(ChatNotFound):
            await store.chats.update(
                chat.id, ChatChanges(current_message_id=answer.id), principal=ME
            )

    async def test_only_a_users_message_is_edited(self, store: ChatStore, chat: Chat) -> None:
        _, answer = await self.talk(store, chat, "question", "answer")

        with pytest.raises(RequestInvalid):
            await store.messages.edit(chat.id, answer.id, "better", principal=ME)

        assert await self.shown(store, chat) == ["question", "answer"]

    @pytest.mark.parametrize(
        ("place", "left"),
        [
            (0, ["a0", "q1", "a1"]),
            (1, ["q0", "q1", "a1"]),
            (2, ["q0", "a0", "a1"]),
            (3, ["q0", "a0", "q1"]),
        ],
    )
    async def test_what_follows_a_deleted_message_stays(
        self, store: ChatStore, chat: Chat, place: int, left: list[str]
    ) -> None:
        path = [
            *await self.talk(store, chat, "q0", "a0"),
            *await self.talk(store, chat, "q1", "a1"),
        ]

        run = await store.messages.delete(chat.id, path[place].id, principal=ME)

        assert run is None
        assert await self.shown(store, chat) == left

    async def test_the_last_message_can_go_too(self, store: ChatStore, chat: Chat) -> None:
        for message in await self.talk(store, chat, "question", "answer"):
            await store.messages.delete(chat.id, message.id, principal=ME)

        assert await self.shown(store, chat) == []
        await self.talk(store, chat, "again", "answer")
        assert await self.shown(store, chat) == ["again", "answer"]

    async def test_unfolded_thinking_is_remembered(self, store: ChatStore, chat: Chat) -> None:
        _, answer = await self.talk(store, chat, "question", "answer")

        await store.messages.set_thinking_expanded(chat.id, answer.id, True, principal=ME)

        read = await store.messages.read(chat.id, answer.id, principal=ME)
        assert read.metadata == {"thinkingExpanded": True}

    async def test_the_way_to_a_message_is_bounded_at_its_old_end(
        self, store: ChatStore, chat: Chat
    ) -> None:
        for number in range(3):
            _, last = await self.talk(store, chat, f"q{number}", f"a{number}")

        way = await store.messages.lineage(chat.id, last.id, principal=ME, items_max=3)

        assert [message.content for message in way] == ["a1", "q2", "a2"]

    @pytest.mark.parametrize(
        "text", ["a\0b", "Привет, 🎉👩‍👩‍👧", "'; DROP TABLE chats; --", "%s :x ?"]
    )
    async def test_any_text_comes_back(self, store: ChatStore, chat: Chat, text: str) -> None:
        await self.talk(store, chat, text, text)

        assert await self.shown(store, chat) == [text.replace("\0", "\ufffd")] * 2
