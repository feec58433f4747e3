"""Looks after answers once they are begun: their ends, their chats' names, what a crash left."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from potok.chats.contract import Chat, ChatStore, Settled
from potok.errors import PotokError
from potok.events.envelope import START
from potok.events.kinds import TextDelta
from potok.limits import (
    CHAT_CLOSE_SECONDS,
    CHAT_UPKEEP_ITEMS_MAX,
    CHAT_UPKEEP_SECONDS,
    TITLE_ANSWER_CHARACTERS_MAX,
    TITLE_SECONDS_MAX,
)
from potok.runs.answers import AnswerRuns
from potok.runs.chat_endings import UI_FACE, place_of
from potok.runs.chat_prompts import clean_title, title_request
from potok.runs.service import RunService
from potok.streamlog.contract import RunRecord

__all__ = ["Advance", "ChatKeeper", "ChatSettings"]

_logger = logging.getLogger("potok.runs")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSettings:
    """The knobs of chats. `opens_early`: the server does not start without its chats."""

    has_model_titles: bool = True
    recover_age_max_seconds: float = 600.0
    upkeep_seconds: float = CHAT_UPKEEP_SECONDS
    opens_early: bool = False


class Advance(Protocol):
    """Sends a chat's next waiting message, if it is time for it."""

    async def __call__(self, chat: int, *, principal: str, language: str) -> None: ...


class ChatKeeper:
    """The tasks behind all chats of one server.

    Args:
        parts: Gives the open store; raises what kept it from opening.
    """

    def __init__(
        self,
        parts: Callable[[], Awaitable[tuple[ChatStore, AnswerRuns]]],
        runs: RunService,
        *,
        settings: ChatSettings,
        advance: Advance,
    ) -> None:
        self._parts = parts
        self._runs = runs
        self._settings = settings
        self._advance = advance
        self._upkeep: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self) -> None:
        """Begin to look after what a dead process left, and go on doing so."""
        self._upkeep = asyncio.create_task(self._keep_up(), name="chats-upkeep")

    async def stop(self) -> None:
        """Finish what is just being stored, within a bounded time; the next start does the rest."""
        if self._upkeep is not None:
            self._upkeep.cancel()
            await asyncio.wait([self._upkeep])
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=CHAT_CLOSE_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    def spawn(self, work: Coroutine[Any, Any, _Result], *, name: str) -> "asyncio.Task[_Result]":
        """Do some work to its end, whoever waits for it."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def run_ended(self, record: RunRecord) -> None:
        """Hear that a producer is done with its run."""
        if place_of(record.request) is not None:
            self.spawn(self._settle_ended(record), name=f"settle-{record.run}")

    async def _settle_ended(self, begun: RunRecord) -> None:
        try:
            record = await self._runs.find(begun.run, principal=begun.principal)
            if not record.is_live:
                await self.settle(record)
        except PotokError as error:
            _logger.warning("run %s: its answer is stored later: %s", begun.run, error.code)

    async def settle(self, record: RunRecord) -> None:
        """Store an ended run's answer, unless that is done, and do what follows it."""
        _, answers = await self._parts()
        settled = await answers.settle(record)
        if settled is not None:
            await self._go_on_after(settled, record)

    async def _go_on_after(self, settled: Settled, record: RunRecord) -> None:
        if settled.message is None or settled.message.status != "finished":
            return
        chat, language = settled.chat, record.request.language
        await self._advance(chat.id, principal=record.principal, language=language)
        if (
            self._settings.has_model_titles
            and chat.title_source == "text"
            and record.request.agent is None
            # An application that keeps its chats itself has not asked for calls beside its own.
            and record.request.face != UI_FACE
        ):
            self.spawn(self._name_chat(chat, record), name=f"title-{record.run}")

    async def _name_chat(self, chat: Chat, record: RunRecord) -> None:
        """Let the model that answered name the chat; the first words stay if it cannot.

        A chat is named by one call: another try finds its run, whether it gave a name or none.
        """
        store, _ = await self._parts()
        principal = record.principal
        try:
            first = await store.transfer.read_tree(
                chat.id, principal=principal, after=0, items_max=2
            )
            said = next((one.content for one in first if one.role == "user"), chat.title)
            request = title_request(
                said, model=record.request.model, language=record.request.language
            )
            naming, _ = await self._runs.start(
                request, principal=principal, idempotency_key=f"title-of-chat-{chat.id}"
            )
            title = clean_title(await self._first_line(naming))
            if title:
                await store.chats.set_made_title(chat.id, title, principal=principal)
        except PotokError as error:
            _logger.info("chat %s keeps its first words as its title: %s", chat.id, error.code)

    async def _first_line(self, naming: RunRecord) -> str:
        """Return the beginning of an answer that is one line, and stop whatever would follow."""
        said = ""
        try:
            async with (
                asyncio.timeout(TITLE_SECONDS_MAX),
                aclosing(self._runs.follow(naming, after=START)) as pages,
            ):
                async for page in pages:
                    deltas = (one.event for one in page or ())
                    said += "".join(one.text for one in deltas if isinstance(one, TextDelta))
                    if "\n" in said.lstrip() or len(said) > TITLE_ANSWER_CHARACTERS_MAX:
                        break
        except TimeoutError:
            _logger.info("run %s takes too long for a title", naming.run)
        await self._runs.cancel(naming.run, principal=naming.principal, wait_seconds=0)
        return said

    async def _keep_up(self) -> None:
        while True:
            try:
                await self._look_after_all()
            except PotokError as error:
                _logger.warning("chats cannot be looked after, trying again: %s", error.message)
            except Exception:
                # A bug here must not leave answers streaming for ever.
                _logger.exception("looking after chats failed, trying again")
            await asyncio.sleep(self._settings.upkeep_seconds)

    async def _look_after_all(self) -> None:
        store, answers = await self._parts()
        after = 0
        while True:
            found = await store.answers.list_unsettled(after=after, items_max=CHAT_UPKEEP_ITEMS_MAX)
            for answer in found:
                settled = await answers.recover(
                    answer, age_max_seconds=self._settings.recover_age_max_seconds
                )
                if settled is not None:
                    record = await self._runs.find(answer.run or "", principal=answer.principal)
                    await self._go_on_after(settled, record)
            if len(found) < CHAT_UPKEEP_ITEMS_MAX:
                break
            after = found[-1].id
        for chat, principal in await store.queue.list_ready(items_max=CHAT_UPKEEP_ITEMS_MAX):
            await self._advance(chat, principal=principal, language="ru")
