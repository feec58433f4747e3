"""The stream of requirement 001: one JSON object a frame, told apart by its `type`.

`message_start` and `message_end` hold the whole message, `message_delta` a piece of its text, or of
its thinking (`"channel": "thinking"`). A failed run ends with `error`. Nothing can be taken back: a
`part-discard` of something shown ends the stream as failed.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from potok.dialects.chats_001_bodies import answer_metadata, message_read
from potok.dialects.dialect import Encoder, Reading
from potok.dialects.line_safe import encode_json
from potok.dialects.native_bodies import error_body
from potok.errors import OffsetInvalid, PotokError
from potok.events.envelope import StoredEvent
from potok.events.fold import Fold
from potok.events.kinds import PartDiscard, ReasoningDelta, RunEnd, RunStart, TextDelta, TextStart
from potok.events.run_request import JsonObject
from potok.wire.sse import HEARTBEAT, encode_sse

__all__ = ["Chats001Ndjson", "Chats001Sse", "Opening"]

# Before a line's JSON, where a blank means nothing to any reader.
_NDJSON_HEARTBEAT = b" "


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What the stored message held when its run began; a run that has no message has none."""

    id: int | None = None
    chat_id: int | None = None
    parent_id: int | None = None
    sibling_ids: tuple[int, ...] = ()
    created_at: float | None = None
    content: str = ""
    metadata: Mapping[str, Any] = {}


class Chats001Sse:
    """Frames without an `event:` line, as `MessageStreamHandler` reads them."""

    name = "chats-001"
    media_type = "text/event-stream"
    can_retract = False
    needs_history = True

    def __init__(self, opening: Opening | None = None) -> None:
        self._opening = opening or Opening()

    def encoder(self, reading: Reading) -> Encoder:
        return _Encoder(reading, self._opening, frame=_sse_frame, heartbeat=HEARTBEAT)

    def encode_error(self, error: PotokError) -> bytes:
        return error_body(error)


class Chats001Ndjson(Chats001Sse):
    """The same objects as bare JSON lines; their last key `id` is what SSE has beside them."""

    name = "chats-001-ndjson"
    media_type = "application/x-ndjson"

    def encoder(self, reading: Reading) -> Encoder:
        return _Encoder(reading, self._opening, frame=_json_line, heartbeat=_NDJSON_HEARTBEAT)


def _sse_frame(fields: JsonObject, place: str) -> bytes:
    return encode_sse(data=encode_json(fields), id=place)


def _json_line(fields: JsonObject, place: str) -> bytes:
    return encode_json({**fields, "id": place}) + b"\n"


class _Encoder:
    """Folds the run, because its last frame holds the whole message."""

    __slots__ = (
        "_began_at",
        "_channels",
        "_fold",
        "_frame",
        "_heartbeat",
        "_id_head",
        "_is_ended",
        "_opening",
        "_touched",
    )

    def __init__(
        self,
        reading: Reading,
        opening: Opening,
        *,
        frame: Callable[[JsonObject, str], bytes],
        heartbeat: bytes,
    ) -> None:
        self._opening = opening
        self._frame = frame
        self._heartbeat = heartbeat
        self._id_head = f"{reading.run}." if reading.ids_name_run else ""
        self._began_at = float(reading.created)
        self._fold = Fold()
        # Parts of the answer's own text; a text of another channel or choice is none of it.
        self._channels: set[str] = set()
        self._touched: set[str] = set()
        self._is_ended = False

    @property
    def is_ended(self) -> bool:
        return self._is_ended

    @property
    def ends_cleanly(self) -> bool:
        return self._is_ended

    def heartbeat(self) -> bytes:
        return self._heartbeat

    def pass_over(self, events: Sequence[StoredEvent], *, frame: int = 0) -> list[bytes]:
        self.encode(events[:-1])
        frames = self.encode(events[-1:])
        # Every event has one frame or none.
        if frame > len(frames):
            place = f"{events[-1].offset if events else 0}.{frame}"
            raise OffsetInvalid(place, why="no event of this stream has so many frames")
        return []

    def encode(self, events: Sequence[StoredEvent]) -> list[bytes]:
        frames: list[bytes] = []
        for stored in events:
            if self._is_ended:
                break
            self._fold.feed(stored.event)
            fields = self._fields_of(stored)
            if fields is not None:
                frames.append(self._frame(fields, f"{self._id_head}{stored.offset}"))
        return frames

    def _fields_of(self, stored: StoredEvent) -> JsonObject | None:
        event = stored.event
        if isinstance(event, TextDelta):
            if event.part not in self._channels:
                return None
            return self._delta(event.part, event.text)
        if isinstance(event, ReasoningDelta):
            if event.choice != 0:
                return None
            return {**self._delta(event.part, event.text), "channel": "thinking"}
        if isinstance(event, TextStart):
            if event.channel == "answer" and event.choice == 0:
                self._channels.add(event.part)
        elif isinstance(event, RunStart):
            self._began_at = event.created or self._began_at
            return {"type": "message_start", "message": self._message(None)}
        elif isinstance(event, PartDiscard):
            return self._discard(event)
        elif isinstance(event, RunEnd):
            return self._end(event, at=stored.at)
        return None

    def _delta(self, part: str, text: str) -> JsonObject:
        self._touched.add(part)
        return {"type": "message_delta", "message_id": self._opening.id, "delta": text}

    def _discard(self, event: PartDiscard) -> JsonObject | None:
        if event.part not in self._touched:
            return None
        return self._failure(
            "part_discarded",
            "A part of this answer was taken back, which this stream cannot say. Load the chat's"
            " messages again.",
        )

    def _end(self, event: RunEnd, *, at: float) -> JsonObject:
        if event.outcome == "failed":
            return self._failure(event.code or "failed", event.message or "The run failed.")
        self._is_ended = True
        return {"type": "message_end", "message": self._message(at - self._began_at)}

    def _failure(self, code: str, message: str) -> JsonObject:
        self._is_ended = True
        return {
            "type": "error",
            "error": message,
            "message_id": self._opening.id,
            "code": code,
        }

    def _message(self, seconds: float | None) -> JsonObject:
        opening, message = self._opening, self._fold.message
        created_at = opening.created_at if opening.created_at is not None else self._began_at
        return message_read(
            id=opening.id,
            chat_id=opening.chat_id,
            role="assistant",
            content=opening.content + message.text,
            created_at=created_at,
            metadata=answer_metadata(message, before=opening.metadata, seconds=seconds),
            parent_id=opening.parent_id,
            sibling_ids=opening.sibling_ids,
        )
