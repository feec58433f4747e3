"""Suite of a chat store: projects, chats, whose they are, and the lists of them."""

from collections.abc import Awaitable, Callable

import pytest

from potok.chats.contract import Chat, ChatChanges, ChatStore, NewAnswer, NewChat, ToldAnswer
from potok.errors import ChatNotFound
from potok.events.run_request import ToldMessage
from potok.testing.chat_store_base import ME, STRANGER, ChatStoreBase
from potok.testing.fakes import FakeClock

__all__ = ["ChatsSuite"]

NOBODYS = 987_654_321
Call = Callable[[ChatStore, int, int, int, str], Awaitable[object]]

# Each call that names something: (store, chat, message, project, principal).
_CALLS: dict[str, Call] = {
    "read a project": lambda s, c, m, p, who: s.projects.read(p, principal=who),
    "change a project": lambda s, c, m, p, who: s.projects.update(
        p, principal=who, name="mine", instructions=None
    ),
    "delete a project": lambda s, c, m, p, who: s.projects.delete(p, principal=who),
    "begin a chat in a project": lambda s, c, m, p, who: s.chats.create(
        NewChat(project_id=p), principal=who
    ),
    "read a chat": lambda s, c, m, p, who: s.chats.read(c, principal=who),
    "change a chat": lambda s, c, m, p, who: s.chats.update(
        c, ChatChanges(title="mine"), principal=who
    ),
    "delete a chat": lambda s, c, m, p, who: s.chats.delete(c, principal=who),
    "ask": lambda s, c, m, p, who: s.answers.begin(
        NewAnswer(chat_id=c, run="run-9", content="?"), principal=who
    ),
    "tell": lambda s, c, m, p, who: s.answers.begin_told(
        ToldAnswer(chat_id=c, run="run-9", told=(ToldMessage(role="user", text="?"),)),
        principal=who,
    ),
    "find an answer by its name": lambda s, c, m, p, who: s.answers.find_told(
        c, str(m), principal=who
    ),
    "continue": lambda s, c, m, p, who: s.answers.reopen(c, m, principal=who, run="run-9", plan={}),
    "look for a live answer": lambda s, c, m, p, who: s.answers.find_live(c, principal=who),
    "read a message": lambda s, c, m, p, who: s.messages.read(c, m, principal=who),
    "edit a message": lambda s, c, m, p, who: s.messages.edit(c, m, "mine", principal=who),
    "unfold a message": lambda s, c, m, p, who: s.messages.set_thinking_expanded(
        c, m, True, principal=who
    ),
    "delete a message": lambda s, c, m, p, who: s.messages.delete(c, m, principal=who),
    "read the way to a message": lambda s, c, m, p, who: s.messages.lineage(
        c, m, principal=who, items_max=9
    ),
    "read the tree": lambda s, c, m, p, who: s.transfer.read_tree(
        c, principal=who, after=0, items_max=9
    ),
    "queue a message": lambda s, c, m, p, who: s.queue.add(
        c, "?", principal=who, model=None, client_id=None
    ),
    "read the queue": lambda s, c, m, p, who: s.queue.waiting(c, principal=who),
    "pause the queue": lambda s, c, m, p, who: s.queue.pause(c, principal=who),
}


