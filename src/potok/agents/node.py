"""What the code of an agent says to readers, and asks of models.

A piece of work (a graph's node, a function) that a crash interrupted is run again from its start.
What it then says or asks a second time is taken from the log without a word: an answer that was
whole is returned, one that was open goes on where it stopped. So ask in the same order each time.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from potok.agents.contract import Turn
from potok.agents.naming import Naming
from potok.agents.said import fold_of
from potok.agents.session import Session, current_session
from potok.errors import AgentFailed, AgentStalled, PotokError
from potok.events.fold import Fold, Message
from potok.events.kinds import (
    JOURNAL,
    Data,
    Event,
    RunEnd,
    StageEnd,
    StageStart,
    Status,
    TextDelta,
    TextEnd,
    TextStart,
    ToolResult,
    Usage,
)
from potok.events.run_request import JsonObject
from potok.limits import AGENT_IDLE_SECONDS_MAX

__all__ = ["Branch", "Call", "Node", "Said", "branch", "current_node"]

_logger = logging.getLogger("potok.agents")

Texts = str | Mapping[str, str]
"""A text for people: as it is, or by language (`en`, `ru`)."""


class Call(msgspec.Struct, frozen=True):
    """A model's wish to call a tool; `arguments` is JSON text as the model wrote it.

    `id` is the one that readers see, where they see the call.
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a model answered."""

    text: str
    reasoning: str = ""
    calls: tuple[Call, ...] = ()
    finish_reason: str = "stop"


class Node:
    """The piece of work that a task does in a run, and its voice.

    Args:
        agent: Whose name readers see beside what is said; None for the run's one agent.
    """

    def __init__(self, session: Session, *, agent: str | None = None) -> None:
        self._session = session
        self._place = session.place(agent)
        self.agent = agent

    @property
    def run(self) -> str:
        """The run's id."""
        return self._session.turn.run

    @property
    def principal(self) -> str:
        """Who asked: the key of what belongs to people."""
        return self._session.turn.principal

    @property
    def language(self) -> str:
        """The language of the run's texts for people: `en`, `ru`."""
        return self._session.turn.request.language

    @property
    def input(self) -> Any:
        """What the run was asked."""
        return self._session.turn.request.input

    def text(self, texts: Texts) -> str:
        """Return a text in the run's language."""
        return self._session.text(texts)

    async def status(self, texts: Texts, *, code: str, **extra: Any) -> None:
        """Show people what is being done; `code` is for machines, `extra` any JSON beside it."""
        text = self.text(texts)
        journal = self._session.journal
        is_old = journal.has_begun(self._place.upcoming_call)
        if is_old or not journal.is_new_status(text, agent=self.agent):
            return
        await self._put(Status(text=text, code=code, agent=self.agent, extra=extra or None))

    async def data(self, name: str, data: Any) -> None:
        """Give readers named JSON; a later one of the same name takes its place."""
        if self._session.journal.is_new_data(name, data, agent=self.agent):
            await self._put(Data(name=name, data=data, agent=self.agent))

    @asynccontextmanager
    async def stage(
        self, stage: str, *, attempt: int = 1, text: Texts | None = None
    ) -> AsyncGenerator[None, None]:
        """Mark what is done inside as an attempt of a stage; one that raises has failed."""
        known = self._session.journal.take_stage(stage, attempt)
        if known is None:
            words = None if text is None else self.text(text)
            await self._put(StageStart(stage=stage, attempt=attempt, agent=self.agent, text=words))
        outcome: Literal["finished", "failed"] = "finished"
        try:
            yield
        except Exception:
            outcome = "failed"
            raise
        finally:
            # A run that is stopped from outside closes its stages itself.
            if known in (None, "open") and not _is_being_cancelled():
                end = StageEnd(stage=stage, outcome=outcome, attempt=attempt, agent=self.agent)
                await self._put(end)

    async def say(
        self,
        messages: Iterable[JsonObject],
        *,
        model: str | None = None,
        channel: Literal["answer", "code"] = "answer",
        stage: str | None = None,
        **parameters: Any,
    ) -> Said:
        """Let a model answer; readers see every token as it comes.

        Args:
            messages: OpenAI-shaped; `parameters` too (`temperature`, `tools`, ...).
            model: Another one than the run's.
            channel: `code` for text that is no prose.
            stage: Which stage the text is of, where readers are to know.

        Raises:
            PotokError: no model could answer, or not to the end; what readers saw stays.
        """
        call = self._place.next_call()
        naming = Naming(call, agent=self.agent, stage=stage, channel=channel)
        self._place.open.append(naming)
        said = self._session.journal.message_of(call)
        try:
            answer = await self._answer(call, said, messages, model, parameters, naming=naming)
        except PotokError:
            await self._put(*naming.cut())
            raise
        finally:
            # What a cancelled call leaves open, its branch or its run closes.
            if not _is_being_cancelled():
                self._place.open.remove(naming)
        return answer

    async def ask(
        self, messages: Iterable[JsonObject], *, model: str | None = None, **parameters: Any
    ) -> Said:
        """Let a model answer unseen: a plan, a choice, a form; see `say`."""
        call = self._place.next_call()
        known = self._session.journal.result_of(call)
        if known is not None:
            calls = tuple(Call(**one) for one in known.get("calls", ()))
            return Said(**{**known, "calls": calls})
        answer = await self._answer(call, None, messages, model, parameters, naming=None)
        # Logged, so that it is not paid for again; readers know to pass over it.
        await self._put(Data(name=f"{JOURNAL}{call}", data=msgspec.to_builtins(answer)))
        return answer

    async def write(
        self, text: str, *, channel: Literal["answer", "code"] = "answer", stage: str | None = None
    ) -> None:
        """Say a text that no model made."""
        call = self._place.next_call()
        known = self._session.journal.message_of(call)
        part = f"{call}/t"
        begun = known.parts[0] if known is not None else None
        events: list[Event] = []
        if begun is None:
            start = TextStart(part=part, channel=channel, agent=self.agent, stage=stage)
            events.append(start)
        rest = text[len(begun.text) if begun is not None else 0 :]
        if begun is None or begun.state == "open":
            events += [TextDelta(part=part, text=rest), TextEnd(part=part)] if rest else []
            if not rest:
                events.append(TextEnd(part=part))
        await self._put(*events)

    async def model_kind(self, model: str | None = None) -> str:
        """Return the name of the provider whose model would answer: `demo`, `openai`, ...

        Raises:
            ModelUnknown, PeerError: no model would.
        """
        request = self._session.request((), model=model, parameters={})
        agent = await self._session.models.resolve(request)
        return agent.name.partition("/")[0]

    def logged_result(self, call: str) -> ToolResult | None:
        """Return what the log holds of a tool's call since before this try; None for nothing."""
        part = self._session.journal.tool_part(call)
        if part is None or (part.result is None and part.error is None):
            return None
        return ToolResult(call=call, result=part.result, error=part.error)

    def is_old(self, call: str) -> bool:
        """Whether a tool's call was logged before this try."""
        part = self._session.journal.tool_part(call)
        return part is not None and part.state == "done"

    async def give(self, result: ToolResult) -> None:
        """Log what a tool gave."""
        await self._put(result)

    async def stored(self) -> None:
        """Wait until the log holds all that the run has said: before what cannot be undone."""
        await self._session.flushed()

    async def _answer(
        self,
        call: str,
        said: Message | None,
        messages: Iterable[JsonObject],
        model: str | None,
        parameters: Mapping[str, Any],
        *,
        naming: Naming | None,
    ) -> Said:
        session = self._session
        request = session.request(tuple(messages), model=model, parameters=parameters)
        agent = await session.models.resolve(request)
        turn = Turn(
            run=session.turn.run,
            request=request,
            # A call that was not begun is no second try of anything.
            attempt=1 if said is None else session.turn.attempt,
            said=said,
            principal=session.turn.principal,
        )
        fold = Fold() if said is None else fold_of(said)
        if naming is not None and said is not None:
            naming.recall(said)
        reason = "stop"
        async with aclosing(agent.run(turn)) as batches:
            async for events in batches:
                told: list[Event] = []
                for event in events:
                    kind = type(event)
                    if kind is RunEnd:
                        reason = event.finish_reason or reason  # type: ignore[union-attr]
                        continue
                    fold.feed(event)
                    if kind is Usage:
                        told.append(session.sum_usage(call, event))  # type: ignore[arg-type]
                    elif naming is not None:
                        told.append(naming.renamed(event))
                await self._put(*told)
        return _said(fold.message, reason, head="" if naming is None else f"{call}/")

    async def _put(self, *events: Event) -> None:
        self._place.stir()
        await self._session.put(*events)

    def _open_ends(self) -> list[Event]:
        # Of what a branch that was given up had begun to say.
        ends = [end for naming in self._place.open for end in naming.cut()]
        self._place.open.clear()
        return ends


