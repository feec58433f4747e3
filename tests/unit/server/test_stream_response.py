import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence

import pytest
from starlette.types import Message

from potok import limits
from potok.dialects.dialect import Encoder, Reading
from potok.dialects.native import NativeNdjson, NativeSse
from potok.dialects.simple_chat import SimpleChatSse
from potok.errors import LogLost, OffsetExpired, PotokError, ServerDraining
from potok.events.envelope import Offset, StoredEvent
from potok.events.kinds import RunEnd, RunStart, TextDelta, TextStart
from potok.server.stream_response import StreamResponse, join_frames, stream_headers
from potok.testing.fakes import RecordingObserver
from potok.testing.samples import RUN, SAMPLES, store

READING = Reading(run=RUN, model="demo", created=1_790_000_000)
WHOLE = store(SAMPLES["an answer"])
BEGUN = store([RunStart(run=RUN, version=1), TextStart(part="t1"), TextDelta(part="t1", text="Hi")])
Item = Sequence[StoredEvent] | None | Exception


class Pages:
    """What `RunService.follow` would give; after its items it waits, unless they end the run."""

    def __init__(self, *items: Item) -> None:
        self._items = items
        self.is_closed = False
        self.given = 0

    async def __call__(self) -> AsyncIterator[Sequence[StoredEvent] | None]:
        try:
            for item in self._items:
                self.given += 1
                if isinstance(item, Exception):
                    raise item
                yield item
            await asyncio.Event().wait()
        finally:
            self.is_closed = True


class Client:
    """The two ends that a server gives an app."""

    def __init__(self, *, is_deaf: bool = False) -> None:
        self.sent: list[Message] = []
        self.got = asyncio.Event()
        self._is_deaf = is_deaf
        self._left = asyncio.Event()

    def leave(self) -> None:
        self._left.set()

    async def receive(self) -> Message:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        self.got.set()
        if self._is_deaf and message["type"] == "http.response.body":
            await asyncio.Event().wait()

    @property
    def blocks(self) -> list[bytes]:
        return [m["body"] for m in self.sent if m["type"] == "http.response.body"]

    @property
    def is_complete(self) -> bool:
        return bool(self.sent) and self.sent[-1].get("more_body") is False


def response_of(
    pages: Pages,
    *,
    encoder: Encoder | None = None,
    observer: RecordingObserver | None = None,
    first_frames: Sequence[bytes] = (),
    joins: bool = False,
    write_seconds_max: float = 60.0,
    first_page_seconds_max: float = 60.0,
) -> StreamResponse:
    return StreamResponse(
        pages(),
        encoder or NativeSse().encoder(READING),
        run=RUN,
        headers=stream_headers("text/event-stream", run=RUN, heartbeat_seconds=12.5),
        first_frames=first_frames,
        joins=joins,
        observer=observer,
        write_seconds_max=write_seconds_max,
        first_page_seconds_max=first_page_seconds_max,
    )


async def play(response: StreamResponse, client: Client) -> None:
    await response({"type": "http"}, client.receive, client.send)


async def test_a_whole_run_ends_with_the_last_chunk() -> None:
    pages, client = Pages(WHOLE), Client()

    await play(response_of(pages), client)

    assert client.is_complete
    assert b"".join(client.blocks) == b"".join(NativeSse().encoder(READING).encode(WHOLE))
    assert pages.is_closed


