import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from potok.errors import (
    UpstreamLost,
    UpstreamMalformed,
    UpstreamRefused,
    UpstreamStalled,
    UpstreamUnreachable,
)
from potok.events.kinds import Event, RunEnd, TextDelta, TextEnd, TextStart, Usage
from potok.limits import UPSTREAM_LINGER_SECONDS, UPSTREAM_TAIL_SECONDS
from potok.models.answer import Timeouts, UpstreamAnswer
from potok.models.byte_source import UpstreamCall
from potok.models.openai_chat_parse import OpenAiChatParser
from potok.models.openai_errors import Refusals
from potok.testing.fakes import FakeClock
from potok.testing.gates import FakeSleep
from tests.unit.models.memory_source import MemoryReply, MemorySource, frame

TOKEN = frame('{"content":"a"}')
FINISH = frame(more=',"finish_reason":"stop"')
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":8}}\n\n'
DONE = b"data: [DONE]\n\n"
TIMEOUTS = Timeouts(connect=1.0, first_token=50.0, between_tokens=20.0, total=200.0)
CALL = UpstreamCall(
    provider="test", method="POST", url="http://test", headers={}, connect_seconds=1.0
)


class Bench:
    """One answer over a source in memory, on a clock that the test moves."""

    def __init__(self, *replies: Any) -> None:
        self.clock = FakeClock()
        self.sleep = FakeSleep(self.clock)
        self.source = MemorySource(*replies)
        refusals = Refusals(provider="test")
        self.answer = UpstreamAnswer(
            source=self.source,
            parser=OpenAiChatParser(refusals=refusals),
            refusals=refusals,
            clock=self.clock,
            sleep=self.sleep,
            timeouts=TIMEOUTS,
            last_deadline=self.clock.monotonic() + TIMEOUTS.total,
        )

    async def open(self) -> None:
        await self.answer.open(CALL)
        # The watch falls asleep in its own turn.
        await asyncio.sleep(0)

    async def all_batches(self) -> list[list[Event]]:
        batches = []
        while batch := await self.answer.read():
            batches.append(batch)
        return batches

    def start(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        return asyncio.create_task(work)


async def test_one_read_gives_one_batch_and_the_last_one_ends_the_run() -> None:
    bench = Bench(MemoryReply(TOKEN, TOKEN + TOKEN, FINISH + DONE, b""))
    await bench.open()

    batches = await bench.all_batches()

    assert [len(batch) for batch in batches] == [2, 2, 2]
    assert batches[0] == [TextStart(part="text-1"), TextDelta(part="text-1", text="a")]
    assert batches[2] == [
        TextEnd(part="text-1"),
        RunEnd(outcome="finished", finish_reason="stop"),
    ]


async def test_usage_carries_the_times_that_were_measured() -> None:
    reply = MemoryReply(TOKEN)
    bench = Bench(reply)
    await bench.open()
    bench.sleep.advance(3.0)
    await bench.answer.read()
    bench.sleep.advance(4.0)
    for chunk in (FINISH + USAGE + DONE, b""):
        reply.give(chunk)

    usage = (await bench.answer.read())[1]

    assert isinstance(usage, Usage)
    assert usage.first_token_seconds == 3.0
    assert usage.tokens_per_second == 2.0
    assert bench.answer.first_token_seconds == 3.0


async def test_silence_before_the_first_token_ends_the_call_and_closes_it() -> None:
    reply = MemoryReply(frame('{"role":"assistant"}'))
    bench = Bench(reply)
    await bench.open()
    reading = bench.start(bench.answer.read())
    await reply.until_read_again()

    bench.sleep.advance(49.9)
    await asyncio.sleep(0)
    assert not reading.done()
    bench.sleep.advance(0.1)

    with pytest.raises(UpstreamStalled, match="test sent no token for 50 seconds"):
        await reading
    assert reply.is_closed


async def test_headers_that_never_come_count_as_silence() -> None:
    bench = Bench(asyncio.Event())
    opening = bench.start(bench.answer.open(CALL))
    await bench.sleep.until(50.0)

    bench.sleep.advance(50.0)

    with pytest.raises(UpstreamStalled, match="no token for 50 seconds"):
        await opening


async def test_heartbeats_and_empty_pieces_do_not_hide_a_stall() -> None:
    reply = MemoryReply(TOKEN)
    bench = Bench(reply)
    await bench.open()
    await bench.answer.read()
    reading = bench.start(bench.answer.read())

    for chunk in (b": ping\n\n", frame('{"content":""}'), b'data: {"choices":[]}\n\n'):
        reply.give(chunk)
        await reply.until_read_again()
        bench.sleep.advance(6.5)
        await asyncio.sleep(0)
        assert not reading.done()
    bench.sleep.advance(0.5)

    with pytest.raises(UpstreamStalled, match="no further token for 20 seconds"):
        await reading
    assert reply.is_closed


async def test_tokens_put_the_stall_off() -> None:
    reply = MemoryReply(TOKEN)
    bench = Bench(reply)
    await bench.open()
    await bench.answer.read()

    for _ in range(5):
        reading = bench.start(bench.answer.read())
        await reply.until_read_again()
        bench.sleep.advance(19.0)
        reply.give(TOKEN)
        assert await reading == [TextDelta(part="text-1", text="a")]


async def test_a_slow_reader_is_not_taken_for_a_slow_provider() -> None:
    reply = MemoryReply(TOKEN)
    bench = Bench(reply)
    await bench.open()
    await bench.answer.read()

    bench.sleep.advance(150.0)
    await asyncio.sleep(0)
    reply.give(TOKEN)

    assert await bench.answer.read() == [TextDelta(part="text-1", text="a")]
    assert not reply.is_closed


async def test_an_answer_that_never_ends_is_ended() -> None:
    reply = MemoryReply(TOKEN)
    bench = Bench(reply)
    await bench.open()
    await bench.answer.read()
    bench.sleep.advance(195.0)
    reading = bench.start(bench.answer.read())
    await reply.until_read_again()

    bench.sleep.advance(5.0)

    with pytest.raises(UpstreamStalled, match="did not end its answer within 200 seconds"):
        await reading


async def test_an_answer_whose_time_ran_out_between_two_reads_is_ended() -> None:
    bench = Bench(MemoryReply(TOKEN, TOKEN))
    await bench.open()
    await bench.answer.read()

    bench.sleep.advance(200.0)

    with pytest.raises(UpstreamStalled, match="within 200 seconds"):
        await bench.answer.read()


async def test_events_before_a_fault_come_before_it() -> None:
    bench = Bench(MemoryReply(TOKEN + b"data: {\n\n"))
    await bench.open()

    assert (await bench.answer.read())[1] == TextDelta(part="text-1", text="a")
    for _ in range(2):
        with pytest.raises(UpstreamMalformed):
            await bench.answer.read()


async def test_a_connection_that_breaks_in_an_answer_loses_it() -> None:
    bench = Bench(MemoryReply(TOKEN, UpstreamLost("cut")))
    await bench.open()
    await bench.answer.read()

    with pytest.raises(UpstreamLost):
        await bench.answer.read()


@pytest.mark.parametrize("end", [UpstreamLost("cut"), b""])
async def test_a_connection_that_ends_behind_a_whole_answer_loses_nothing(end: Any) -> None:
    bench = Bench(MemoryReply(TOKEN, FINISH, end))
    await bench.open()

    batches = await bench.all_batches()

    assert batches[-1] == [RunEnd(outcome="finished", finish_reason="stop")]


async def test_a_provider_that_forgets_to_end_a_whole_answer_is_not_waited_for() -> None:
    reply = MemoryReply(TOKEN, FINISH)
    bench = Bench(reply)
    await bench.open()
    reading = bench.start(bench.all_batches())
    await reply.until_read_again()

    bench.sleep.advance(UPSTREAM_TAIL_SECONDS)

    assert (await reading)[-1] == [RunEnd(outcome="finished", finish_reason="stop")]


async def test_a_body_that_does_not_end_after_its_last_frame_is_closed() -> None:
    reply = MemoryReply(TOKEN, FINISH + DONE)
    bench = Bench(reply)
    await bench.open()
    reading = bench.start(bench.all_batches())
    await bench.sleep.until(UPSTREAM_LINGER_SECONDS)

    bench.sleep.advance(UPSTREAM_LINGER_SECONDS)

    assert (await reading)[-1][-1] == RunEnd(outcome="finished", finish_reason="stop")
    assert reply.is_closed


async def test_a_body_read_to_its_end_leaves_the_connection_open() -> None:
    reply = MemoryReply(TOKEN, FINISH + DONE, b"")
    bench = Bench(reply)
    await bench.open()

    await bench.all_batches()

    assert not reply.is_closed


async def test_an_error_status_becomes_a_refusal_with_the_providers_words() -> None:
    reply = MemoryReply(b'{"error": {"message": ', b'"no such model"}}', b"", status=404)
    bench = Bench(reply)

    with pytest.raises(UpstreamRefused, match="no such model") as caught:
        await bench.open()

    assert caught.value.status == 404


@pytest.mark.parametrize("how", ["silent", "broken"])
async def test_an_error_status_counts_without_its_body(how: str) -> None:
    reply = MemoryReply(status=503, retry_after="4")
    bench = Bench(reply)
    opening = bench.start(bench.answer.open(CALL))
    await reply.until_read_again()

    if how == "silent":
        bench.sleep.advance(TIMEOUTS.list_models)
    else:
        reply.give(UpstreamLost("cut"))

    with pytest.raises(UpstreamRefused) as caught:
        await opening
    assert caught.value.retry_after_seconds == 4.0
    assert reply.is_closed


async def test_a_call_that_finds_nobody_says_so() -> None:
    bench = Bench(UpstreamUnreachable("nobody there"))

    with pytest.raises(UpstreamUnreachable):
        await bench.open()
    await bench.answer.close()


async def test_closing_closes_the_reply_and_ends_all_waits() -> None:
    reply = MemoryReply(TOKEN)
    bench = Bench(reply)
    await bench.open()
    await bench.answer.read()

    await bench.answer.close()
    await bench.answer.close()
    await asyncio.sleep(0)

    assert reply.is_closed
    assert bench.sleep.seconds == []


async def test_a_whole_reply_in_one_json_is_one_batch() -> None:
    body = b'{"choices":[{"message":{"content":"ab"},"finish_reason":"stop"}]}'
    bench = Bench(MemoryReply(body[:20], body[20:], b""))
    await bench.open()

    (batch,) = await bench.all_batches()

    assert batch[1:] == [
        TextDelta(part="text-1", text="ab"),
        TextEnd(part="text-1"),
        RunEnd(outcome="finished", finish_reason="stop"),
    ]
