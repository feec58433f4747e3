"""The line by itself; what its answers go through is tested with the adapters."""

import asyncio

import pytest

from potok.errors import PeerError, UpstreamRefused, UpstreamStalled
from potok.events.fold import Message, Part
from potok.limits import UPSTREAM_LIST_SECONDS
from potok.models.accounts import Account
from potok.models.contract import ChatRequest, ModelInfo
from potok.models.line import Line, refuse_begun_answer
from potok.testing.fakes import CountingIds, FakeClock
from potok.testing.gates import FakeSleep
from tests.unit.models.memory_source import MemoryReply, MemorySource

INFO = ModelInfo(name="m", provider="p")


def line_over(source: MemorySource, sleep: FakeSleep | None = None) -> Line:
    clock = FakeClock()
    return Line(
        Account(name="p", base_url="http://test/base", api_key=None),
        clock=clock,
        ids=CountingIds(),
        source=source,
        sleep=sleep or FakeSleep(clock),
        advice={404: "has lost {model}."},
    )


async def test_a_list_is_read_whole_and_its_connection_closed() -> None:
    reply = MemoryReply(b"[1,", b"2]", b"")
    source = MemorySource(reply)

    assert await line_over(source).read_list("/things") == b"[1,2]"

    assert [(call.method, call.url) for call in source.calls] == [
        ("GET", "http://test/base/things")
    ]
    assert reply.is_closed


async def test_advice_of_its_own_takes_the_place_of_the_usual() -> None:
    line = line_over(MemorySource(MemoryReply(b"{}", b"", status=404)))

    with pytest.raises(UpstreamRefused, match=r"^The provider p has lost ''\.$"):
        await line.read_list("/things")


async def test_a_list_that_does_not_come_is_given_up() -> None:
    reply, sleep = MemoryReply(), FakeSleep(FakeClock())
    asking = asyncio.create_task(line_over(MemorySource(reply), sleep).read_list("/things"))
    await sleep.until(UPSTREAM_LIST_SECONDS)
    await reply.until_read_again()

    sleep.advance(UPSTREAM_LIST_SECONDS)

    with pytest.raises(UpstreamStalled, match="did not list its models within 5 seconds"):
        await asking
    assert reply.is_closed


def test_only_an_answer_that_was_begun_is_refused() -> None:
    asked = ChatRequest(model="m", messages=())
    refuse_begun_answer(INFO, asked)
    refuse_begun_answer(INFO, ChatRequest(model="m", messages=(), said=Message()))

    begun = Message(parts=[Part(type="text", id="text-1", text="a")])
    with pytest.raises(PeerError, match="cannot take up an answer in its middle"):
        refuse_begun_answer(INFO, ChatRequest(model="m", messages=(), said=begun))
