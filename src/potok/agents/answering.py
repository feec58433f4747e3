"""Makes one answer, with as many sources as it takes: obeys `protocol.continuation`."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from potok.agents.asking import chat_request, tokens_left
from potok.agents.begun import whole_of
from potok.agents.contract import Turn
from potok.agents.faults import kind_of
from potok.agents.said import fold_of, is_one_voice, parts_of, state_of
from potok.agents.shaping import Shaping, is_kept_to
from potok.agents.sources import Candidate
from potok.agents.stitching import Spent, Stitch
from potok.clock import Clock
from potok.errors import PeerError, PotokError, UpstreamBusy, UpstreamMalformed
from potok.events.fold import Fold, Message
from potok.events.json_schema import wish_of
from potok.events.kinds import (
    Event,
    PartDiscard,
    ReasoningEnd,
    RunEnd,
    SourceChange,
    TextEnd,
    Usage,
)
from potok.models.contract import ChatRequest
from potok.protocol.continuation import (
    Ask,
    Budget,
    Fault,
    Finish,
    GiveUp,
    How,
    Policy,
    Situation,
    decide,
)
from potok.protocol.overlap import Join

__all__ = ["Answering", "Sleep"]

_logger = logging.getLogger("potok.agents")

Sleep = Callable[[float], Awaitable[None]]

_OTHERS = -1


class Answering:
    """One answer under way: its sources, its text so far, its budget.

    Args:
        sources: The model that was asked for first, then those that stand in, in their order.
        can_retract: Whether readers of the starting face can be told that text is taken back.
        fraction: Gives a random number, 0 <= x < 1, for jitter.
    """

    def __init__(
        self,
        turn: Turn,
        sources: Sequence[Candidate],
        *,
        policy: Policy,
        budget: Budget,
        can_retract: bool,
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
        fraction: Callable[[], float],
    ) -> None:
        self._turn = turn
        self._sources = sources
        self._policy = policy
        self._budget = budget
        self._can_retract = can_retract
        self._clock = clock
        self._sleep = sleep
        self._fraction = fraction
        said, begun = turn.said, turn.request.begun
        # A person asked to go on with an older answer, and nobody was called for it yet.
        self._is_reopened = begun is not None and said is None
        if begun is not None:
            said = whole_of(begun, said)
        self._fold = Fold() if said is None else fold_of(said)
        self._is_resumed = said is not None
        # Whether names of parts may have been used: then those of a further source are changed.
        self._has_names = said is not None and bool(said.parts or said.sources)
        # Names of calls that were used; None where some may have been taken back before a crash.
        has_forgotten = said is not None and bool(said.sources)
        self._calls_seen: set[str] | None = None if has_forgotten else set()
        self._how: How = "restart"
        # Counts the sources of the whole run, those before a crash too.
        self._ordinal = 1 if turn.said is None else len(turn.said.sources) + 2
        self._calls = self._ordinal - 1
        self._current = 0
        # Who said what stands; `_OTHERS` where it is no source's own text any more.
        self._speakers: set[int] = set()
        self._spent = Spent()
        self._faulted_at: float | None = None
        # Pieces that were taken back, which the request's own limit does not count.
        self._forgotten = 0
        self._pieces_before_call = 0
        self._calls_before_call = 0
        self._wish = wish_of(turn.request.parameters)
        # The call under way, where what it says is held back.
        self._shaping: Shaping | None = None

    async def first_step(self) -> Ask | Finish | GiveUp:
        """Return the first call to make; after a crash, the way to go on."""
        if not self._is_resumed:
            if self._turn.attempt > 1 and self._policy == "fail":
                # Its upstream may have been asked before the server stopped, and be paid.
                return GiveUp("It must not be asked for a second time.")
            return Ask(source=0, how="restart")
        said = self._fold.message
        voices = [change.model for change in said.sources if change.model is not None]
        await (self._find_all() if voices else self._sources[0].find())
        if voices:
            names = [source.full_name for source in self._sources]
            self._current = names.index(voices[-1]) if voices[-1] in names else 0
        self._speakers = {self._current}
        begun = self._turn.request.begun
        if not is_one_voice(said) or (begun is not None and not self._sources[0].is_named(begun)):
            self._speakers.add(_OTHERS)
        # Who asks for more has answered what a policy is about.
        policy = "continue" if self._is_reopened else self._policy
        return self._decide("worker_lost", gained=True, policy=policy)

    async def batches(self) -> AsyncGenerator[list[Event], None]:
        """Yield the answer to its end.

        Raises:
            PeerError, UpstreamBusy: the last fault, once the rules give up.
        """
        step = await self.first_step()
        if isinstance(step, GiveUp):
            raise PeerError(f"The answer cannot go on after the server stopped. {step.why}".strip())
        fault: PotokError | None = None
        if not self._is_resumed and self._sources[0].model is None:
            fault = self._sources[0].failed_with
            assert fault is not None, "a source that was looked for is found or failed"
            step = await self._next_step(fault)
        elif self._is_resumed:
            self._count_earlier(step)
        while isinstance(step, Ask):
            prepared = self._prepare(step, fault)
            if prepared:
                yield prepared
            try:
                async with aclosing(self._call(step)) as batches:
                    async for events in batches:
                        yield events
                return
            except (PeerError, UpstreamBusy) as error:
                fault = error
            step = await self._next_step(fault)
        yield self._end()

    async def _call(self, step: Ask) -> AsyncGenerator[list[Event], None]:
        source = self._sources[step.source]
        assert source.model is not None, "the rules ask only sources that were found"
        capabilities = source.capabilities
        said = self._fold.message
        tokens = self._text_pieces()
        is_going_on = step.how in ("prefill", "prompt")
        left = tokens_left(self._turn.request, tokens=tokens, capabilities=capabilities)
        if is_going_on and left == 0:
            yield self._end(finish_reason="length")
            return
        stitch = self._stitch(step)
        self._begin_call(step, source)
        request = chat_request(
            self._turn.request,
            model=source.model.info.name,
            capabilities=capabilities,
            how=step.how,
            said=said,
            tokens=tokens,
            principal=self._turn.principal,
        )
        async with aclosing(self._stream(source, request)) as batches:
            async for events in batches:
                fitted = events if stitch is None else stitch.take(events)
                if fitted:
                    yield self._taken(fitted)

    def _stream(self, source: Candidate, request: ChatRequest) -> AsyncGenerator[list[Event], None]:
        assert source.model is not None, "the rules ask only sources that were found"
        wish, capabilities = self._wish, source.capabilities
        self._shaping = None
        if wish is None or is_kept_to(wish, capabilities):
            return source.model.stream(request)

        def count() -> None:
            self._calls += 1
            source.calls += 1

        self._shaping = Shaping(source.model, wish, capabilities=capabilities, on_repair=count)
        return self._shaping.stream(request)

    def _begin_call(self, step: Ask, source: Candidate) -> None:
        message = self._fold.message
        self._current = step.source
        self._pieces_before_call = message.tokens
        self._calls_before_call = _count_calls(message)
        self._calls += 1
        source.calls += 1

    def _taken(self, events: list[Event]) -> list[Event]:
        fold = self._fold
        for place, event in enumerate(events):
            if type(event) is Usage:
                events[place] = event = self._spent.sum_with(event)
            fold.feed(event)
        return events

    async def _next_step(self, fault: PotokError) -> Ask | Finish:
        """Return the next step, when its time has come; raises `fault` if there is none."""
        now = self._clock.monotonic()
        if self._faulted_at is None:
            self._faulted_at = now
        source, message = self._sources[self._current], self._fold.message
        pieces = message.tokens - self._pieces_before_call
        has_called = _count_calls(message) > self._calls_before_call
        hidden = None if self._shaping is None else self._shaping.held
        is_hidden = hidden is not None and hidden.has_said
        if hidden is not None:
            pieces += hidden.tokens
        gained = source.calls > 0 and (pieces > 0 or has_called or is_hidden)
        if gained:
            self._speakers.add(self._current)
            self._spent.add_pieces(pieces)
        self._has_names = self._has_names or bool(message.parts)
        kind = kind_of(fault, was_begun=self._how == "prefill" and not gained)
        if self._how == "replay" and isinstance(fault, UpstreamMalformed):
            # It is not its answer, and a pure source will say so as often as it is asked.
            kind = "refused"
        if kind == "refused":
            source.refused = True
        elif kind == "prefill_refused":
            source.refuses_prefill = True
        if self._policy != "fail":
            await self._find_all()
        step = self._decide(
            kind, gained=gained, seconds=now - self._faulted_at, is_hidden=is_hidden
        )
        if is_hidden and isinstance(step, Ask):
            # Nobody has seen what is taken back.
            step = replace(step, take_back="nothing")
        if isinstance(step, GiveUp):
            if step.why:
                fault.message = f"{fault.message} {step.why}"
                fault.args = (fault.message,)
            raise fault
        if isinstance(step, Ask) and step.wait_seconds:
            await self._sleep(step.wait_seconds * (0.5 + 0.5 * self._fraction()))
        return step

    def _decide(
        self,
        fault: Fault,
        *,
        gained: bool,
        seconds: float = 0.0,
        policy: Policy | None = None,
        is_hidden: bool = False,
    ) -> Ask | Finish | GiveUp:
        said, has_words = state_of(self._fold.message, self._turn.request)
        if is_hidden and said in ("nothing", "thinking"):
            said = "part_of_whole"
        return decide(
            Situation(
                policy=policy or self._policy,
                budget=self._budget,
                fault=fault,
                said=said,
                has_words_before=has_words,
                sources=[
                    source.as_source(spoke_alone=(self._speakers or {self._current}) == {place})
                    for place, source in enumerate(self._sources)
                ],
                current=self._current,
                gained=gained,
                calls=self._calls,
                seconds=seconds,
                can_retract=self._can_retract or is_hidden,
            )
        )

    async def _find_all(self) -> None:
        for source in self._sources:
            await source.find()

    def _prepare(self, step: Ask, fault: PotokError | None) -> list[Event]:
        """Return what readers are told before a call; nothing before an answer's first one."""
        self._how = step.how
        told: list[Event] = []
        reason = "worker_lost" if fault is None else fault.code
        is_reopened, self._is_reopened = self._is_reopened and fault is None, False
        if is_reopened:
            reason = "continued"
        if is_reopened or fault is not None or step.source != self._current:
            self._ordinal += not is_reopened
            name = self._sources[step.source].full_name
            told.append(
                SourceChange(reason=reason, attempt=self._ordinal, how=step.how, model=name)
            )
            _logger.info("run %s: %s; %s goes on by %s", self._turn.run, reason, name, step.how)
        if step.how == "replay":
            return self._taken(told)
        open_parts = [part for part in parts_of(self._fold.message) if part.state == "open"]
        takes_all = step.take_back == "all"
        told.extend(
            ReasoningEnd(part=part.id, cut=True)
            for part in open_parts
            if part.type == "reasoning" and not takes_all
        )
        calls = {part.id for part in parts_of(self._fold.message) if part.type == "tool"}
        if self._calls_seen is not None:
            self._calls_seen |= calls
        if step.take_back != "nothing":
            told.extend(
                PartDiscard(part=part.id, reason=reason)
                for part in parts_of(self._fold.message)
                if takes_all or part.type == "tool"
            )
        taken = self._taken(told)
        if takes_all:
            self._forgotten = self._fold.message.tokens
            self._speakers.clear()
        if self._has_names:
            # Its parts get names that it would not give again.
            self._speakers.add(_OTHERS)
        return taken

    def _stitch(self, step: Ask) -> Stitch | None:
        if step.how == "replay" or not self._has_names:
            return None
        message = self._fold.message
        texts = [part for part in parts_of(message) if part.type == "text"]
        target = texts[-1].id if texts and texts[-1].state == "open" else None
        join = None
        if step.how in ("prefill", "prompt"):
            join = Join(message.text, repeats="whole" if step.how == "prefill" else "any")
        return Stitch(
            ordinal=self._ordinal,
            taken=self._calls_seen,
            open_text=target,
            join=join,
        )

    def _text_pieces(self) -> int:
        # Pieces of thinking are not told apart from those of text: by their share of characters.
        message = self._fold.message
        words, thoughts = len(message.text), len(message.reasoning)
        pieces = message.tokens - self._forgotten
        return round(pieces * words / (words + thoughts)) if words else 0

    def _count_earlier(self, step: Ask | Finish) -> None:
        # What the calls before a crash used was lost with them; a pure source counts anew.
        if not isinstance(step, Ask) or step.how == "replay":
            return
        said = self._turn.said
        if said is not None and said.usage is not None:
            # But for those that had told it: the answer was being mended.
            self._spent.sum_with(said.usage)
        else:
            self._spent.add_pieces(self._fold.message.tokens)

    def _end(self, *, finish_reason: str | None = None) -> list[Event]:
        parts = parts_of(self._fold.message)
        is_call = bool(parts) and parts[-1].type == "tool"
        reason = finish_reason or ("tool_calls" if is_call else "stop")
        ends: list[Event] = [
            TextEnd(part=part.id) for part in parts if part.type == "text" and part.state == "open"
        ]
        return [*ends, RunEnd(outcome="finished", finish_reason=reason)]


def _count_calls(message: Message) -> int:
    return sum(part.type == "tool" for part in message.parts)
