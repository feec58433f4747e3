"""Suite of a chat store: search, import, and reading whole trees."""

import pytest

from potok.chats.contract import (
    Chat,
    ChatChanges,
    ChatStore,
    Found,
    ImportedChat,
    ImportedMessage,
    NewChat,
)
from potok.testing.chat_store_base import ME, STRANGER, ChatStoreBase

__all__ = ["SearchSuite", "TransferSuite"]


class SearchSuite(ChatStoreBase):
    """Full text."""

    async def find(
        self, store: ChatStore, query: str, *, before: int | None = None, items_max: int = 9
    ) -> list[Found]:
        """Search as `ME`."""
        return await store.search.find(
            query, principal=ME, project_id=None, before=before, items_max=items_max
        )

    @pytest.mark.parametrize(
        ("said", "typed"),
        [
            ("Какие кольца подойдут?", "кольцо"),
            ("Хочу кольцо", "кольцами"),
            ("Ёлка зелёная", "елка зеленые"),
            ("елка", "ЁЛКИ"),
            ("Two gold rings", "ring"),
            ("She was running", "run"),
            ("Полупроводниковый", "полупр"),
            ("streaming", "stre"),
            ("Straße, naïve café", "CAFÉ"),
            ("東京タワー", "東京"),
            ("ＦＵＬＬ width", "full"),
            ("Ответ: C++ и 3.14", "3.14"),
            ("a" * 300, "a" * 300),
        ],
    )
    async def test_forms_of_a_word_are_one_word(
        self, store: ChatStore, chat: Chat, said: str, typed: str
    ) -> None:
        await self.talk(store, chat, "nothing of it", said)
        other = await store.chats.create(NewChat(), principal=ME)
        await self.talk(store, other, "something else", "so there")

        found = await self.find(store, typed)

        assert [one.chat.id for one in found] == [chat.id]

    @pytest.mark.parametrize(
        "typed", ["", "  ", '"', "'", "* AND (", "' | 'x':*", "\0", "_c1", "🎉"]
    )
    async def test_what_holds_no_word_finds_nothing_and_breaks_nothing(
        self, store: ChatStore, chat: Chat, typed: str
    ) -> None:
        await self.talk(store, chat, "question", "answer")

        assert await self.find(store, typed) == []

    async def test_all_words_must_be_in_one_message(self, store: ChatStore, chat: Chat) -> None:
        await self.talk(store, chat, "gold ring", "silver chain")

        assert [one.text for one in await self.find(store, "ring gold ")] == ["gold ring"]
        assert await self.find(store, "gold silver ") == []

    async def test_titles_are_found_and_old_ones_are_not(
        self, store: ChatStore, chat: Chat
    ) -> None:
        await store.chats.update(chat.id, ChatChanges(title="Bracelets"), principal=ME)
        before = await self.find(store, "bracelet ")
        await store.chats.update(chat.id, ChatChanges(title="Necklaces"), principal=ME)

        assert [(one.chat.id, one.message_id, one.text) for one in before] == [
            (chat.id, None, "Bracelets")
        ]
        assert await self.find(store, "bracelet ") == []
        assert len(await self.find(store, "necklace ")) == 1

    async def test_deleted_messages_are_not_found(self, store: ChatStore, chat: Chat) -> None:
        await store.chats.update(chat.id, ChatChanges(title="t"), principal=ME)
        question, _ = await self.talk(store, chat, "platinum", "answer")

        await store.messages.delete(chat.id, question.id, principal=ME)

        assert await self.find(store, "platinum ") == []

    async def test_a_piece_of_the_message_is_shown(self, store: ChatStore, chat: Chat) -> None:
        _, answer = await self.talk(
            store, chat, "?", "word " * 200 + "Кольца\nздесь " + "end " * 200
        )

        (found,) = await self.find(store, "кольцо")

        assert found.message_id == answer.id
        assert "Кольца здесь" in found.text
        assert len(found.text) < 200

    async def test_pages_hold_each_chat_once_the_newest_hit_first(self, store: ChatStore) -> None:
        chats = [
            await store.chats.create(NewChat(title=f"c{number}"), principal=ME)
            for number in range(7)
        ]
        for _ in range(3):
            for chat in chats:
                await self.talk(store, chat, "the same gold", "gold again")

        pages: list[list[int]] = []
        before = None
        while True:
            page = await self.find(store, "gold ", before=before, items_max=3)
            if not page:
                break
            pages.append([one.chat.id for one in page])
            before = page[-1].position

        assert [id for page in pages for id in page] == [chat.id for chat in reversed(chats)]

    async def test_one_loud_chat_hides_no_other(
        self, store: ChatStore, chat: Chat, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("potok.chats.search.SEARCH_ROUND_HITS", 2)
        loud = await store.chats.create(NewChat(title="loud"), principal=ME)
        await self.talk(store, chat, "gold", "quiet")
        for _ in range(12):
            await self.talk(store, loud, "gold", "gold")

        found = await self.find(store, "gold ", items_max=2)

        assert [one.chat.id for one in found] == [loud.id, chat.id]

    async def test_a_search_stays_in_its_project(self, store: ChatStore, chat: Chat) -> None:
        project = await store.projects.create(principal=ME, name="p", instructions="")
        inside = await store.chats.create(NewChat(project_id=project.id), principal=ME)
        for one in (chat, inside):
            await self.talk(store, one, "gold", "answer")

        found = await store.search.find(
            "gold ", principal=ME, project_id=project.id, before=None, items_max=9
        )

        assert [one.chat.id for one in found] == [inside.id]


class TransferSuite(ChatStoreBase):
    """Chats in and out."""

    CHAT = ImportedChat(
        title="Rings",
        created_at=1_600_000_000.5,
        updated_at=1_600_000_100.0,
        messages=(
            ImportedMessage(role="user", content="q", created_at=1.0, parent=None),
            ImportedMessage(role="assistant", content="one", created_at=2.0, parent=0),
            ImportedMessage(
                role="assistant",
                content="two",
                created_at=3.0,
                parent=0,
                status="cancelled",
                metadata={"model": "m"},
            ),
            ImportedMessage(role="user", content="more gold", created_at=4.0, parent=1),
        ),
        leaf=3,
        external_id="x1",
    )

    async def test_an_imported_chat_is_whole(self, store: ChatStore) -> None:
        done = await store.transfer.add([self.CHAT], principal=ME)

        chat = await store.chats.read(done.chat_ids[0], principal=ME)
        tree = await store.transfer.read_tree(chat.id, principal=ME, after=0, items_max=9)
        assert (chat.title, chat.created_at, chat.updated_at) == (
            "Rings",
            1_600_000_000.5,
            1_600_000_100.0,
        )
        assert await self.shown(store, chat) == ["q", "one", "more gold"]
        assert [one.status for one in tree] == ["finished", "finished", "cancelled", "finished"]
        assert tree[2].metadata == {"model": "m"}
        found = await store.search.find(
            "gold ", principal=ME, project_id=None, before=None, items_max=9
        )
        assert [one.chat.id for one in found] == [chat.id]

    async def test_a_chat_that_is_known_is_not_imported_again(self, store: ChatStore) -> None:
        await store.transfer.add([self.CHAT], principal=ME)

        again = await store.transfer.add([self.CHAT, self.CHAT], principal=ME)
        elsewhere = await store.transfer.add([self.CHAT], principal=STRANGER)

        assert (again.chat_ids, again.known) == ((), 2)
        assert len(elsewhere.chat_ids) == 1

    async def test_a_tree_is_read_in_pages_parents_first(self, store: ChatStore) -> None:
        done = await store.transfer.add([self.CHAT], principal=ME)
        chat = done.chat_ids[0]

        first = await store.transfer.read_tree(chat, principal=ME, after=0, items_max=3)
        rest = await store.transfer.read_tree(chat, principal=ME, after=first[-1].id, items_max=3)

        assert [one.content for one in (*first, *rest)] == ["q", "one", "two", "more gold"]
        seen: set[int] = set()
        for one in (*first, *rest):
            assert one.parent_id is None or one.parent_id in seen
            seen.add(one.id)

    async def test_a_long_chat_is_imported_in_several_statements(self, store: ChatStore) -> None:
        messages = tuple(
            ImportedMessage(
                role="user",
                content=f"m{number}",
                created_at=1.0,
                parent=number - 1 if number else None,
            )
            for number in range(1_203)
        )
        long = ImportedChat(
            title="Long", created_at=1.0, updated_at=1.0, messages=messages, leaf=1_202
        )

        done = await store.transfer.add([long], principal=ME)

        way = await store.messages.lineage(
            done.chat_ids[0],
            (await store.chats.read(done.chat_ids[0], principal=ME)).leaf_id or 0,
            principal=ME,
            items_max=5_000,
        )
        assert [one.content for one in way] == [f"m{number}" for number in range(1_203)]
