import asyncio
from contextlib import aclosing

import pytest

from potok.errors import UpstreamLost, UpstreamUnreachable
from potok.events.kinds import Event, TextDelta, TextStart
from potok.models.contract import ChatRequest
from potok.testing.gates import Gate
from potok.testing.scripted_model import ScriptedModel, ScriptedProvider

BATCH: list[Event] = [TextStart(part="text-1"), TextDelta(part="text-1", text="a")]
REQUEST = ChatRequest(model="scripted", messages=())


async def test_a_script_is_played_step_by_step() -> None:
    gate = Gate()
    model = ScriptedModel([BATCH, gate, UpstreamLost("cut")])
    batches = model.stream(REQUEST)

    assert await anext(batches) == BATCH
    following = asyncio.ensure_future(anext(batches))
    await gate.until_waited_for()
    gate.release()

    with pytest.raises(UpstreamLost):
        await following
    assert (model.live, model.closed, model.requests) == (0, 0, [REQUEST])


async def test_each_call_plays_its_own_script_and_the_last_one_stays() -> None:
    model = ScriptedModel([], [BATCH])

    counts = [len([batch async for batch in model.stream(REQUEST)]) for _ in range(3)]

    assert counts == [0, 1, 1]


async def test_a_call_that_is_left_early_is_counted() -> None:
    model = ScriptedModel([BATCH, BATCH])

    async with aclosing(model.stream(REQUEST)) as batches:
        await anext(batches)
        assert model.live == 1

    assert (model.live, model.closed) == (0, 1)


async def test_a_provider_lists_its_models_or_fails_as_told() -> None:
    model = ScriptedModel([], name="a", provider="p")
    provider = ScriptedProvider([model], name="p")

    assert await provider.list_models() == (model.info,)
    assert provider.model("a") is provider.model("other") is model
    provider.failure = UpstreamUnreachable("down")
    with pytest.raises(UpstreamUnreachable):
        await provider.list_models()
    assert provider.lists == 2
