"""The demo provider: names, pace, and its end."""

import asyncio
import subprocess
import sys

import pytest

from potok.errors import UpstreamLost, UpstreamMalformed, UpstreamRefused
from potok.events.fold import Message, Part
from potok.events.kinds import Event, ReasoningDelta, TextDelta
from potok.limits import DEMO_BATCH_PIECES_MAX, DEMO_CLOSE_CHECK_SECONDS, DEMO_TICK_SECONDS
from potok.models.contract import ModelInfo
from potok.models.demo import DemoModel, DemoProvider, model
from potok.testing.chat_model_suite import ask, fold_of
from potok.testing.fakes import FakeClock
from tests.unit.models.demo.asking import answer, request_of

REAL_SLEEP = asyncio.sleep
COUNT = request_of("count to 100")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def slept(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Sleeps move the clock instead of waiting; what was slept is noted."""
    sleeps: list[float] = []

    async def sleep(seconds: float) -> None:
        sleeps.append(seconds)
        clock.advance(seconds)
        await REAL_SLEEP(0)

    monkeypatch.setattr(model, "sleep", sleep)
    return sleeps


def pieces_of(batch: list[Event]) -> int:
    return sum(isinstance(event, TextDelta | ReasoningDelta) for event in batch)


async def timed(asked: DemoModel, clock: FakeClock) -> list[tuple[float, int]]:
    """Return when each batch came, in seconds from the call, and its pieces."""
    started = clock.monotonic()
    return [(clock.monotonic() - started, pieces_of(batch)) async for batch in asked.stream(COUNT)]


async def test_it_lists_one_model(clock: FakeClock) -> None:
    provider = DemoProvider(clock)

    assert provider.name == "demo"
    assert await provider.list_models() == (ModelInfo(name="demo", provider="demo"),)
    assert provider.model("demo").info.full_name == "demo/demo"


def test_it_replays_and_thinks(clock: FakeClock) -> None:
    capabilities = DemoProvider(clock).model("demo").capabilities

    assert (capabilities.continues, capabilities.reasoning) == ("replay", True)
    assert capabilities.tools
    assert capabilities.json_schema


async def test_another_name_is_refused_when_it_is_asked(clock: FakeClock) -> None:
    with pytest.raises(UpstreamRefused, match="has one model") as caught:
        await ask(DemoProvider(clock).model("gpt-5"), COUNT)

    assert caught.value.status == 404


async def test_the_first_piece_comes_at_once(clock: FakeClock, slept: list[float]) -> None:
    batches = await timed(DemoProvider(clock, tokens_per_second=1).model("demo"), clock)

    assert batches[0] == (0.0, 1)


async def test_pieces_keep_their_pace_without_drift(clock: FakeClock, slept: list[float]) -> None:
    batches = await timed(DemoProvider(clock, tokens_per_second=40).model("demo"), clock)

    for number, (at, pieces) in enumerate(batches):
        assert pieces == 1
        assert number / 40 <= at + 1e-6
        assert at <= (number + 0.5) / 40 + DEMO_TICK_SECONDS


async def test_the_pace_is_uneven_and_always_the_same(clock: FakeClock, slept: list[float]) -> None:
    demo = DemoProvider(clock, tokens_per_second=40).model("demo")

    await ask(demo, COUNT)
    first = list(slept)
    slept.clear()
    await ask(demo, COUNT)

    assert len({round(seconds, 4) for seconds in first}) > 20
    assert slept == pytest.approx(first, abs=1e-6)


async def test_at_a_high_rate_pieces_come_together(clock: FakeClock, slept: list[float]) -> None:
    batches = await timed(DemoProvider(clock, tokens_per_second=5_000).model("demo"), clock)

    assert max(pieces for _, pieces in batches) > 10
    assert min(seconds for seconds in slept if seconds) >= DEMO_TICK_SECONDS
    assert batches[-1][0] == pytest.approx(200 / 5_000, abs=2 * DEMO_TICK_SECONDS)


async def test_a_reader_that_was_slow_gets_what_is_due_in_bounded_batches(
    clock: FakeClock, slept: list[float]
) -> None:
    stream = DemoProvider(clock, tokens_per_second=40).model("demo").stream(COUNT)
    await anext(stream)

    clock.advance(1_000)
    batches = [pieces_of(batch) async for batch in stream]

    assert sum(slept) == 0
    assert sum(batches) == 199
    assert max(batches) <= DEMO_BATCH_PIECES_MAX


async def test_without_a_rate_nothing_is_waited_for(clock: FakeClock, slept: list[float]) -> None:
    batches = await timed(DemoProvider(clock, tokens_per_second=0).model("demo"), clock)

    assert set(slept) == {0}
    assert all(0 < pieces <= DEMO_BATCH_PIECES_MAX for _, pieces in batches)


async def test_others_run_between_batches(clock: FakeClock) -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await REAL_SLEEP(0)

    beside = asyncio.create_task(other())
    batches = await ask(DemoProvider(clock, tokens_per_second=0).model("demo"), COUNT)
    beside.cancel()

    assert turns >= len(batches) - 1 > 2


async def test_a_clock_that_stands_still_cannot_hold_an_answer(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_time(seconds: float) -> None:
        await REAL_SLEEP(0)

    monkeypatch.setattr(model, "sleep", no_time)

    batches = await ask(DemoProvider(clock, tokens_per_second=40).model("demo"), COUNT)

    assert fold_of([event for batch in batches for event in batch]).text == answer("count to 100")


async def test_it_goes_on_in_the_open_part(clock: FakeClock, slept: list[float]) -> None:
    said = Message(parts=[Part(type="text", id="text-1", text="1, 2, 3")], tokens=5)
    again = request_of("count to 5")
    asked = type(again)(model="demo", messages=again.messages, said=said)

    batches = await ask(DemoProvider(clock).model("demo"), asked)

    assert batches[0] == [TextDelta(part="text-1", text=",")]


async def test_a_foreign_beginning_is_refused(clock: FakeClock) -> None:
    said = Message(parts=[Part(type="text", id="text-1", text="One")])
    asked = type(COUNT)(model="demo", messages=COUNT.messages, said=said)

    with pytest.raises(UpstreamMalformed):
        await ask(DemoProvider(clock).model("demo"), asked)


@pytest.mark.parametrize("rate", [0, 0.1, 40])
async def test_a_closed_provider_ends_the_answers_under_way(
    rate: float, clock: FakeClock, slept: list[float]
) -> None:
    provider = DemoProvider(clock, tokens_per_second=rate)

    stream = provider.model("demo").stream(COUNT)
    await anext(stream)

    await provider.close()

    with pytest.raises(UpstreamLost):
        await anext(stream)
    assert max(slept) <= DEMO_CLOSE_CHECK_SECONDS


async def test_a_closed_provider_answers_no_more(clock: FakeClock) -> None:
    provider = DemoProvider(clock)
    await provider.close()

    with pytest.raises(UpstreamLost):
        await ask(provider.model("demo"), COUNT)


def test_importing_it_loads_no_rules() -> None:
    script = (
        "import sys, potok.models.demo;"
        "print([name for name in sys.modules if name.startswith('potok.models.demo.')])"
    )

    printed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert printed.stdout.strip() == "['potok.models.demo.model']"
