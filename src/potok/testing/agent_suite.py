"""The suite that every agent passes. Subclass it in a test module, name the class `Test...`.

    pytest.register_assert_rewrite("potok.testing")

    class TestMyAgent(AgentSuite):
        @pytest.fixture
        def agent(self) -> Agent:
            return MyAgent(...)

Needs pytest-asyncio, in either mode; `agent` may be an asynchronous fixture. Give it models that
answer as fast as they can.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import ClassVar

import msgspec
import pytest

from potok.agents.contract import Agent, Turn
from potok.clock import RunId
from potok.errors import PotokError
from potok.events.closing import closing_events
from potok.events.grammar import GrammarChecker
from potok.events.kinds import GRAMMAR_VERSION, Event, RunEnd, RunStart
from potok.events.run_request import RunRequest
from potok.protocol.production import Production
from potok.testing.chat_model_suite import fold_of

__all__ = ["AgentSuite"]

_RUN = RunId("01agent0suite0run000000000")
_START = RunStart(run=_RUN, version=GRAMMAR_VERSION, model="asked")
# An agent that lets go at once needs none of it; one that does not must fail, not hang.
_AT_ONCE_SECONDS = 2.0


async def _events_of(agent: Agent, turn: Turn) -> list[Event]:
    return [event async for batch in agent.run(turn) for event in batch]


def _without_end(events: Sequence[Event]) -> list[Event]:
    return [event for event in events if not isinstance(event, RunEnd)]


@pytest.mark.asyncio
class AgentSuite:
    """What any `Agent` promises. Subclasses give the fixture `agent`, and other `requests`."""

    requests: ClassVar[tuple[RunRequest, ...]] = (
        RunRequest(model="any", messages=({"role": "user", "content": "Hello!"},)),
    )

    @pytest.fixture
    def agent(self) -> Agent:
        """Return the agent under test."""
        raise NotImplementedError

    @pytest.fixture
    def turns(self) -> tuple[Turn, ...]:
        """Return first turns, one for each of `requests`."""
        return tuple(Turn(run=_RUN, request=request) for request in self.requests)

    async def test_it_has_a_name(self, agent: Agent) -> None:
        assert agent.name

    async def test_its_events_keep_to_the_grammar_and_it_says_something(
        self, agent: Agent, turns: tuple[Turn, ...]
    ) -> None:
        for turn in turns:
            checker = GrammarChecker()
            checker.admit(_START)
            events = await _events_of(agent, turn)
            for event in _without_end(events):
                checker.admit(event)
            for event in closing_events(checker, outcome="finished"):
                checker.admit(event)
            assert _without_end(events)

    async def test_its_end_comes_once_and_last(self, agent: Agent, turns: tuple[Turn, ...]) -> None:
        for turn in turns:
            events = await _events_of(agent, turn)
            ends = [place for place, event in enumerate(events) if isinstance(event, RunEnd)]
            assert ends in ([], [len(events) - 1])

    async def test_no_batch_is_empty(self, agent: Agent, turns: tuple[Turn, ...]) -> None:
        for turn in turns:
            assert all([batch async for batch in agent.run(turn)])

    async def test_closing_it_early_lets_go_at_once(
        self, agent: Agent, turns: tuple[Turn, ...]
    ) -> None:
        for turn in turns:
            batches = agent.run(turn)
            await anext(batches)
            async with asyncio.timeout(_AT_ONCE_SECONDS):
                await batches.aclose()

    async def test_cancelling_it_lets_go_at_once(
        self, agent: Agent, turns: tuple[Turn, ...]
    ) -> None:
        for turn in turns:
            task = asyncio.create_task(_events_of(agent, turn))
            await asyncio.sleep(0)
            task.cancel()
            async with asyncio.timeout(_AT_ONCE_SECONDS):
                await asyncio.wait([task])
            assert task.done()

    async def test_one_that_goes_on_exactly_adds_just_what_was_missing(
        self, agent: Agent, turns: tuple[Turn, ...]
    ) -> None:
        for turn in turns:
            whole = _without_end(await _events_of(agent, turn))
            for cut in range(1, len(whole)):
                production = Production()
                production.begin(_START)
                production.admit(whole[:cut])
                said = msgspec.structs.replace(turn, attempt=2, said=fold_of(whole[:cut]))
                if await agent.can_continue(said) != "replay":
                    continue
                rest = _without_end(await _events_of(agent, said))
                assert fold_of([*whole[:cut], *rest]).text == fold_of(whole).text

    async def test_its_errors_are_errors_of_potok(
        self, agent: Agent, turns: tuple[Turn, ...]
    ) -> None:
        for turn in turns:
            garbage = msgspec.structs.replace(
                turn, request=RunRequest(model="any", messages=({"role": "user"},))
            )
            # Whatever else it raises fails this test: nobody could tell people what to do.
            with contextlib.suppress(PotokError):
                await _events_of(agent, garbage)
