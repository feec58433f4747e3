"""Ties one answer of a chat to its run: begins it, shows it while it lives, settles it.

The order of the steps is what makes a kill harmless. First the message is stored, with the id that
its run will have; then the run is started under that id, which as an idempotency key makes a
second start find the first; when the run has ended, the message gets its text, once.
"""

import asyncio
import logging
from typing import cast

import msgspec

from potok.agents.contract import Turn
from potok.chats.contract import (
    Begun,
    ChatStore,
    Ending,
    MessageRecord,
    NewAnswer,
    Settled,
    ToldAnswer,
)
from potok.clock import Clock, RunId
from potok.dialects.chats_001_bodies import answer_metadata
from potok.errors import IdempotencyConflict, PotokError, RequestInvalid, RunNotFound
from potok.events.run_request import RunRequest
from potok.limits import CHAT_HISTORY_MESSAGES_MAX, CHAT_UPKEEP_SECONDS
from potok.runs.chat_endings import (
    PREFIX,
    Status,
    before_of,
    begun_of,
    ending_of,
    place_of,
    placed,
    prefix_of,
)
from potok.runs.chat_prompts import FACE, prompt_of
from potok.runs.service import RunService
from potok.streamlog.contract import RunRecord

__all__ = ["AnswerRuns"]

_logger = logging.getLogger("potok.runs")


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
        new: NewAnswer | ToldAnswer,
        *,
        principal: str,
        request: RunRequest | None = None,
        idempotency_key: str | None = None,
    ) -> tuple[RunRecord, Begun]:
        """Store an answer and start its run; what was begun already gives the run that is there.

        Args:
            request: Of another face; else the run is shown what the chat holds.
        """
        if isinstance(new, ToldAnswer):
            begun = await self._store.answers.begin_told(new, principal=principal)
        else:
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
                if request is not None and idempotency_key is not None:
                    # The log knows what the key started, and refuses another request under it.
                    record, _ = await self._runs.start(
                        request, principal=principal, idempotency_key=idempotency_key
                    )
                return record, begun
        record = await self._start(answer, request=request, idempotency_key=idempotency_key)
        return record, begun

    async def request_after(
        self, answer: MessageRecord, *, model: str | None, language: str
    ) -> RunRequest:
        """Return the request that goes on with a settled answer: what made it, as far as known.

        Raises:
            RequestInvalid: it has no words to go on with, an agent made it, or its model cannot.
            ModelUnknown, PeerError, TryAgain: see `RunService.check_start`.
        """
        if not answer.content.strip():
            raise RequestInvalid(
                f"Answer {answer.id} has no words to go on with. Make it again with POST"
                f" /api/web/v1/chats/{answer.chat_id}/messages/{answer.id}/regenerate.",
                param="message_id",
            )
        try:
            made = (await self._runs.find(answer.run or "", principal=answer.principal)).request
        except RunNotFound:
            made = None
        if made is not None and made.agent is not None:
            raise RequestInvalid(
                f"The agent {made.agent} made answer {answer.id}: only a model's answer can be"
                " continued. Send a message that asks for the rest.",
                param="message_id",
            )
        if made is None:
            made = RunRequest(model=str(answer.metadata.get("model") or "") or None)
            made = msgspec.structs.replace(made, language=language, face=FACE)
        # The chat is read anew: what was deleted since is shown to no model.
        shown = made.messages
        if made.face == FACE:
            shown = (await self._request_of(answer)).messages
        request = msgspec.structs.replace(
            made,
            model=model or made.model,
            messages=shown,
            begun=begun_of(answer),
            on_disconnect="keep",
            face=FACE,
        )
        agent = await self._runs.check_start(request, principal=answer.principal)
        if await agent.can_continue(Turn(run=RunId(""), request=request)) is None:
            raise RequestInvalid(
                f"{agent.name} cannot go on with answer {answer.id}. Name another `model`, or make"
                f" it again with POST /api/web/v1/chats/{answer.chat_id}/messages/{answer.id}"
                "/regenerate.",
                param="model",
            )
        return request

    async def reopen(
        self,
        answer: MessageRecord,
        *,
        run: str,
        request: RunRequest,
        name: str | None = None,
        idempotency_key: str | None = None,
    ) -> tuple[RunRecord, MessageRecord]:
        """Go on with a settled answer in a new run, in the same message.

        Args:
            name: What a client calls the answer, whose own words the run then goes on with.
        """
        opened = await self._store.answers.reopen(
            answer.chat_id,
            answer.id,
            principal=answer.principal,
            run=run,
            plan=before_of(answer, request),
            after_run=answer.run,
            name=name,
        )
        record = await self._start(opened, request=request, idempotency_key=idempotency_key)
        return record, opened

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
                request, idempotency_key = await self._planned(answer)
            record, _ = await self._runs.start(
                placed(request, answer),
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

    async def _planned(self, answer: MessageRecord) -> tuple[RunRequest, str | None]:
        """Return the request of an answer, and its key, where nobody has it in hand."""
        plan = answer.plan or {}
        if "request" in plan:
            return msgspec.convert(plan["request"], RunRequest), plan.get("key")
        return await self._request_of(answer), None

    async def _request_of(self, answer: MessageRecord) -> RunRequest:
        plan = answer.plan or {}
        way = await self._store.messages.lineage(
            answer.chat_id,
            answer.parent_id or answer.id,
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
            messages=prompt_of(way, instructions=instructions),
            language=language,
            face=FACE,
        )

    async def _give_up(self, answer: MessageRecord, error: PotokError) -> None:
        """Undo an answer whose run could not be started: its user's text goes back."""
        _, before = prefix_of(answer)
        status = str((answer.plan or {}).get("status", "failed"))
        metadata = before or {"error": {"code": error.code, "message": error.message}}
        ending = Ending(
            status=cast(Status, status),
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
        place = place_of(record.request)
        if record.is_live or place is None:
            return None
        chat, _ = place
        answer = await self._store.answers.find_run(chat, record.run, principal=record.principal)
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
        is_continued = PREFIX in (answer.plan or {})
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