@dataclass(slots=True, kw_only=True)
class Branch:
    """One of several agents that work at once; `error` says why it gave up, if it did."""

    node: Node
    error: PotokError | None = None


@asynccontextmanager
async def branch(
    agent: str, *, idle_seconds: float = AGENT_IDLE_SECONDS_MAX
) -> AsyncGenerator[Branch, None]:
    """Let an agent fail alone: what is raised inside ends in `error`, and readers are told.

    They see a status with the agent's name and the error's code; what was said before stays. An
    agent that gives nothing for `idle_seconds` is stopped (`AgentStalled`). A run that is
    cancelled ends as ever.
    """
    node = current_node(agent)
    mine = Branch(node=node)
    try:
        async with asyncio.timeout(idle_seconds) as timeout:
            node._place.timeouts.append((timeout, idle_seconds))
            try:
                yield mine
            finally:
                node._place.timeouts.remove((timeout, idle_seconds))
    except TimeoutError:
        mine.error = AgentStalled(agent, seconds=idle_seconds)
    except PotokError as error:
        mine.error = error
    except Exception as error:
        _logger.error("run %s: agent %s failed: %s", node.run, agent, type(error).__name__)
        _logger.debug("run %s", node.run, exc_info=error)
        mine.error = AgentFailed(agent)
    if mine.error is not None:
        failure = Status(text=mine.error.message, code=mine.error.code, agent=agent)
        await node._put(*node._open_ends(), failure)


def current_node(agent: str | None = None) -> Node:
    """Return the voice of the code that calls, in a run that `potok` makes.

    Raises:
        RuntimeError: no run of an agent calls this code.
    """
    return Node(current_session(), agent=agent)


def _said(message: Message, reason: str, *, head: str) -> Said:
    calls = tuple(
        Call(id=head + part.id, name=part.name or "", arguments=part.text)
        for part in message.parts
        if part.type == "tool" and part.state == "done"
    )
    return Said(text=message.text, reasoning=message.reasoning, calls=calls, finish_reason=reason)


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
