"""Suite of a chat store: answers while their runs live, and the queue behind them."""

import asyncio

import pytest

from potok.chats.contract import Begun, Chat, ChatStore, NewChat
from potok.errors import ChatBusy, ChatNotFound, IdempotencyConflict, RequestInvalid
from potok.testing.chat_store_base import ME, ChatStoreBase

__all__ = ["AnswersSuite"]


class AnswersSuite(ChatStoreBase):
    """An answer from its begin to its end."""

    async def test_an_answer_exists_and_points_to_its_run_before_it_has_a_word(
        self, store: ChatStore, chat: Chat
    ) -> None:
        begun = await self.ask(store, chat, "question", run="run-7", plan={"model": "demo"})

        live = await store.answers.find_live(chat.id, principal=ME)

        assert begun.is_new
        assert live == begun.answer
        assert (live.run, live.status, live.content) == ("run-7", "streaming", "")
        assert live.plan == {"model": "demo"}
        assert await store.answers.find_run(chat.id, "run-7", principal=ME) == live
        assert await store.answers.find_run(chat.id, "run-7", principal="other") is None

    @pytest.mark.parametrize("status", ["finished", "cancelled", "failed"])
    async def test_an_answer_is_settled_once(
        self, store: ChatStore, chat: Chat, status: str
    ) -> None:
        begun = await self.ask(store, chat, "question")

        first = await self.end(store, begun.answer, "text", status=status)
        second = await self.end(store, begun.answer, "other text")

        assert first is not None
        assert first.message is not None
        assert (first.message.status, first.message.content) == (status, "text")
        assert second is None
        assert await self.shown(store, chat) == ["question", "text"]
        assert await store.answers.list_unsettled(after=0, items_max=9) == []

    async def test_a_run_that_is_not_the_answers_settles_nothing(
        self, store: ChatStore, chat: Chat
    ) -> None:
        begun = await self.ask(store, chat, "question", run="run-1")

        assert await self.end(store, begun.answer, "text", run="run-2") is None

        assert await store.answers.find_live(chat.id, principal=ME) == begun.answer

    @pytest.mark.parametrize("status", ["finished", "cancelled", "failed"])
    async def test_an_answer_without_a_word_gives_the_users_text_back(
        self, store: ChatStore, chat: Chat, status: str
    ) -> None:
        await self.talk(store, chat, "first", "answer")
        begun = await self.ask(store, chat, "second")

        settled = await self.end(store, begun.answer, "", status=status)

        assert settled is not None
        assert settled.message is None
        assert settled.chat.draft == "second"
        assert await self.shown(store, chat) == ["first", "answer"]

    async def test_a_draft_goes_when_something_is_sent(self, store: ChatStore, chat: Chat) -> None:
        begun = await self.ask(store, chat, "first")
        await self.end(store, begun.answer, "", status="failed")

        await self.talk(store, chat, "first again", "answer")

        assert (await store.chats.read(chat.id, principal=ME)).draft is None
        assert await self.shown(store, chat) == ["first again", "answer"]

    async def test_an_empty_second_answer_goes_alone(self, store: ChatStore, chat: Chat) -> None:
        question, _ = await self.talk(store, chat, "question", "answer")
        begun = await self.ask(store, chat, None, at_leaf=False, parent_id=question.id)

        settled = await self.end(store, begun.answer, "", status="failed")

        assert settled is not None
        assert settled.chat.draft is None
        assert await self.shown(store, chat) == ["question", "answer"]

    async def test_a_chat_makes_one_answer_at_a_time(self, store: ChatStore, chat: Chat) -> None:
        begun = await self.ask(store, chat, "first", run="run-1")

        with pytest.raises(ChatBusy) as busy:
            await self.ask(store, chat, "second", run="run-2")

        assert (busy.value.run, busy.value.answer) == ("run-1", begun.answer.id)
        assert await self.shown(store, chat) == ["first", ""]

    async def test_of_two_tabs_that_send_at_once_one_wins_whole(
        self, store: ChatStore, chat: Chat
    ) -> None:
        results = await asyncio.gather(
            *(self.ask(store, chat, f"tab {tab}", run=f"run-{tab}") for tab in range(5)),
            return_exceptions=True,
        )

        won = [one for one in results if isinstance(one, Begun)]
        assert len(won) == 1
        assert sum(isinstance(one, ChatBusy) for one in results) == 4
        tab = (won[0].answer.run or "")[-1]
        assert await self.shown(store, chat) == [f"tab {tab}", ""]

    async def test_a_known_client_id_finds_the_answer_that_is_there(
        self, store: ChatStore, chat: Chat
    ) -> None:
        first = await self.ask(store, chat, "question", run="run-1", client_id="c1")
        again = await self.ask(store, chat, "question", run="run-2", client_id="c1")
        await self.end(store, first.answer, "text")
        later = await self.ask(store, chat, "question", run="run-3", client_id="c1")

        assert not again.is_new
        assert again.answer == first.answer
        assert (later.answer.id, later.answer.run, later.is_new) == (
            first.answer.id,
            "run-1",
            False,
        )
        assert await self.shown(store, chat) == ["question", "text"]

    async def test_a_resend_at_the_same_time_makes_one_answer(
        self, store: ChatStore, chat: Chat
    ) -> None:
        results = await asyncio.gather(
            *(
                self.ask(store, chat, "question", run=f"run-{number}", client_id="c1")
                for number in range(4)
            )
        )

        assert sum(one.is_new for one in results) == 1
        assert len({one.answer.run for one in results}) == 1

    async def test_a_client_id_is_for_one_text(self, store: ChatStore, chat: Chat) -> None:
        await self.ask(store, chat, "question", client_id="c1")

        with pytest.raises(IdempotencyConflict):
            await self.ask(store, chat, "another", run="run-2", client_id="c1")

    @pytest.mark.parametrize("content", ["question", None])
    async def test_a_parent_of_another_chat_is_refused_and_nothing_is_stored(
        self, store: ChatStore, chat: Chat, content: str | None
    ) -> None:
        other = await store.chats.create(NewChat(), principal=ME)
        question, _ = await self.talk(store, other, "question", "answer")

        with pytest.raises(RequestInvalid) as refused:
            await self.ask(store, chat, content, at_leaf=False, parent_id=question.id)

        assert refused.value.param == "parent_id"
        assert await self.shown(store, chat) == []
        assert await store.answers.find_live(chat.id, principal=ME) is None

    async def test_an_answer_is_not_answered(self, store: ChatStore, chat: Chat) -> None:
        _, answer = await self.talk(store, chat, "question", "answer")

        with pytest.raises(RequestInvalid):
            await self.ask(store, chat, None, at_leaf=False, parent_id=answer.id)

    async def test_a_continued_answer_keeps_what_it_had(self, store: ChatStore, chat: Chat) -> None:
        _, answer = await self.talk(store, chat, "question", "One, two")

        opened = await store.answers.reopen(chat.id, answer.id, principal=ME, run="run-2", plan={})
        settled = await self.end(store, opened, ", three", status="cancelled")

        assert (opened.id, opened.status, opened.content) == (answer.id, "streaming", "One, two")
        assert settled is not None
        assert await self.shown(store, chat) == ["question", "One, two, three"]

    async def test_a_continuation_without_a_word_leaves_the_answer(
        self, store: ChatStore, chat: Chat
    ) -> None:
        _, answer = await self.talk(store, chat, "question", "One, two")
        opened = await store.answers.reopen(chat.id, answer.id, principal=ME, run="run-2", plan={})

        await self.end(store, opened, "", status="failed")

        assert await self.shown(store, chat) == ["question", "One, two"]

    async def test_only_the_last_answer_is_continued(self, store: ChatStore, chat: Chat) -> None:
        question, answer = await self.talk(store, chat, "question", "answer")
        await self.talk(store, chat, "more", "more answer")

        for message in (question, answer):
            with pytest.raises(RequestInvalid):
                await store.answers.reopen(chat.id, message.id, principal=ME, run="r", plan={})

    async def test_a_deleted_live_answer_names_its_run(self, store: ChatStore, chat: Chat) -> None:
        begun = await self.ask(store, chat, "question", run="live")

        assert await store.messages.delete(chat.id, begun.answer.id, principal=ME) == "live"

        assert await self.end(store, begun.answer, "too late") is None
        assert await self.shown(store, chat) == ["question"]

    async def test_unsettled_answers_are_listed_in_pages(self, store: ChatStore) -> None:
        answers = []
        for number in range(3):
            chat = await store.chats.create(NewChat(), principal=f"p{number}")
            begun = await self.ask(store, chat, "?", run=f"run-{number}", principal=f"p{number}")
            answers.append(begun.answer.id)

        first = await store.answers.list_unsettled(after=0, items_max=2)
        rest = await store.answers.list_unsettled(after=first[-1].id, items_max=2)

        assert [one.id for one in (*first, *rest)] == answers
        assert [one.principal for one in (*first, *rest)] == ["p0", "p1", "p2"]

    async def test_earlier_messages_go_before_the_first_one_only(
        self, store: ChatStore, chat: Chat
    ) -> None:
        earlier = (("system", "Be brief."), ("user", "q0"), ("assistant", "a0"))

        first = await self.ask(store, chat, "q1", earlier=earlier)
        await self.end(store, first.answer, "a1")
        second = await self.ask(store, chat, "q2", earlier=earlier)
        await self.end(store, second.answer, "a2")

        assert await self.shown(store, chat) == ["Be brief.", "q0", "a0", "q1", "a1", "q2", "a2"]


