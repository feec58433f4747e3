import asyncio
from collections.abc import Sequence

import pytest
from starlette.types import Message, Receive

from potok import limits
from potok.errors import BodyTooLarge, BodyTooSlow, RequestInvalid
from potok.server.body import ClientGone, counted, discard_body, read_json, unless_gone

BODY = '{"messages": [{"role": "user", "content": "Привет"}]}'.encode()


class Sender:
    """Gives the messages one after another, then waits for ever; counts what was taken."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self._messages = list(messages)
        self.taken = 0

    async def __call__(self) -> Message:
        if self.taken == len(self._messages):
            await asyncio.Event().wait()
        self.taken += 1
        return self._messages[self.taken - 1]


def in_chunks(*chunks: bytes) -> Sender:
    last = len(chunks) - 1
    return Sender(
        [
            {"type": "http.request", "body": chunk, "more_body": place < last}
            for place, chunk in enumerate(chunks)
        ]
    )


@pytest.mark.parametrize("cut", range(len(BODY) + 1))
async def test_a_body_does_not_depend_on_where_it_was_cut(cut: int) -> None:
    receive = in_chunks(BODY[:cut], BODY[cut:])

    body = await read_json(receive)

    assert body == {"messages": [{"role": "user", "content": "Привет"}]}


async def test_no_body_is_an_empty_object() -> None:
    assert await read_json(in_chunks(b"")) == {}


async def test_of_two_equal_keys_the_last_one_counts() -> None:
    assert await read_json(in_chunks(b'{"model":"a","model":"b"}')) == {"model": "b"}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{"a": 1,}', "byte 8"),
        (b'{"a": NaN}', "byte 6"),
        (b'{"a": Infinity}', "byte 6"),
        (b'{"a": 1} x', "byte 10"),
        (b'{"a": "\\ud800 and more"}', "byte"),
        (b'{"a": "\xff"}', "byte 7"),
        (b'{"a": ', "the end"),
        (b"[1]", "the whole message"),
        (b'"text"', "the whole message"),
        (b"null", "the whole message"),
        (b'{"a":' * 100_000, "the whole message"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "the whole message"),
        (b" ", "the end"),
        ("{}".encode("utf-16"), "byte 0"),
    ],
)
async def test_what_is_no_json_object_is_refused_with_its_place(body: bytes, place: str) -> None:
    with pytest.raises(RequestInvalid) as caught:
        await read_json(in_chunks(body))

    assert f"({place}" in caught.value.message
    assert caught.value.code == "invalid_request"


async def test_a_client_that_leaves_within_its_body_is_gone() -> None:
    receive = Sender(
        [
            {"type": "http.request", "body": b"{", "more_body": True},
            {"type": "http.disconnect"},
        ]
    )

    with pytest.raises(ClientGone):
        await read_json(receive)


async def test_a_body_that_does_not_come_is_not_waited_for_for_ever() -> None:
    receive = Sender([{"type": "http.request", "body": b"{", "more_body": True}])

    with pytest.raises(BodyTooSlow):
        await read_json(receive, seconds_max=0.01)


async def test_a_body_is_counted_as_it_comes_and_refused_over_the_limit() -> None:
    sender = in_chunks(b'{"a": "', b"x" * 50, b'"}')

    with pytest.raises(BodyTooLarge):
        await read_json(counted(sender, bytes_max=20))

    assert sender.taken == 3, "the rest is thrown away, so that the sender can read the answer"


async def test_a_body_of_exactly_the_limit_passes() -> None:
    body = b'{"a": "%b"}' % (b"x" * 11)

    read = await read_json(counted(in_chunks(body[:5], body[5:]), bytes_max=len(body)))

    assert read == {"a": "x" * 11}


async def test_throwing_a_body_away_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_DISCARDED_BYTES_MAX", 100)
    endless = Sender([{"type": "http.request", "body": b"x" * 10, "more_body": True}] * 1_000)

    await discard_body(endless)

    assert endless.taken <= 11


async def test_empty_messages_cannot_make_throwing_away_endless(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "BODY_DISCARDED_BYTES_MAX", 100)
    endless = Sender([{"type": "http.request", "body": b"", "more_body": True}] * 1_000)

    await discard_body(endless)

    assert endless.taken <= 102


def connected() -> Receive:
    return Sender([])


async def test_work_for_a_client_who_stays_gives_its_result() -> None:
    async def work() -> int:
        return 7

    assert await unless_gone(connected(), work()) == 7


async def test_work_for_a_client_who_leaves_is_cancelled_and_waited_for() -> None:
    left = asyncio.Event()
    steps = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            steps.append("cleaned up")

    async def receive() -> Message:
        await left.wait()
        return {"type": "http.disconnect"}

    asyncio.get_running_loop().call_soon(left.set)
    with pytest.raises(ClientGone):
        await unless_gone(receive, work())

    assert steps == ["cleaned up"]


async def test_an_error_of_the_work_is_passed_on() -> None:
    async def work() -> None:
        raise BodyTooSlow(seconds=1)

    with pytest.raises(BodyTooSlow):
        await unless_gone(connected(), work())
