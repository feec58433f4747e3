"""Ties one answer of a chat to its run: begins it, shows it while it lives, settles it.

The order of the steps is what makes a kill harmless. First the message is stored, with the id that
its run will have; then the run is started under that id, which as an idempotency key makes a
second start find the first; when the run has ended, the message gets its text, once.
"""

import asyncio
import logging
from typing import Literal, cast

import msgspec

from potok.chats.contract import (
    Begun,
    ChatStore,
    Ending,
    MessageRecord,
    NewAnswer,
    Settled,
)
from potok.clock import Clock, RunId
from potok.dialects.chats_001_bodies import answer_metadata
from potok.errors import IdempotencyConflict, PotokError, RunNotFound
from potok.events.fold import Message
from potok.events.run_request import JsonObject, RunRequest
from potok.limits import CHAT_HISTORY_MESSAGES_MAX, CHAT_UPKEEP_SECONDS
from potok.runs.chat_prompts import FACE, prompt_of
from potok.runs.service import RunService
from potok.streamlog.contract import RunRecord

__all__ = ["AnswerRuns", "prefix_of"]

_logger = logging.getLogger("potok.runs")


def prefix_of(answer: MessageRecord) -> tuple[str, JsonObject]:
    """Return the text and metadata that an answer had before its run; none unless continued."""
    plan = answer.plan or {}
    if "prefix_characters" not in plan:
        return "", {}
    return answer.content[: int(plan["prefix_characters"])], dict(plan.get("metadata", {}))


def ending_of(answer: MessageRecord, record: RunRecord, message: Message) -> Ending:
    """Return how an ended run ends its message."""
    _, before = prefix_of(answer)
    # As the run's own stream reckons it, whose start is rounded.
    seconds = (record.ended_at or record.last_event_at) - round(record.created_at, 3)
    metadata = answer_metadata(message, before=before, seconds=seconds)
    others = [part for part in message.parts if part.type in ("tool", "data")]
    others += [part for part in message.parts if part.type == "text" and part.channel != "answer"]
    if others:
        metadata["parts"] = msgspec.to_builtins(message.parts)
    return Ending(
        status=cast(Literal["finished", "cancelled", "failed"], record.status),
        text=message.text,
        metadata=metadata,
        is_empty=not message.text.strip() and not others,
    )