class QueueSuite(ChatStoreBase):
    """Messages that wait."""

    async def add(self, store: ChatStore, chat: Chat, *contents: str) -> list[int]:
        """Put messages into the queue; return their ids."""
        return [
            (
                await store.queue.add(chat.id, content, principal=ME, model=None, client_id=content)
            ).id
            for content in contents
        ]

    async def waiting(self, store: ChatStore, chat: Chat) -> list[str]:
        """Return the waiting texts."""
        return [one.content for one in await store.queue.waiting(chat.id, principal=ME)]

    async def test_waiting_messages_can_be_edited_moved_and_removed(
        self, store: ChatStore, chat: Chat
    ) -> None:
        a, b, c = await self.add(store, chat, "a", "b", "c")

        await store.queue.update(chat.id, c, principal=ME, content="C", place=0)
        moved = await self.waiting(store, chat)
        await store.queue.update(chat.id, a, principal=ME, content=None, place=99)
        await store.queue.remove(chat.id, b, principal=ME)

        assert moved == ["C", "a", "b"]
        assert await self.waiting(store, chat) == ["C", "a"]
        with pytest.raises(ChatNotFound):
            await store.queue.remove(chat.id, b, principal=ME)

    async def test_a_resend_waits_once(self, store: ChatStore, chat: Chat) -> None:
        first = await self.add(store, chat, "a")

        assert await self.add(store, chat, "a") == first

        assert await self.waiting(store, chat) == ["a"]

    async def test_a_waiting_message_becomes_a_message_or_stays(
        self, store: ChatStore, chat: Chat
    ) -> None:
        (a,) = await self.add(store, chat, "a")
        busy = await self.ask(store, chat, "first", run="run-1")

        with pytest.raises(ChatBusy):
            await self.ask(store, chat, "a", run="run-2", queued_id=a)
        kept = await self.waiting(store, chat)
        await self.end(store, busy.answer, "answer")
        await self.ask(store, chat, "a", run="run-2", queued_id=a)

        assert kept == ["a"]
        assert await self.waiting(store, chat) == []
        assert await self.shown(store, chat) == ["first", "answer", "a", ""]
        with pytest.raises((ChatNotFound, ChatBusy)):
            await self.ask(store, chat, "a", run="run-3", queued_id=a)

    async def test_a_queue_is_ready_when_nothing_streams_and_nobody_paused_it(
        self, store: ChatStore, chat: Chat
    ) -> None:
        async def ready() -> list[tuple[int, str]]:
            return await store.queue.list_ready(items_max=9)

        empty = await ready()
        begun = await self.ask(store, chat, "first")
        await self.add(store, chat, "a")
        while_streaming = await ready()
        await self.end(store, begun.answer, "answer")
        afterwards = await ready()
        await store.queue.pause(chat.id, principal=ME)

        assert (empty, while_streaming, afterwards) == ([], [], [(chat.id, ME)])
        assert await ready() == []

    @pytest.mark.parametrize("status", ["cancelled", "failed"])
    async def test_a_stopped_answer_pauses_the_queue(
        self, store: ChatStore, chat: Chat, status: str
    ) -> None:
        begun = await self.ask(store, chat, "first")
        await self.add(store, chat, "a")

        settled = await self.end(store, begun.answer, "some", status=status)

        assert settled is not None
        assert settled.chat.is_queue_paused
        assert await store.queue.list_ready(items_max=9) == []