class ChatsSuite(ChatStoreBase):
    """Projects, chats, ownership, lists."""

    @pytest.mark.parametrize("name", _CALLS)
    async def test_what_is_not_yours_cannot_be_told_from_what_is_not(
        self, store: ChatStore, chat: Chat, name: str
    ) -> None:
        project = await store.projects.create(principal=ME, name="p", instructions="")
        _, answer = await self.talk(store, chat, "question", "answer")
        before = (chat.id, answer.id, project.id)
        call = _CALLS[name]

        with pytest.raises(ChatNotFound) as foreign:
            await call(store, *before, STRANGER)
        with pytest.raises(ChatNotFound) as missing:
            await call(store, NOBODYS, NOBODYS, NOBODYS, STRANGER)

        said = [str(raised.value) for raised in (foreign, missing)]
        assert said[0].replace(str(foreign.value.name), "N") == said[1].replace(str(NOBODYS), "N")
        assert await self.shown(store, chat) == ["question", "answer"]
        assert (await store.projects.read(project.id, principal=ME)).name == "p"

    async def test_lists_and_search_hold_only_what_is_yours(
        self, store: ChatStore, chat: Chat
    ) -> None:
        await store.projects.create(principal=ME, name="p", instructions="")
        await self.talk(store, chat, "question", "answer")

        for who, number in ((ME, 1), (STRANGER, 0)):
            projects = await store.projects.page(principal=who, before=None, items_max=9)
            chats = await store.chats.page(
                principal=who, project_id=None, is_archived=None, before=None, items_max=9
            )
            found = await store.search.find(
                "question", principal=who, project_id=None, before=None, items_max=9
            )
            assert (len(projects), len(chats), len(found)) == (number, number, number)

    async def test_an_external_id_names_one_chat_of_each_principal(self, store: ChatStore) -> None:
        new = NewChat(external_id="abc")

        mine = await store.chats.create(new, principal=ME)
        again = await store.chats.create(new, principal=ME)
        theirs = await store.chats.create(new, principal=STRANGER)

        assert again.id == mine.id != theirs.id
        assert await store.chats.find("abc", principal=ME) == mine
        assert await store.chats.find("abc", principal="third") is None

    async def test_pages_hold_every_chat_once_the_changed_ones_first(
        self, store: ChatStore, clock: FakeClock
    ) -> None:
        made = []
        for number in range(7):
            clock.advance(number % 2)
            made.append((await store.chats.create(NewChat(title=f"{number}"), principal=ME)).id)

        pages, before = [], None
        while True:
            page = await store.chats.page(
                principal=ME, project_id=None, is_archived=None, before=before, items_max=3
            )
            if not page:
                break
            pages.append([chat.id for chat in page])
            before = (page[-1].updated_at, page[-1].id)

        assert [id for page in pages for id in page] == made[::-1]
        assert [len(page) for page in pages] == [3, 3, 1]

    async def test_an_answer_brings_its_chat_to_the_top(
        self, store: ChatStore, clock: FakeClock, chat: Chat
    ) -> None:
        clock.advance(1)
        other = await store.chats.create(NewChat(), principal=ME)
        clock.advance(1)

        await self.talk(store, chat, "question", "answer")

        page = await store.chats.page(
            principal=ME, project_id=None, is_archived=None, before=None, items_max=9
        )
        assert [one.id for one in page] == [chat.id, other.id]

    async def test_chats_can_be_moved_archived_and_renamed(
        self, store: ChatStore, chat: Chat
    ) -> None:
        project = await store.projects.create(principal=ME, name="p", instructions="Be brief.")

        changed = await store.chats.update(
            chat.id,
            ChatChanges(title="Rings", project_id=project.id, is_archived=True, model="demo"),
            principal=ME,
        )
        inside = await store.chats.page(
            principal=ME, project_id=project.id, is_archived=True, before=None, items_max=9
        )
        others = await store.chats.page(
            principal=ME, project_id=None, is_archived=False, before=None, items_max=9
        )

        assert (changed.title, changed.title_source, changed.model) == ("Rings", "user", "demo")
        assert (inside, others) == ([changed], [])

    async def test_a_deleted_project_leaves_its_chats(self, store: ChatStore) -> None:
        project = await store.projects.create(principal=ME, name="p", instructions="")
        chat = await store.chats.create(NewChat(project_id=project.id), principal=ME)

        await store.projects.delete(project.id, principal=ME)

        assert (await store.chats.read(chat.id, principal=ME)).project_id is None

    async def test_a_strangers_project_takes_no_chat_of_yours(
        self, store: ChatStore, chat: Chat
    ) -> None:
        theirs = await store.projects.create(principal=STRANGER, name="p", instructions="")

        with pytest.raises(ChatNotFound):
            await store.chats.update(chat.id, ChatChanges(project_id=theirs.id), principal=ME)
        with pytest.raises(ChatNotFound):
            await store.chats.create(NewChat(project_id=theirs.id), principal=ME)

    async def test_a_chat_is_named_by_its_first_message_until_somebody_knows_better(
        self, store: ChatStore, chat: Chat
    ) -> None:
        await self.talk(store, chat, "Which ring?\nGold " + "or silver " * 20, "answer")
        first = await store.chats.read(chat.id, principal=ME)
        await self.talk(store, chat, "And now?", "answer")
        second = await store.chats.read(chat.id, principal=ME)

        await store.chats.set_made_title(chat.id, "Choosing a ring", principal=ME)
        made = await store.chats.read(chat.id, principal=ME)
        await store.chats.update(chat.id, ChatChanges(title="Mine"), principal=ME)
        await store.chats.set_made_title(chat.id, "Too late", principal=ME)

        assert first.title.startswith("Which ring? Gold or silver")
        assert len(first.title) < 70
        assert second.title == first.title
        assert (made.title, made.title_source) == ("Choosing a ring", "model")
        assert (await store.chats.read(chat.id, principal=ME)).title == "Mine"

    async def test_a_deleted_chat_takes_everything_with_it_and_names_its_live_run(
        self, store: ChatStore, chat: Chat
    ) -> None:
        await self.talk(store, chat, "first question", "answer")
        await self.ask(store, chat, "second", run="live")
        await store.queue.add(chat.id, "third", principal=ME, model=None, client_id=None)

        runs = await store.chats.delete(chat.id, principal=ME)

        assert runs == ["live"]
        with pytest.raises(ChatNotFound):
            await store.chats.read(chat.id, principal=ME)
        found = await store.search.find(
            "question", principal=ME, project_id=None, before=None, items_max=9
        )
        assert found == []
        assert await store.answers.list_unsettled(after=0, items_max=9) == []

    async def test_ids_are_never_used_again(self, store: ChatStore, chat: Chat) -> None:
        _, answer = await self.talk(store, chat, "question", "answer")
        await store.chats.delete(chat.id, principal=ME)

        other = await store.chats.create(NewChat(), principal=ME)
        question, _ = await self.talk(store, other, "question", "answer")

        assert other.id > chat.id
        assert question.id > answer.id
