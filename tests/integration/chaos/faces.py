"""The protocols that readers speak: how each starts a run, comes back to it, and sees its end."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from potok.wire.ndjson import NdjsonDecoder
from potok.wire.sse import SseDecoder
from tests.integration.chaos.judge import Frame
from tests.integration.chaos.plan import Face, PlannedStream

__all__ = [
    "DEMO_PROMPT",
    "Asked",
    "Place",
    "Speaker",
    "frame_of_message",
    "is_end",
    "model_of",
    "speaker_of",
    "text_in",
    "words_of",
]


DEMO_PROMPT = "Расскажи подробно, что такое Поток и как он хранит ответы"


@dataclass(slots=True, kw_only=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None


@dataclass(slots=True, kw_only=True)
class Place:
    """What a reader knows: the run once it was told, and the last frame that it took whole."""

    run: str | None = None
    last: Frame | None = None


class Decoder(Protocol):
    """Makes frames of bytes."""

    def __call__(self, chunk: bytes) -> list[Frame]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """One protocol.

    Attributes:
        start: The request that starts a run, or finds it by its key.
        resume: The request that goes on after a place; its run is known.
    """

    start: Callable[[PlannedStream, str], Asked]
    resume: Callable[[PlannedStream, Place], Asked]
    decoder: Callable[[], Decoder]


def model_of(stream: PlannedStream) -> str:
    """Return the model that a stream asks for."""
    return "demo" if stream.model == "demo" else f"chaos/{stream.model}"


def _body(stream: PlannedStream) -> dict[str, Any]:
    messages = [{"role": "user", "content": prompt_of(stream)}]
    return {"model": model_of(stream), "messages": messages}


def prompt_of(stream: PlannedStream) -> str:
    """Return what a stream asks; the built-in model tells no stories."""
    return DEMO_PROMPT if stream.model == "demo" else stream.story.prompt


def _posted(path: str, more: dict[str, Any]) -> Callable[[PlannedStream, str], Asked]:
    def start(stream: PlannedStream, key: str) -> Asked:
        headers = {"Idempotency-Key": key}
        return Asked(method="POST", path=path, headers=headers, body={**_body(stream), **more})

    return start


def _start_response(stream: PlannedStream, key: str) -> Asked:
    body = {
        "model": model_of(stream),
        "input": prompt_of(stream),
        "stream": True,
        "background": True,
    }
    headers = {"Idempotency-Key": key}
    return Asked(method="POST", path="/v1/responses", headers=headers, body=body)


def _last_id(place: Place, *, start: str) -> dict[str, str]:
    return {"Last-Event-ID": start if place.last is None else place.last.id}


def _resume_sse(stream: PlannedStream, place: Place) -> Asked:
    headers = {"Accept": "text/event-stream"}
    if place.last is not None:
        headers |= _last_id(place, start="0")
    return Asked(method="GET", path=f"/api/runs/{place.run}/events", headers=headers)


def _resume_ndjson(stream: PlannedStream, place: Place) -> Asked:
    after = "0" if place.last is None else place.last.id
    headers = {"Accept": "application/x-ndjson"}
    return Asked(method="GET", path=f"/api/runs/{place.run}/events?after={after}", headers=headers)


def _resume_socket(stream: PlannedStream, place: Place) -> Asked:
    after = "0" if place.last is None else place.last.id
    return Asked(method="WS", path=f"/api/runs/{place.run}/ws?after={after}")


def _resume_posted(path: str, more: dict[str, Any]) -> Callable[[PlannedStream, Place], Asked]:
    def resume(stream: PlannedStream, place: Place) -> Asked:
        headers = _last_id(place, start=f"{place.run}.0")
        return Asked(method="POST", path=path, headers=headers, body={**_body(stream), **more})

    return resume


def _resume_response(stream: PlannedStream, place: Place) -> Asked:
    path = f"/v1/responses/resp_{place.run}?stream=true"
    if place.last is not None:
        path += f"&starting_after={json.loads(place.last.data)['sequence_number']}"
    return Asked(method="GET", path=path)


def _sse_decoder() -> Decoder:
    decoder = SseDecoder()

    def decode(chunk: bytes) -> list[Frame]:
        return [Frame(event.id, event.event, event.data) for event in decoder.feed(chunk)]

    return decode


def frame_of_message(line: str | bytes) -> Frame | None:
    """Return the frame of a JSON object of spec 5.2; None for other messages of a socket."""
    fields = json.loads(line)
    if "event" not in fields:
        return None
    place, kind = fields.pop("id"), fields.pop("event")
    return Frame(place, kind, json.dumps(fields, ensure_ascii=False))


def _ndjson_decoder() -> Decoder:
    decoder = NdjsonDecoder()

    def decode(chunk: bytes) -> list[Frame]:
        found = (frame_of_message(line) for line in decoder.feed(chunk))
        return [frame for frame in found if frame is not None]

    return decode


def _no_decoder() -> Decoder:
    raise AssertionError("a socket has messages already")


_NATIVE = _posted("/api/runs", {})
_STREAMED = {"stream": True}
_COMPLETIONS = "/v1/chat/completions"
_SPEAKERS: dict[Face, Speaker] = {
    "sse": Speaker(start=_NATIVE, resume=_resume_sse, decoder=_sse_decoder),
    "ndjson": Speaker(start=_NATIVE, resume=_resume_ndjson, decoder=_ndjson_decoder),
    "socket": Speaker(start=_NATIVE, resume=_resume_socket, decoder=_no_decoder),
    "simple": Speaker(
        start=_posted("/api/chat/stream", {}),
        resume=_resume_posted("/api/chat/stream", {}),
        decoder=_sse_decoder,
    ),
    "completions": Speaker(
        start=_posted(_COMPLETIONS, _STREAMED),
        resume=_resume_posted(_COMPLETIONS, _STREAMED),
        decoder=_sse_decoder,
    ),
    "responses": Speaker(start=_start_response, resume=_resume_response, decoder=_sse_decoder),
}


def speaker_of(face: Face) -> Speaker:
    """Return the protocol of a face."""
    return _SPEAKERS[face]


_LAST_RESPONSES = frozenset({"response.completed", "response.failed", "response.incomplete"})


def is_end(face: Face, frame: Frame) -> bool:
    """Whether nothing follows a frame."""
    match face:
        case "sse" | "ndjson" | "socket":
            return frame.kind == "run-end"
        case "responses":
            return frame.kind in _LAST_RESPONSES or '"status":"cancelled"' in frame.data[:400]
        case "simple":
            return frame.data == "[DONE]" or frame.data.startswith('{"error"')
        case "completions":
            return frame.data == "[DONE]" or frame.data.startswith('{"error"')


def words_of(face: Face, frame: Frame) -> str:
    """Return what a frame says, thinking included; empty in protocols that never join frames."""
    if face not in ("simple", "completions") or frame.data == "[DONE]":
        return ""
    fields = json.loads(frame.data)
    if face == "simple":
        return str(fields.get("content", ""))
    delta = (fields.get("choices") or [{"delta": {}}])[0]["delta"]
    return str(delta.get("content") or delta.get("reasoning_content") or "")


def text_in(face: Face, frames: list[Frame]) -> str:
    """Return the answer that a reader of a face has put together."""
    return "".join(_text_of(face, frame) for frame in frames)


def _text_of(face: Face, frame: Frame) -> str:
    said = ""
    match face:
        case "sse" | "ndjson" | "socket":
            if frame.kind == "text-delta":
                said = json.loads(frame.data)["text"]
        case "responses":
            if frame.kind == "response.output_text.delta":
                said = json.loads(frame.data)["delta"]
        case "simple":
            if frame.data != "[DONE]":
                said = json.loads(frame.data).get("content", "")
        case "completions":
            if frame.data != "[DONE]":
                choices = json.loads(frame.data).get("choices") or [{"delta": {}}]
                said = choices[0]["delta"].get("content") or ""
    return said
