"""Runs of other faces that name a chat: what they say is kept in the same chats."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

import msgspec

from potok.chats.contract import (
    Begun,
    Chat,
    ChatStore,
    MessageRecord,
    NewAnswer,
    NewChat,
    ToldAnswer,
)
from potok.clock import IdSource
from potok.errors import ChatBusy, ChatNotFound, RequestInvalid, RunNotFound
from potok.events.run_request import JsonObject, RunRequest, ToldMessage, hash_of
from potok.limits import CHAT_BUSY_TRIES_MAX, CHAT_PLAN_BYTES_MAX
from potok.runs.answers import AnswerRuns
from potok.runs.chat_keeping import ChatKeeper
from potok.runs.chat_prompts import asked_text, earlier_texts
from potok.runs.service import RunService
from potok.streamlog.contract import RunRecord

__all__ = ["ChatFaces"]

_Result = TypeVar("_Result")
_ID_DIGITS_MAX = 15


class Cancel(Protocol):
    """Stops a chat's live answer; see `Conversations.cancel`."""

    async def __call__(
        self, chat: int, *, principal: str, message: int | None = None
    ) -> MessageRecord | None: ...


class ChatFaces:
    """Keeps what other faces say.

    Args:
        parts: Gives the open store; raises what kept it from opening.
    """

    def __init__(
        self,
        parts: Callable[[], Awaitable[tuple[ChatStore, AnswerRuns]]],
        runs: RunService,
        *,
        ids: IdSource,
        keeper: ChatKeeper,
        cancel: Cancel,
    ) -> None:
        self._parts = parts
        self._runs = runs
        self._ids = ids
        self._keeper = keeper
        self._cancel = cancel

    async def start_run(
        self, request: RunRequest, *, principal: str, idempotency_key: str | None
    ) -> tuple[RunRecord, bool]:
        """Start a run that names a chat, and store its words at the end of what that one shows.

        Raises:
            ChatNotFound: the name is a number, and no chat of the principal has it.
            ChatBusy: the chat is answering.
        """
        _, answers = await self._parts()
        await self._runs.check_start(request, principal=principal)
        chat = await self.chat_of(request.chat or "", principal=principal, is_number_new=False)
        new = NewAnswer(
            chat_id=chat.id,
            run=self._ids.run_id(),
            content=asked_text(request),
            client_id=f"key:{idempotency_key}" if idempotency_key else None,
            earlier=earlier_texts(request),  # type: ignore[arg-type]
            plan=_plan_of(request, idempotency_key),
        )
        begin = partial(
            self._begin,
            answers,
            new,
            request,
            principal=principal,
            idempotency_key=idempotency_key,
        )
        return await self._when_free(chat, begin, principal=principal)

    async def start_told(
        self,
        request: RunRequest,
        told: Sequence[ToldMessage],
        *,
        is_again: bool,
        principal: str,
        idempotency_key: str | None,
    ) -> tuple[RunRecord, bool]:
        """Start a run for a client that keeps its chats itself, and store what it tells of one.

        A live answer that the client tells of is stopped first, its text kept: whoever goes on
        without waiting has given it up. One that the client does not know is not touched.

        Args:
            told: All messages that the client shows. If the last one is an answer, the run goes on
                with it.
            is_again: One more answer is wanted, beside those that are there.

        Raises:
            ChatBusy: an answer is being made that the client does not know of.
        """
        if idempotency_key is not None:
            # In front of everything: a retry finds its run, whatever the chat does now.
            found = await self._runs.find_started(request, principal, idempotency_key)
            if found is not None:
                return found, False
        await self._runs.check_start(request, principal=principal)
        chat = await self.chat_of(request.chat or "", principal=principal)
        start = partial(
            self._start_told,
            chat,
            request,
            tuple(told),
            is_again=is_again,
            principal=principal,
            idempotency_key=idempotency_key,
        )
        return await self._when_free(chat, start, principal=principal)

    async def _when_free(
        self,
        chat: Chat,
        begin: Callable[[], Awaitable[tuple[RunRecord, bool]]],
        *,
        principal: str,
    ) -> tuple[RunRecord, bool]:
        """Begin an answer, once one that is just ending, or was seen and given up, is stored."""
        for tries_left in reversed(range(CHAT_BUSY_TRIES_MAX)):
            try:
                return await begin()
            except ChatBusy as busy:
                is_free = await self.make_way(chat.id, principal=principal, stops=busy.is_seen)
                if not is_free or not tries_left:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _start_told(
        self,
        chat: Chat,
        request: RunRequest,
        told: tuple[ToldMessage, ...],
        *,
        is_again: bool,
        principal: str,
        idempotency_key: str | None,
    ) -> tuple[RunRecord, bool]:
        _, answers = await self._parts()
        if told[-1].role == "assistant":
            gone_on = await self._go_on(
                chat, request, told[-1].name or "", principal, idempotency_key
            )
            if gone_on is not None:
                return gone_on
            # It is not known here, or others follow it: then it is one more answer to its question.
            is_again = True
        while told and told[-1].role != "user":
            told = told[:-1]
        if not told:
            # Nobody asked anything: there is no place for this in a chat.
            return await self._runs.start(
                request, principal=principal, idempotency_key=idempotency_key
            )
        new = ToldAnswer(
            chat_id=chat.id,
            run=self._ids.run_id(),
            told=told,
            is_again=is_again,
            key=f"told:{idempotency_key}" if idempotency_key else None,
            plan=_plan_of(request, idempotency_key),
        )
        return await self._begin(
            answers, new, request, principal=principal, idempotency_key=idempotency_key
        )

    async def _go_on(
        self, chat: Chat, request: RunRequest, name: str, principal: str, key: str | None
    ) -> tuple[RunRecord, bool] | None:
        """Go on with an answer after its tools' results, in the same message."""
        store, answers = await self._parts()
        answer = await store.answers.find_told(chat.id, name, principal=principal)
        if answer is None:
            return None
        try:
            before = await self._runs.find(answer.run or "", principal=principal)
        except RunNotFound:
            before = None
        is_same = before is not None and before.request_hash == hash_of(request)
        if before is not None and is_same and answer.status in ("streaming", "finished"):
            # A resend; what was begun before and came to nothing is begun anew.
            return before, False
        if answer.status == "streaming":
            raise ChatBusy(chat=chat.id, message=answer.id, run=answer.run or "")
        reopening = answers.reopen(
            answer, run=self._ids.run_id(), request=request, name=name, idempotency_key=key
        )
        try:
            record, _ = await self._whole(reopening)
        except RequestInvalid:
            return None
        return record, True

    async def _begin(
        self,
        answers: AnswerRuns,
        new: NewAnswer | ToldAnswer,
        request: RunRequest,
        *,
        principal: str,
        idempotency_key: str | None,
    ) -> tuple[RunRecord, bool]:
        begun: Begun
        record, begun = await self._whole(
            answers.begin(
                new, principal=principal, request=request, idempotency_key=idempotency_key
            )
        )
        return record, begun.is_new

    async def _whole(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Do all of it, whether or not the caller waits for it."""
        return await asyncio.shield(self._keeper.spawn(work, name="chat-begin"))

    async def make_way(self, chat: int, *, principal: str, stops: bool) -> bool:
        """Bring a busy chat forward; return whether it is worth another try.

        An answer whose run has ended is stored. One that is being made is in the way, unless
        `stops`: then it is stopped.
        """
        store, answers = await self._parts()
        live = await store.answers.find_live(chat, principal=principal)
        if live is None:
            return True
        await answers.until_started(live)
        try:
            record = await self._runs.find(live.run or "", principal=principal)
        except RunNotFound:
            is_live = True
        else:
            is_live = record.is_live
            if not is_live:
                await self._keeper.settle(record)
        if is_live and stops:
            await self._cancel(chat, principal=principal, message=live.id)
        return stops or not is_live

    async def live_run(self, name: str, *, principal: str) -> RunRecord | None:
        """Return the run that makes an answer of a named chat now."""
        store, answers = await self._parts()
        chat = await self._find(name, principal=principal)
        live = chat and await store.answers.find_live(chat.id, principal=principal)
        if not live:
            return None
        await answers.until_started(live)
        try:
            record = await self._runs.find(live.run or "", principal=principal)
        except RunNotFound:
            return None
        return record if record.is_live else None

    async def chat_of(self, name: str, *, principal: str, is_number_new: bool = True) -> Chat:
        """Return the chat that a name means: one of that external id, else of that number.

        Any other name makes a chat of its own, and a number too where `is_number_new`; else raises
        `ChatNotFound`.
        """
        store, _ = await self._parts()
        found = await self._find(name, principal=principal)
        if found is not None:
            return found
        if not is_number_new and _is_number(name):
            raise ChatNotFound("chat", int(name))
        return await store.chats.create(NewChat(external_id=name), principal=principal)

    async def _find(self, name: str, *, principal: str) -> Chat | None:
        store, _ = await self._parts()
        found = await store.chats.find(name, principal=principal)
        if found is None and _is_number(name):
            try:
                return await store.chats.read(int(name), principal=principal)
            except ChatNotFound:
                return None
        return found


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) <= _ID_DIGITS_MAX


def _plan_of(request: RunRequest, key: str | None) -> JsonObject | None:
    """Return what starts the run if this process dies first; None if that is too large to keep."""
    plan: JsonObject = {"request": msgspec.to_builtins(request)}
    if key is not None:
        plan["key"] = key
    return plan if len(msgspec.json.encode(plan)) <= CHAT_PLAN_BYTES_MAX else None