async def test_headers_let_every_proxy_pass_the_stream_on() -> None:
    client = Client()

    await play(response_of(Pages(WHOLE)), client)

    headers = dict(client.sent[0]["headers"])
    assert client.sent[0]["status"] == 200
    assert headers[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert headers[b"cache-control"] == b"no-cache, no-transform"
    assert headers[b"x-accel-buffering"] == b"no"
    assert headers[b"x-potok-heartbeat"] == b"12.5"
    assert headers[b"x-potok-run"] == RUN.encode()
    assert b"content-length" not in headers


async def test_headers_and_a_heartbeat_go_out_before_the_first_page() -> None:
    client = Client()
    playing = asyncio.create_task(play(response_of(Pages(), first_page_seconds_max=0.001), client))

    while len(client.sent) < 2:
        await client.got.wait()
        client.got.clear()
    client.leave()
    await playing

    assert client.sent[0]["type"] == "http.response.start"
    assert client.blocks == [b": hb\n"]


async def test_an_early_heartbeat_that_waits_for_its_client_never_follows_the_end() -> None:
    gate, waiting = asyncio.Event(), asyncio.Event()

    async def late() -> AsyncIterator[Sequence[StoredEvent] | None]:
        await waiting.wait()
        yield WHOLE

    class Slow(Client):
        async def send(self, message: Message) -> None:
            if message.get("body") == b": hb\n":
                waiting.set()
                await gate.wait()
            await super().send(message)

    client = Slow()
    response = StreamResponse(
        late(), NativeSse().encoder(READING), run=RUN, headers={}, first_page_seconds_max=0.001
    )
    playing = asyncio.create_task(play(response, client))
    await waiting.wait()
    for _ in range(20):
        await asyncio.sleep(0)

    gate.set()
    await playing

    assert client.blocks[0] == b": hb\n"
    assert client.is_complete


async def test_frames_that_wait_for_the_first_page_come_after_early_headers() -> None:
    gate = asyncio.Event()

    async def late() -> AsyncIterator[Sequence[StoredEvent] | None]:
        await gate.wait()
        yield WHOLE

    client = Client()
    response = StreamResponse(
        late(),
        NativeSse().encoder(READING),
        run=RUN,
        headers={},
        first_frames=[b"first"],
        first_page_seconds_max=0.001,
    )
    playing = asyncio.create_task(play(response, client))
    while len(client.sent) < 2:
        await client.got.wait()
        client.got.clear()
    gate.set()
    await playing

    assert client.blocks[0] == b": hb\n"
    assert client.blocks[1].startswith(b"firstevent: run-start")
    assert client.is_complete


async def test_an_empty_first_page_brings_the_headers_out() -> None:
    client = Client()
    playing = asyncio.create_task(play(response_of(Pages([])), client))

    await client.got.wait()
    client.leave()
    await playing

    assert [message["type"] for message in client.sent] == ["http.response.start"]


async def test_an_error_before_the_first_page_is_left_to_become_a_status() -> None:
    pages, client = Pages(OffsetExpired(run=RUN, wanted=1, first=5)), Client()

    with pytest.raises(OffsetExpired):
        await play(response_of(pages), client)

    assert client.sent == []
    assert pages.is_closed


@pytest.mark.parametrize("error", [ServerDraining(), LogLost("Events are lost.")])
async def test_a_stream_that_stops_before_its_end_is_not_completed(error: PotokError) -> None:
    pages, client, observer = Pages(BEGUN, error), Client(), RecordingObserver()

    await play(response_of(pages, observer=observer), client)

    assert not client.is_complete
    assert b'"text":"Hi"' in client.blocks[-1]
    assert pages.is_closed
    assert observer.counts["server.readers_cut"] == 1


async def test_an_unexpected_error_cuts_the_stream_and_its_words_stay_out_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = Client()

    with caplog.at_level(logging.ERROR):
        await play(response_of(Pages(BEGUN, KeyError("the prompt"))), client)

    assert not client.is_complete
    assert RUN in caplog.text
    assert "KeyError" in caplog.text
    assert "the prompt" not in caplog.text


async def test_pages_that_end_without_the_runs_end_leave_the_body_open() -> None:
    async def short() -> AsyncIterator[Sequence[StoredEvent] | None]:
        yield BEGUN

    client = Client()
    response = StreamResponse(short(), NativeSse().encoder(READING), run=RUN, headers={})

    await play(response, client)

    assert not client.is_complete


async def test_a_heartbeat_is_sent_when_the_run_is_silent() -> None:
    client = Client()

    await play(response_of(Pages(BEGUN, None, None, WHOLE[3:])), client)

    assert client.blocks[1:3] == [b": hb\n", b": hb\n"]
    assert client.is_complete


async def test_a_client_that_leaves_closes_its_reader_at_once() -> None:
    pages, client = Pages(BEGUN), Client()
    playing = asyncio.create_task(play(response_of(pages), client))
    await client.got.wait()

    client.leave()
    await playing

    assert pages.is_closed
    assert not client.is_complete


async def test_a_client_that_takes_nothing_is_put_off() -> None:
    pages, client, observer = Pages(BEGUN, WHOLE[3:]), Client(is_deaf=True), RecordingObserver()

    response = response_of(
        pages, observer=observer, write_seconds_max=0.01, first_page_seconds_max=0.01
    )
    await play(response, client)

    assert pages.is_closed
    assert pages.given == 1, "nothing more is read for a client that takes nothing"
    assert not client.is_complete
    assert observer.counts["server.readers_stalled"] == 1


async def test_a_cancelled_request_closes_its_reader_and_stays_cancelled() -> None:
    pages, client = Pages(BEGUN), Client()
    playing = asyncio.create_task(play(response_of(pages), client))
    await client.got.wait()

    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing

    assert pages.is_closed


async def test_frames_left_over_from_an_event_come_first() -> None:
    client = Client()

    await play(response_of(Pages(WHOLE[-1:]), first_frames=[b"left over\n\n"]), client)

    assert client.blocks[0].startswith(b"left over\n\nevent: run-end")


async def test_nothing_is_encoded_after_the_dialects_end() -> None:
    client = Client()
    late = store([RunEnd(outcome="finished")], first=99)

    await play(response_of(Pages(WHOLE, late)), client)

    assert b"id: 99" not in b"".join(client.blocks)


class OpenEnded:
    """An encoder whose end is said by a cut body, and that has no heartbeat."""

    is_ended = False
    ends_cleanly = False

    def pass_over(self, events: Sequence[StoredEvent], *, frame: int = 0) -> list[bytes]:
        return []

    def encode(self, events: Sequence[StoredEvent]) -> list[bytes]:
        self.is_ended = type(events[-1].event) is RunEnd
        return [b"x"]

    def heartbeat(self) -> bytes:
        return b""


async def test_a_dialect_that_ends_by_a_cut_gets_its_cut_and_no_empty_heartbeat() -> None:
    client = Client()

    await play(response_of(Pages(BEGUN, None, WHOLE), encoder=OpenEnded()), client)

    assert client.blocks == [b"x", b"x"]
    assert not client.is_complete


async def test_writes_hold_whole_frames_and_stay_within_their_size() -> None:
    texts = ["x" * 3_000] * 20 + ["y" * 40_000] + ["z" * 3_000] * 3
    deltas = [TextDelta(part="t1", text=text) for text in texts]
    events = store([RunStart(run=RUN, version=1), TextStart(part="t1"), *deltas])
    client = Client()

    encoder = NativeNdjson().encoder(READING)
    await play(response_of(Pages(events, ServerDraining()), encoder=encoder), client)

    assert all(block.endswith(b"\n") for block in client.blocks)
    large = [block for block in client.blocks if len(block) > limits.WRITE_BYTES_MAX]
    assert [block.count(b"\n") for block in large] == [1]
    assert len(client.blocks) == 6


@pytest.mark.parametrize(
    ("sizes", "joined"),
    [
        ([], []),
        ([10], [10]),
        ([4, 6], [10]),
        ([4, 7], [4, 7]),
        ([25], [25]),
        ([3, 25, 3, 3], [3, 25, 6]),
        ([5, 5, 5, 5, 5], [10, 10, 5]),
    ],
)
def test_frames_are_joined_up_to_a_size_and_never_cut(sizes: list[int], joined: list[int]) -> None:
    blocks = list(join_frames([b"x" * size for size in sizes], bytes_max=10))

    assert [len(block) for block in blocks] == joined


@pytest.mark.parametrize(
    ("joins", "slow_seconds", "frames"),
    [(True, 0.0, ["a", "bcd"]), (True, 60.0, ["a", "b", "c", "d"]), (False, 0.0, list("abcd"))],
    ids=["lags", "keeps up", "counts frames"],
)
async def test_a_client_that_lags_gets_larger_frames_where_none_are_counted(
    joins: bool, slow_seconds: float, frames: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WRITE_SECONDS_SLOW", slow_seconds)
    deltas = [
        StoredEvent(Offset(place), TextDelta(part="t1", text=text), 0.0)
        for place, text in enumerate("abcd", 3)
    ]
    end = StoredEvent(Offset(7), RunEnd(outcome="finished", finish_reason="stop"), 0.0)
    client = Client()

    await play(
        response_of(
            Pages([*BEGUN[:2], deltas[0]], [*deltas[1:], end]),
            encoder=SimpleChatSse().encoder(READING),
            joins=joins,
        ),
        client,
    )

    lines = b"".join(client.blocks).decode().splitlines()
    told = [json.loads(line[6:]) for line in lines if line.startswith('data: {"content"')]
    assert [one["content"] for one in told] == frames
    assert client.is_complete