class AnswerRuns:
    """The answers of one store, made by one worker's runs."""

    def __init__(self, store: ChatStore, runs: RunService, *, clock: Clock) -> None:
        self._store = store
        self._runs = runs
        self._clock = clock
        # Answers that are stored, and whose runs this process is about to start.
        self._starting: dict[str, asyncio.Event] = {}

    async def begin(
        self,
        new: NewAnswer,
        *,
        principal: str,
        request: RunRequest | None = None,
        idempotency_key: str | None = None,
    ) -> tuple[RunRecord, Begun]:
        """Store an answer and start its run; a known client id gives the run that is there.

        Args:
            request: Of another face; else the run is shown what the chat holds.
        """
        begun = await self._store.answers.begin(new, principal=principal)
        answer = begun.answer
        if not begun.is_new:
            await self.until_started(answer)
            try:
                record = await self._runs.find(answer.run or "", principal=principal)
            except RunNotFound:
                if answer.status != "streaming":
                    raise
            else:
                if request is not None:
                    # The log knows what the key started, and refuses another request under it.
                    record, _ = await self._runs.start(
                        request, principal=principal, idempotency_key=idempotency_key
                    )
                return record, begun
        record = await self._start(answer, request=request, idempotency_key=idempotency_key)
        return record, begun

    async def reopen(
        self, answer: MessageRecord, *, run: str, plan: JsonObject
    ) -> tuple[RunRecord, MessageRecord]:
        """Go on with a settled answer in a new run."""
        plan = {
            **plan,
            "prefix_characters": len(answer.content),
            "metadata": answer.metadata,
            "status": answer.status,
        }
        opened = await self._store.answers.reopen(
            answer.chat_id, answer.id, principal=answer.principal, run=run, plan=plan
        )
        return await self._start(opened), opened

    async def _start(
        self,
        answer: MessageRecord,
        *,
        request: RunRequest | None = None,
        idempotency_key: str | None = None,
    ) -> RunRecord:
        run = answer.run or ""
        started = self._starting.setdefault(run, asyncio.Event())
        try:
            if request is None:
                request = await self._request_of(answer)
            request = msgspec.structs.replace(
                request, chat=str(answer.chat_id), message=str(answer.id)
            )
            record, _ = await self._runs.start(
                request,
                principal=answer.principal,
                idempotency_key=idempotency_key or run,
                run=RunId(run),
            )
            return record
        except IdempotencyConflict as error:
            if error.run != run or idempotency_key is not None:
                await self._give_up(answer, error)
                raise
            # It was started with what the chat or its project held then.
            return await self._runs.find(run, principal=answer.principal)
        except PotokError as error:
            await self._give_up(answer, error)
            raise
        finally:
            self._starting.pop(run, None)
            started.set()

    async def _request_of(self, answer: MessageRecord) -> RunRequest:
        plan = answer.plan or {}
        is_continued = "prefix_characters" in plan
        end = answer.id if is_continued else answer.parent_id
        way = await self._store.messages.lineage(
            answer.chat_id,
            end or answer.id,
            principal=answer.principal,
            items_max=CHAT_HISTORY_MESSAGES_MAX,
        )
        chat = await self._store.chats.read(answer.chat_id, principal=answer.principal)
        instructions = ""
        if chat.project_id is not None:
            project = await self._store.projects.read(chat.project_id, principal=answer.principal)
            instructions = project.instructions
        language = str(plan.get("language", "ru"))
        return RunRequest(
            model=cast("str | None", plan.get("model")),
            messages=prompt_of(
                way, instructions=instructions, language=language, is_continued=is_continued
            ),
            language=language,
            face=FACE,
        )

    async def _give_up(self, answer: MessageRecord, error: PotokError) -> None:
        """Undo an answer whose run could not be started: its user's text goes back."""
        _, before = prefix_of(answer)
        status = str((answer.plan or {}).get("status", "failed"))
        metadata = before or {"error": {"code": error.code, "message": error.message}}
        ending = Ending(
            status=cast(Literal["finished", "cancelled", "failed"], status),
            text="",
            metadata=metadata,
            is_empty=True,
        )
        await self._store.answers.settle(answer.id, run=answer.run or "", ending=ending)

    async def until_started(self, answer: MessageRecord) -> None:
        """Wait while this process is about to start an answer's run."""
        started = self._starting.get(answer.run or "")
        if started is not None:
            await started.wait()

    async def settle(self, record: RunRecord) -> Settled | None:
        """Give an ended run's message its text; None where nothing is left to do."""
        chat, message = record.request.chat or "", record.request.message or ""
        if record.is_live or not (chat.isdigit() and message.isdigit()):
            return None
        answer = await self._store.answers.find_run(
            int(chat), record.run, principal=record.principal
        )
        if answer is None or answer.status != "streaming":
            return None
        record, folded = await self._runs.snapshot(record.run, principal=record.principal)
        ending = ending_of(answer, record, folded)
        return await self._store.answers.settle(answer.id, run=record.run, ending=ending)

    async def current(self, answer: MessageRecord) -> MessageRecord:
        """Return a streaming answer with the text that its run has stored so far."""
        record, folded = await self._runs.snapshot(answer.run or "", principal=answer.principal)
        text, before = prefix_of(answer)
        seconds = None if record.is_live else 0.0
        return msgspec.structs.replace(
            answer,
            content=text + folded.text,
            metadata=answer_metadata(folded, before=before, seconds=seconds),
        )

    async def recover(self, answer: MessageRecord, *, age_max_seconds: float) -> Settled | None:
        """Bring an answer forward that a dead process left streaming.

        Its run may have ended: then the message is settled. It may never have begun: then it is
        started, or given up where it is too old or cannot be. Else somebody is making it.
        """
        if answer.run in self._starting:
            return None
        try:
            record = await self._runs.find(answer.run or "", principal=answer.principal)
        except RunNotFound as error:
            await self._recover_unbegun(answer, error, age_max_seconds=age_max_seconds)
            return None
        return None if record.is_live else await self.settle(record)

    async def _recover_unbegun(
        self, answer: MessageRecord, error: PotokError, *, age_max_seconds: float
    ) -> None:
        age = self._clock.now() - answer.created_at
        is_continued = "prefix_characters" in (answer.plan or {})
        if answer.plan is None and age < CHAT_UPKEEP_SECONDS:
            # Its caller may be another process that is about to start it.
            return
        if answer.plan is None or (age > age_max_seconds and not is_continued):
            _logger.info("answer %s never began, its text goes back to the user", answer.id)
            await self._give_up(answer, error)
            return
        if is_continued:
            # Nobody knows when it was asked for: what it had before stays.
            await self._give_up(answer, error)
            return
        try:
            await self._start(answer)
        except PotokError as failure:
            _logger.warning("answer %s could not be begun: %s", answer.id, failure.code)
