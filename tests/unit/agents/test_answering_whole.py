"""Whatever breaks, and however often: the text of an answer that can go on is the uncut one."""

import asyncio
from collections.abc import AsyncGenerator

from hypothesis import given
from hypothesis import strategies as st

from potok.agents.answering import Answering
from potok.agents.contract import Turn
from potok.agents.sources import Candidate
from potok.clock import RunId
from potok.errors import PeerError, UpstreamLost, UpstreamRefused, UpstreamStalled
from potok.events.fold import Fold, Message
from potok.events.kinds import Event, RunEnd, RunStart, TextDelta, TextEnd, TextStart
from potok.events.run_request import RunRequest
from potok.limits import OVERLAP_CHARACTERS_MIN
from potok.models.contract import Capabilities, ChatModel, ChatRequest, ModelInfo
from potok.protocol.continuation import Budget
from potok.protocol.production import Production
from potok.testing.fakes import FakeClock

WHOLE = "\n".join(f"{number}. Слово№{number}а, then word{number}b — и ещё." for number in range(12))
FAULTS = (UpstreamLost("x"), UpstreamStalled("x"), UpstreamRefused("x", status=503))


class KnowingModel:
    """Says one text, from where the request's last answer stops; breaks where it is told to.

    `repeats` says how much of the end it says again: nothing, some characters, or all.
    """

    def __init__(self, plan: list[tuple[int, int]], *, repeats: int, prefill: bool) -> None:
        self.info = ModelInfo(name="knowing", provider="test")
        self.capabilities = Capabilities(continues="prefill" if prefill else "prompt")
        self._plan = plan
        self._repeats = repeats

    async def stream(self, request: ChatRequest) -> AsyncGenerator[list[Event], None]:
        begun = [m["content"] for m in request.messages if m["role"] == "assistant"]
        place = len(begun[-1]) if begun else 0
        is_prefill = bool(begun) and request.messages[-1]["role"] == "assistant"
        rest = WHOLE[place if is_prefill else self._start(place) :]
        size, fault_at = self._plan.pop(0) if self._plan else (7, -1)
        yield [TextStart(part="text-1")]
        for number, at in enumerate(range(0, len(rest), size)):
            if number == fault_at:
                raise FAULTS[size % len(FAULTS)]
            yield [TextDelta(part="text-1", text=rest[at : at + size])]
        yield [TextEnd(part="text-1"), RunEnd(outcome="finished", finish_reason="stop")]

    def _start(self, place: int) -> int:
        start = max(0, place - self._repeats)
        # Nobody begins an answer with a blank, or says less than a few words again.
        while start and (
            not WHOLE[start : start + 1].strip()
            or len(WHOLE[start:place].strip()) < OVERLAP_CHARACTERS_MIN
        ):
            start -= 1
        return start if self._repeats else place


class NoCatalogue:
    async def resolve(self, name: str | None) -> ChatModel:
        raise AssertionError("the model is found")


async def no_wait(seconds: float) -> None:
    return None


async def answer(model: KnowingModel, *, crashes: list[int]) -> Message:
    """Make an answer; its worker dies after so many batches, again and again."""
    production, fold = Production(), Fold()
    start = RunStart(run="r", version=1)
    production.begin(start)
    fold.feed(start)
    said: Message | None = None
    while True:
        answering = Answering(
            Turn(run=RunId("r"), request=RunRequest(model="test/knowing"), said=said),
            [Candidate(name="test/knowing", models=NoCatalogue(), model=model)],
            policy="continue",
            budget=Budget(calls_max=50),
            can_retract=False,
            clock=FakeClock(),
            sleep=no_wait,
            fraction=lambda: 0.5,
        )
        batches_left = crashes.pop(0) if crashes else -1
        is_dead = False
        async for events in answering.batches():
            ending = production.admit(events)
            for event in events:
                fold.feed(event)
            batches_left -= 1
            if ending is None and batches_left == 0:
                is_dead = True
                break
        if not is_dead:
            return fold.message
        said = fold.message


@given(
    plan=st.lists(st.tuples(st.integers(4, 40), st.integers(1, 20)), max_size=6),
    repeats=st.sampled_from([0, 12, 60, 10_000]),
    prefill=st.booleans(),
    crashes=st.lists(st.integers(1, 12), max_size=3),
)
def test_a_text_that_can_go_on_is_whole_whatever_breaks(
    plan: list[tuple[int, int]], repeats: int, prefill: bool, crashes: list[int]
) -> None:
    model = KnowingModel(list(plan), repeats=repeats, prefill=prefill)

    try:
        message = asyncio.run(answer(model, crashes=list(crashes)))
    except PeerError:
        # Its first call broke before its first token, which is the adapter's to try again.
        assert any(fault_at == 0 for _, fault_at in plan)
        return

    assert message.text == WHOLE
    assert (message.outcome, message.parts[0].state) == ("finished", "done")
