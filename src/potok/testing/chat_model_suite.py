"""The suite that every chat model passes. Subclass it in a test module, name the class `Test...`.

    pytest.register_assert_rewrite("potok.testing")

    class TestMyModel(ChatModelSuite):
        @pytest.fixture
        def model(self) -> ChatModel:
            return MyProvider(...).model("mine")

Needs pytest-asyncio, in either mode; `model` may be an asynchronous fixture. A model of a foreign
upstream is tested against a fake of it, which must give an answer of some words.
"""

import asyncio
from collections.abc import Iterator, Sequence
from typing import ClassVar

import msgspec
import pytest

from potok.events.fold import Fold, Message
from potok.events.grammar import GrammarChecker
from potok.events.kinds import (
    GRAMMAR_VERSION,
    Event,
    ReasoningDelta,
    ReasoningStart,
    RunEnd,
    RunStart,
    TextDelta,
    TextStart,
    ToolStart,
)
from potok.models.contract import ChatModel, ChatRequest

__all__ = ["ChatModelSuite", "ask", "cuts_of", "fold_of"]

_RUN = RunStart(run="01chat0model0suite0run0000", version=GRAMMAR_VERSION, model="asked")
# A model that ends at once needs none of it; one that does not must fail the test, not hang it.
_AT_ONCE_SECONDS = 2.0


async def ask(model: ChatModel, request: ChatRequest) -> list[list[Event]]:
    """Return all batches of an answer."""
    return [batch async for batch in model.stream(request)]


def fold_of(events: Sequence[Event]) -> Message:
    """Return the message that a run's events fold to, given without their `run-start`."""
    fold = Fold()
    for event in (_RUN, *events):
        fold.feed(event)
    return fold.message


def cuts_of(events: Sequence[Event]) -> Iterator[list[Event]]:
    """Yield every beginning of an answer without its `run-end`, also those that end inside a delta.

    A delta that was cut has been counted as all its tokens: its rest must count as none.
    """
    for at, event in enumerate(events):
        yield list(events[:at])
        if isinstance(event, TextDelta | ReasoningDelta):
            for length in range(1, len(event.text)):
                shorter = msgspec.structs.replace(event, text=event.text[:length])
                yield [*events[:at], shorter]


@pytest.mark.asyncio
class ChatModelSuite:
    """What any `ChatModel` promises. Subclasses give the fixture `model`, and other `requests`."""

    requests: ClassVar[tuple[ChatRequest, ...]] = (
        ChatRequest(model="any", messages=({"role": "user", "content": "Hello!"},)),
    )

    @pytest.fixture
    def model(self) -> ChatModel:
        """Return the model under test; it answers as fast as it can."""
        raise NotImplementedError

    async def test_its_events_obey_the_grammar(self, model: ChatModel) -> None:
        for request in self.requests:
            checker = GrammarChecker()
            checker.admit(_RUN)

            for batch in await ask(model, request):
                for event in batch:
                    checker.admit(event)

            assert checker.open_parts == ()

    async def test_an_answer_ends_with_one_finished_run_end(self, model: ChatModel) -> None:
        for request in self.requests:
            events = [event for batch in await ask(model, request) for event in batch]

            ends = [event for event in events if isinstance(event, RunEnd)]

            assert ends == events[-1:]
            assert ends[0].outcome == "finished"
            assert ends[0].finish_reason

    async def test_no_batch_is_empty(self, model: ChatModel) -> None:
        for request in self.requests:
            assert all(await ask(model, request))

    async def test_the_same_request_gives_the_same_part_ids(self, model: ChatModel) -> None:
        for request in self.requests:
            first, second = await ask(model, request), await ask(model, request)

            assert _names(first) == _names(second)

    async def test_an_answer_that_is_put_down_early_ends_at_once(self, model: ChatModel) -> None:
        for request in self.requests:
            stream = model.stream(request)
            await anext(stream)

            async with asyncio.timeout(_AT_ONCE_SECONDS):
                await stream.aclose()

            with pytest.raises(StopAsyncIteration):
                await anext(stream)

    async def test_a_cancelled_reader_lets_go_of_its_answer_at_once(self, model: ChatModel) -> None:
        for request in self.requests:
            has_begun = asyncio.Event()
            reader = asyncio.create_task(_read_slowly(model, request, has_begun))
            async with asyncio.timeout(_AT_ONCE_SECONDS):
                await has_begun.wait()

                reader.cancel()
                await asyncio.wait([reader])

            assert reader.cancelled()

    async def test_an_answer_after_one_that_was_put_down_is_whole(self, model: ChatModel) -> None:
        for request in self.requests:
            stream = model.stream(request)
            await anext(stream)
            await stream.aclose()

            events = [event for batch in await ask(model, request) for event in batch]

            assert fold_of(events).outcome == "finished"

    async def test_two_answers_at_once_do_not_disturb_each_other(self, model: ChatModel) -> None:
        for request in self.requests:
            alone = [event for batch in await ask(model, request) for event in batch]

            both = await asyncio.gather(ask(model, request), ask(model, request))

            for batches in both:
                events = [event for batch in batches for event in batch]
                assert fold_of(events).text == fold_of(alone).text

    async def test_a_replaying_model_goes_on_exactly_after_every_cut(
        self, model: ChatModel
    ) -> None:
        if model.capabilities.continues != "replay":
            pytest.skip("this model does not say that it replays")
        for request in self.requests:
            events = [event for batch in await ask(model, request) for event in batch]
            whole = fold_of(events)
            for begun in cuts_of(events):
                again = msgspec.structs.replace(request, said=fold_of(begun))

                rest = [event for batch in await ask(model, again) for event in batch]

                assert fold_of(begun + rest) == whole, f"cut after {begun[-1:]}"


def _names(batches: list[list[Event]]) -> list[str]:
    """Return the ids of parts and calls in the order of their start."""
    return [
        event.call if isinstance(event, ToolStart) else event.part
        for batch in batches
        for event in batch
        if isinstance(event, TextStart | ReasoningStart | ToolStart)
    ]


async def _read_slowly(model: ChatModel, request: ChatRequest, has_begun: asyncio.Event) -> None:
    stream = model.stream(request)
    try:
        await anext(stream)
        has_begun.set()
        await asyncio.Event().wait()
    finally:
        await stream.aclose()
