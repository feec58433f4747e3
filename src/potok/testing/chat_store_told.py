"""Suite of a chat store: messages that a client tells who keeps its chats itself."""

from typing import Any

import pytest

from potok.chats.contract import Begun, Chat, ChatStore, ToldAnswer
from potok.errors import ChatBusy, ChatNotFound
from potok.events.run_request import ToldMessage
from potok.testing.chat_store_base import ME, STRANGER, ChatStoreBase

__all__ = ["ToldSuite"]


def user(text: str, name: str | None = None) -> ToldMessage:
    return ToldMessage(role="user", text=text, name=name)


def answer(text: str, name: str | None = None) -> ToldMessage:
    return ToldMessage(role="assistant", text=text, name=name)


class ToldSuite(ChatStoreBase):
    """A tree out of what clients show."""

    @staticmethod
    async def tell(
        store: ChatStore,
        chat: Chat,
        *told: ToldMessage,
        run: str,
        is_again: bool = False,
        key: str | None = None,
    ) -> Begun:
        """Begin an answer to the last of these messages."""
        new = ToldAnswer(chat_id=chat.id, run=run, told=told, is_again=is_again, key=key)
        return await store.answers.begin_told(new, principal=ME)

    async def said(
        self, store: ChatStore, chat: Chat, *told: ToldMessage, run: str, text: str, **more: Any
    ) -> Begun:
        """Begin an answer and end it."""
        begun = await self.tell(store, chat, *told, run=run, **more)
        assert begun.is_new
        await self.end(store, begun.answer, text)
        return begun

    async def test_told_messages_make_the_path_that_the_client_shows(
        self, store: ChatStore, chat: Chat
    ) -> None:
        await self.said(store, chat, user("q1", "u1"), run="r1", text="a1")

        told = user("q1", "u1"), answer("a1", "msg_r1"), user("q2", "u2")
        begun = await self.tell(store, chat, *told, run="r2")
        live = await store.answers.find_live(chat.id, principal=ME)
        await self.end(store, begun.answer, "a2")

        assert live == begun.answer
        assert await self.shown(store, chat) == ["q1", "a1", "q2", "a2"]
        assert (await store.chats.read(chat.id, principal=ME)).title == "q1"

    async def test_messages_that_are_new_here_are_stored_before_the_question(
        self, store: ChatStore, chat: Chat
    ) -> None:
        earlier = ToldMessage(role="system", text="Be brief."), user("q0"), answer("a0", "x0")

        await self.said(store, chat, *earlier, user("q1", "u1"), run="r1", text="a1")
        more = user("q0"), answer("a0", "x0"), user("q1", "u1"), answer("a1", "msg_r1")
        await self.said(store, chat, *more, answer(" "), user("q2", "u2"), run="r2", text="a2")

        assert await self.shown(store, chat) == ["Be brief.", "q0", "a0", "q1", "a1", "q2", "a2"]

    async def test_a_resend_gives_the_answer_that_is_there(
        self, store: ChatStore, chat: Chat
    ) -> None:
        first = await self.tell(store, chat, user("q1", "u1"), run="r1")
        live = await self.tell(store, chat, user("q1", "u1"), run="r2")
        await self.end(store, first.answer, "a1")
        later = await self.tell(store, chat, user("q1", "u1"), run="r3")

        assert (live.is_new, later.is_new) == (False, False)
        assert live.answer.run == later.answer.run == "r1"
        assert await self.shown(store, chat) == ["q1", "a1"]

    async def test_a_resend_is_known_by_its_key_alone(self, store: ChatStore, chat: Chat) -> None:
        first = await self.tell(store, chat, user("q1"), run="r1", key="key:1")

        again = await self.tell(store, chat, user("q1"), run="r2", key="key:1", is_again=True)

        assert (again.is_new, again.answer.id) == (False, first.answer.id)

    @pytest.mark.parametrize("name", ["u1", None])
    async def test_one_more_answer_is_a_sibling(
        self, store: ChatStore, chat: Chat, name: str | None
    ) -> None:
        first = await self.said(store, chat, user("q1", name), run="r1", text="a1")

        again = await self.said(store, chat, user("q1", name), run="r2", text="a2", is_again=True)

        assert again.answer.sibling_ids == (first.answer.id, again.answer.id)
        assert again.answer.parent_id == first.answer.parent_id
        assert await self.shown(store, chat) == ["q1", "a2"]

    async def test_an_edited_message_is_a_sibling_and_has_the_name_from_then_on(
        self, store: ChatStore, chat: Chat
    ) -> None:
        await self.said(store, chat, user("q1", "u1"), run="r1", text="a1")
        more = user("q1", "u1"), answer("a1", "msg_r1"), user("q2", "u2")
        first = await self.said(store, chat, *more, run="r2", text="a2")

        edited = user("q1", "u1"), answer("a1", "msg_r1"), user("q2!", "u2")
        other = await self.said(store, chat, *edited, run="r3", text="a3", is_again=True)
        resent = await self.tell(store, chat, *edited, run="r4")

        assert await self.shown(store, chat) == ["q1", "a1", "q2!", "a3"]
        assert other.answer.parent_id is not None
        assert first.answer.parent_id is not None
        asked = await store.messages.read(chat.id, other.answer.parent_id, principal=ME)
        assert asked.sibling_ids == (first.answer.parent_id, asked.id)
        assert (resent.is_new, resent.answer.id) == (False, other.answer.id)

    async def test_an_edited_first_message_is_a_root_of_its_own(
        self, store: ChatStore, chat: Chat
    ) -> None:
        await self.said(store, chat, user("q1", "u1"), run="r1", text="a1")

        await self.said(store, chat, user("q1!", "u1"), run="r2", text="a2")

        assert await self.shown(store, chat) == ["q1!", "a2"]

    async def test_a_chat_of_another_face_goes_on_by_its_ids_or_by_its_words(
        self, store: ChatStore, chat: Chat
    ) -> None:
        asked, said = await self.talk(store, chat, "q1", "a1")

        by_ids = user("q1", str(asked.id)), answer("a1", str(said.id)), user("q2", "u2")
        await self.said(store, chat, *by_ids, run="r2", text="a2")
        by_words = user("q1"), answer("a1"), user("q2"), answer("a2"), user("q3")
        await self.said(store, chat, *by_words, run="r3", text="a3")

        assert await self.shown(store, chat) == ["q1", "a1", "q2", "a2", "q3", "a3"]

    async def test_a_busy_chat_says_whether_its_client_has_seen_the_answer(
        self, store: ChatStore, chat: Chat
    ) -> None:
        live = await self.tell(store, chat, user("q1", "u1"), run="r1")
        path = user("q1", "u1"), answer("", "msg_r1"), user("q2", "u2")

        seen = []
        for told, is_again in (
            (path, False),
            ((user("q1", "u1"),), True),
            ((user("q1!", "u1"),), True),
            ((user("q0", "u0"),), False),
        ):
            with pytest.raises(ChatBusy) as busy:
                await self.tell(store, chat, *told, run="r2", is_again=is_again)
            seen.append(busy.value.is_seen)

        assert seen == [True, True, True, False]
        assert busy.value.run == "r1"
        assert await store.answers.find_live(chat.id, principal=ME) == live.answer
        assert len(await self.shown(store, chat)) == 2

    async def test_names_that_come_twice_or_are_anothers_are_no_names(
        self, store: ChatStore, chat: Chat
    ) -> None:
        twins = user("q0", "x"), answer("a0", "x"), user("q1", "x")
        await self.said(store, chat, *twins, run="r1", text="a1", is_again=True)
        await self.ask(store, chat, "q2", run="r2", client_id="key:1")
        live = await store.answers.find_live(chat.id, principal=ME)
        assert live is not None
        await self.end(store, live, "a2")

        odd = user("q1", "x"), answer("a1", "msg_r1"), user("q3", "msg_r2")
        begun = await self.tell(store, chat, *odd, run="r3", key="key:1")
        await self.end(store, begun.answer, "a3")

        assert begun.is_new
        assert await self.shown(store, chat) == ["q0", "a0", "q1", "a1", "q3", "a3"]

    async def test_an_answer_is_found_by_its_names(self, store: ChatStore, chat: Chat) -> None:
        begun = await self.said(store, chat, user("q1", "u1"), run="r1", text="a1")
        opened = await store.answers.reopen(
            chat.id, begun.answer.id, principal=ME, run="r2", plan={}, name="msg_r1"
        )

        names = ("msg_r1", "msg_r2", str(opened.id), "u1", "msg_r3", "none", "9" * 30, "\0")
        found = [await store.answers.find_told(chat.id, name, principal=ME) for name in names]

        assert [one and one.id for one in found] == [opened.id] * 3 + [None] * 5
        with pytest.raises(ChatNotFound):
            await store.answers.find_told(chat.id, "msg_r1", principal=STRANGER)

    async def test_an_answer_that_another_run_went_on_with_is_not_reopened(
        self, store: ChatStore, chat: Chat
    ) -> None:
        _, said = await self.talk(store, chat, "q1", "a1")
        more: dict[str, Any] = {"principal": ME, "plan": {}, "after_run": said.run}
        opened = await store.answers.reopen(chat.id, said.id, run="r2", **more)
        await self.end(store, opened, "+")

        with pytest.raises(ChatBusy):
            await store.answers.reopen(chat.id, said.id, run="r3", **more)

        assert await self.shown(store, chat) == ["q1", "a1+"]

    async def test_a_told_message_that_says_something_is_found(
        self, store: ChatStore, chat: Chat
    ) -> None:
        told = user("золотое кольцо"), answer("a0"), user("серебро", "u1")

        await self.said(store, chat, *told, run="r1", text="a1")

        for query in ("кольца", "серебра"):
            found = await store.search.find(
                query, principal=ME, project_id=None, before=None, items_max=9
            )
            assert [one.chat.id for one in found] == [chat.id]
