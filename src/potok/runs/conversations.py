"""Chats that are answered: what the edge may ask of a store of chats and its runs together.

Everything that begins an answer is done in a task of its own: a caller that goes away leaves no
message without its run.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from potok.chats.contract import Chat, ChatStore, MessageRecord, NewAnswer
from potok.clock import Clock, IdSource
from potok.errors import ChatBusy, ChatNotFound, PotokError, RequestInvalid, RunNotFound
from potok.events.run_request import RunRequest
from potok.runs.answers import AnswerRuns
from potok.runs.chat_faces import ChatFaces
from potok.runs.chat_keeping import ChatKeeper, ChatSettings
from potok.runs.service import RunService
from potok.streamlog.contract import RunRecord

__all__ = ["ChatSettings", "Conversations", "Sent"]

_logger = logging.getLogger("potok.runs")
_Result = TypeVar("_Result")
_SEND_NOW_TRIES_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An answer that is being made: its run, its message, and whether this call began it."""

    record: RunRecord
    answer: MessageRecord
    is_new: bool = True


class Conversations:
    """All chats of one server.

    Args:
        open_store: Opens the store; called once, and again after it failed.
    """

    def __init__(
        self,
        open_store: Callable[[], Awaitable[ChatStore]],
        runs: RunService,
        *,
        clock: Clock,
        ids: IdSource,
        settings: ChatSettings,
    ) -> None:
        self._open_store = open_store
        self._runs = runs
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._opening: asyncio.Task[tuple[ChatStore, AnswerRuns]] | None = None
        self._keeper = ChatKeeper(self._parts, runs, settings=settings, advance=self.advance)
        self.faces = ChatFaces(self._parts, runs, ids=ids, keeper=self._keeper, cancel=self.cancel)
        runs.on_end(self._keeper.run_ended)

    async def open(self) -> None:
        """Begin to open the store, and to look after what a dead process left.

        Raises:
            SetupError: the store cannot be used, where the settings say to wait for it.
        """
        if self._settings.opens_early:
            await self.store()
        self._keeper.start()

    async def close(self) -> None:
        """Finish what is just being stored, within a bounded time, and close the store."""
        await self._keeper.stop()
        if self._opening is not None:
            await asyncio.wait([self._opening])
            if self._opening.exception() is None:
                await self._opening.result()[0].close()

    async def store(self) -> ChatStore:
        """Return the open store; raises what kept it from opening."""
        return (await self._parts())[0]

    async def _parts(self) -> tuple[ChatStore, AnswerRuns]:
        opening = self._opening
        if opening is None or (opening.done() and opening.exception() is not None):
            opening = self._opening = asyncio.create_task(self._open_parts(), name="chats-open")
        return await asyncio.shield(opening)

    async def _open_parts(self) -> tuple[ChatStore, AnswerRuns]:
        store = await self._open_store()
        return store, AnswerRuns(store, self._runs, clock=self._clock)

    # Answers.

    async def send(
        self,
        chat: int,
        content: str,
        *,
        principal: str,
        language: str,
        model: str | None = None,
        client_id: str | None = None,
        at_leaf: bool = True,
        parent_id: int | None = None,
        queued_id: int | None = None,
    ) -> Sent:
        """Store a user's message and begin its answer.

        Raises:
            ChatNotFound, ChatBusy, RequestInvalid, IdempotencyConflict: see `Answers.begin`.
            ModelUnknown, PeerError, TryAgain: no run can begin; nothing is stored.
        """
        store, _ = await self._parts()
        known = await store.chats.read(chat, principal=principal)
        new = NewAnswer(
            chat_id=chat,
            run=self._ids.run_id(),
            content=content,
            at_leaf=at_leaf,
            parent_id=parent_id,
            client_id=client_id,
            queued_id=queued_id,
            plan={"model": model or known.model, "language": language},
        )
        return await self._begin(new, principal=principal)

    async def regenerate(
        self, chat: int, message: int, *, principal: str, language: str, model: str | None
    ) -> Sent:
        """Make one more answer: beside an answer, or below a user's message."""
        store, _ = await self._parts()
        known = await store.chats.read(chat, principal=principal)
        shown = await store.messages.read(chat, message, principal=principal)
        parent = shown.parent_id if shown.role == "assistant" else shown.id
        if parent is None:
            raise RequestInvalid("There is no message that this one answers.", param="message_id")
        new = NewAnswer(
            chat_id=chat,
            run=self._ids.run_id(),
            content=None,
            at_leaf=False,
            parent_id=parent,
            plan={"model": model or known.model, "language": language},
        )
        return await self._begin(new, principal=principal)

    async def go_on(
        self, chat: int, message: int, *, principal: str, language: str, model: str | None
    ) -> Sent:
        """Go on with an answer that was cut off, in the same message, exactly where it stops.

        Args:
            model: None for the one that made it.

        Raises:
            ChatNotFound, ChatBusy: see `Answers.reopen`.
            RequestInvalid: nobody can go on with it, or other messages follow it.
        """
        store, answers = await self._parts()
        for is_last in (False, True):
            answer = await store.messages.read(chat, message, principal=principal)
            if answer.role != "assistant":
                raise RequestInvalid(
                    "Only an answer can be continued, and this is none.", param="message_id"
                )
            try:
                if answer.status == "streaming":
                    raise ChatBusy(chat=chat, message=answer.id, run=answer.run or "")
                request = await answers.request_after(answer, model=model, language=language)
                run = self._ids.run_id()
                reopening = answers.reopen(answer, run=run, request=request)
                record, opened = await self._whole(reopening)
                return Sent(record=record, answer=opened)
            except ChatBusy:
                is_free = await self.faces.make_way(chat, principal=principal, stops=False)
                if is_last or not is_free:
                    raise
        raise AssertionError("the last try returns or raises")

    async def start_run(
        self, request: RunRequest, *, principal: str, idempotency_key: str | None
    ) -> tuple[RunRecord, bool]:
        """Start a run of another face that names a chat; see `ChatFaces.start_run`."""
        return await self.faces.start_run(
            request, principal=principal, idempotency_key=idempotency_key
        )

    async def _begin(self, new: NewAnswer, *, principal: str) -> Sent:
        _, answers = await self._parts()
        await self._check((new.plan or {})["model"], principal=principal)
        try:
            record, begun = await self._whole(answers.begin(new, principal=principal))
        except ChatBusy:
            # An answer whose last frame was read may not be stored yet.
            if not await self.faces.make_way(new.chat_id, principal=principal, stops=False):
                raise
            record, begun = await self._whole(answers.begin(new, principal=principal))
        return Sent(record=record, answer=begun.answer, is_new=begun.is_new)

    async def _check(self, model: str | None, *, principal: str) -> None:
        # Before anything is stored: a model that is gone leaves nothing half done.
        words = ({"role": "user", "content": "?"},)
        request = RunRequest(model=model, messages=words)
        await self._runs.check_start(request, principal=principal)

    async def live(
        self, chat: int, *, principal: str, run: str | None = None
    ) -> tuple[RunRecord, MessageRecord] | None:
        """Return the chat's live answer with its run, or the one of a named run.

        Raises:
            ChatNotFound: no such chat.
            RunNotFound: the run made no answer of this chat.
        """
        store, answers = await self._parts()
        if run is not None:
            await store.chats.read(chat, principal=principal)
            named = await store.answers.find_run(chat, run, principal=principal)
            if named is None:
                raise RunNotFound(run)
            return await self._runs.find(run, principal=principal), named
        for _ in range(2):
            answer = await store.answers.find_live(chat, principal=principal)
            if answer is None:
                return None
            await answers.until_started(answer)
            try:
                record = await self._runs.find(answer.run or "", principal=principal)
            except RunNotFound:
                return None
            if record.is_live:
                return record, answer
            # Its end is not stored yet; the next waiting message follows it.
            await self._keeper.settle(record)
        return None

    async def page(
        self, chat: int, *, principal: str, before: int | None, items_max: int
    ) -> tuple[Chat, list[MessageRecord], int | None]:
        """Return a part of the shown path, a live answer with its text so far."""
        store, answers = await self._parts()
        for is_last in (False, True):
            known = await store.chats.read(chat, principal=principal)
            messages, more = await store.messages.path(
                known, principal=principal, before=before, items_max=items_max
            )
            place = _streaming(messages)
            if place is None:
                break
            answer = messages[place]
            try:
                record = await self._runs.find(answer.run or "", principal=principal)
            except RunNotFound:
                break
            if record.is_live or is_last:
                messages[place] = await answers.current(answer)
                break
            await self._keeper.settle(record)
        return known, messages, more

    async def message(self, chat: int, message: int, *, principal: str) -> MessageRecord:
        """Return one message, a live answer with its text so far; raises `ChatNotFound`."""
        store, answers = await self._parts()
        found = await store.messages.read(chat, message, principal=principal)
        if found.status != "streaming":
            return found
        try:
            return await answers.current(found)
        except RunNotFound:
            return found

    async def cancel(
        self, chat: int, *, principal: str, message: int | None = None
    ) -> MessageRecord | None:
        """Stop the chat's live answer, if it is the one that is meant; harmless without one.

        Returns:
            The answer as it is now, None if there was none or nothing of it is left.
        """
        store, answers = await self._parts()
        answer = await store.answers.find_live(chat, principal=principal)
        if answer is None or (message is not None and answer.id != message):
            return None
        await answers.until_started(answer)
        try:
            record = await self._runs.cancel(answer.run or "", principal=principal)
        except RunNotFound:
            await answers.recover(answer, age_max_seconds=-1)
            return None
        if not record.is_live:
            await self._keeper.settle(record)
        try:
            return await self.message(chat, answer.id, principal=principal)
        except ChatNotFound:
            return None

    async def delete_message(self, chat: int, message: int, *, principal: str) -> None:
        """Remove a message; a live answer is stopped first. Raises `ChatNotFound`."""
        store, _ = await self._parts()
        found = await store.messages.read(chat, message, principal=principal)
        if found.status == "streaming":
            await self.cancel(chat, principal=principal, message=message)
        try:
            run = await store.messages.delete(chat, message, principal=principal)
        except ChatNotFound:
            # A stopped answer without a word went by itself.
            if found.status != "streaming":
                raise
            return
        if run is not None:
            await self._cancel_run(run, principal)

    async def delete_chat(self, chat: int, *, principal: str) -> None:
        """Remove a chat; its live run is cancelled. Raises `ChatNotFound`."""
        store, _ = await self._parts()
        answer = await store.answers.find_live(chat, principal=principal)
        if answer is not None:
            # The wish is in the log before the chat is gone: no run outlives it unseen.
            await self._cancel_run(answer.run or "", principal)
        for run in await store.chats.delete(chat, principal=principal):
            await self._cancel_run(run, principal)

    async def _cancel_run(self, run: str, principal: str) -> None:
        try:
            await self._runs.cancel(run, principal=principal)
        except RunNotFound:
            _logger.info("run %s of a deleted answer is gone already", run)

    # The queue.

    async def send_now(self, chat: int, item: int, *, principal: str, language: str) -> Sent:
        """Send a waiting message before all others; a live answer is stopped, its text kept.

        Raises:
            ChatNotFound: no such waiting message.
            ChatBusy: others send faster than this.
        """
        store, _ = await self._parts()
        busy: ChatBusy | None = None
        for _ in range(_SEND_NOW_TRIES_MAX):
            waiting = await store.queue.waiting(chat, principal=principal)
            wanted = next((one for one in waiting if one.id == item), None)
            if wanted is None:
                raise ChatNotFound("waiting message", item)
            await self._check(wanted.model, principal=principal)
            await self.cancel(chat, principal=principal)
            try:
                return await self.send(
                    chat,
                    wanted.content,
                    principal=principal,
                    language=language,
                    model=wanted.model,
                    client_id=wanted.client_id,
                    queued_id=item,
                )
            except ChatBusy as error:
                busy = error
        assert busy is not None
        raise busy

    async def advance(self, chat: int, *, principal: str, language: str = "ru") -> None:
        """Send the next waiting message, if the queue is not paused and nothing streams."""
        store, _ = await self._parts()
        try:
            known = await store.chats.read(chat, principal=principal)
            waiting = await store.queue.waiting(chat, principal=principal)
            if known.is_queue_paused or not waiting:
                return
            first = waiting[0]
            await self.send(
                chat,
                first.content,
                principal=principal,
                language=language,
                model=first.model,
                client_id=first.client_id,
                queued_id=first.id,
            )
        except (ChatBusy, ChatNotFound):
            # Somebody was faster, or the chat is gone: nothing is left to do.
            return
        except PotokError as error:
            _logger.warning("the queue of chat %s is paused: %s", chat, error.code)
            await store.queue.pause(chat, principal=principal)

    async def _whole(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Do all of it, whether or not the caller waits for it."""
        return await asyncio.shield(self._keeper.spawn(work, name="chat-begin"))


def _streaming(messages: list[MessageRecord]) -> int | None:
    places = [at for at, one in enumerate(messages) if one.status == "streaming"]
    return places[0] if places else None
