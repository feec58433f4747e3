"""Our frames as the official OpenAI client for Python reads them."""

import json

import httpx2
import pytest
from openai import OpenAI
from openai._streaming import SSEDecoder

from potok.wire.sse import HEARTBEAT, encode_sse

TEXTS = ["Привет", '{"a": "x\\ny"}', "two\nlines", "", "🎉 ", "a\u2028b\x85c\x0bd", "x\r\ny\rz"]
FRAMES = [
    encode_sse(
        data=text, event="text-delta", id=str(offset), retry_ms=1500 if offset == 1 else None
    )
    for offset, text in enumerate(TEXTS, start=1)
]
READ_TEXTS = [text.replace("\r\n", "\n").replace("\r", "\n") for text in TEXTS]


def read_as_openai(body: bytes, *, cut: int = 0) -> list[tuple[str | None, str, str | None]]:
    frames = SSEDecoder().iter_bytes(iter([body[:cut], body[cut:]]))
    return [(frame.event, frame.data, frame.id) for frame in frames]


EXPECTED = [("text-delta", text, str(offset)) for offset, text in enumerate(READ_TEXTS, start=1)]


def test_openai_reads_our_frames_as_we_wrote_them() -> None:
    assert read_as_openai(b"".join(FRAMES)) == EXPECTED


@pytest.mark.parametrize("beats", [1, 3])
@pytest.mark.parametrize("place", range(len(FRAMES) + 1))
def test_heartbeats_before_between_and_after_frames_change_nothing(place: int, beats: int) -> None:
    frames = [*FRAMES[:place], HEARTBEAT * beats, *FRAMES[place:]]

    assert read_as_openai(b"".join(frames)) == EXPECTED


def test_heartbeats_everywhere_change_nothing_wherever_the_bytes_are_cut() -> None:
    body = HEARTBEAT + HEARTBEAT.join(FRAMES) + HEARTBEAT

    for cut in range(len(body) + 1):
        assert read_as_openai(body, cut=cut) == EXPECTED, f"cut at byte {cut}"


def test_a_heartbeat_with_a_blank_line_would_make_an_empty_event() -> None:
    body = FRAMES[0] + HEARTBEAT + b"\n" + FRAMES[1]

    assert ("", "1") in [(data, id) for _, data, id in read_as_openai(body)]


def serve_chunks(request: httpx2.Request) -> httpx2.Response:
    frames = [HEARTBEAT]
    for offset, word in enumerate(["Hel", "lo"], start=1):
        chunk = {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 0,
            "model": "demo",
            "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}],
        }
        frames += [encode_sse(data=json.dumps(chunk), id=str(offset)), HEARTBEAT, HEARTBEAT]
    frames += [encode_sse(data="[DONE]"), HEARTBEAT]
    headers = {"content-type": "text/event-stream"}
    return httpx2.Response(200, headers=headers, content=b"".join(frames), request=request)


def test_the_whole_openai_client_streams_through_heartbeats() -> None:
    transport = httpx2.MockTransport(serve_chunks)
    with (
        httpx2.Client(transport=transport) as http,
        OpenAI(api_key="none", base_url="http://potok.test/v1", http_client=http) as client,
    ):
        chunks = client.chat.completions.create(
            model="demo", messages=[{"role": "user", "content": "hi"}], stream=True
        )

        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello"
