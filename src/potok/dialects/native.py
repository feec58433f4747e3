"""Potok's own protocol over server-sent events, NDJSON and WebSocket messages (spec 5)."""

import re
from collections.abc import Callable, Sequence

from potok.dialects.dialect import Encoder, Reading
from potok.dialects.line_safe import encode_json, keep_one_line
from potok.dialects.native_bodies import error_body
from potok.errors import OffsetInvalid, PotokError
from potok.events.envelope import StoredEvent
from potok.events.json_form import encode_event, encode_fields
from potok.events.kinds import KINDS, RunEnd, RunStart, Unknown, kind_of
from potok.limits import SSE_RETRY_MS
from potok.wire.sse import HEARTBEAT

__all__ = ["NativeNdjson", "NativeSse", "encode_message", "name_sse_event"]

# A blank in front of a line's JSON, not an empty line: readers that parse every line would fail.
_NDJSON_HEARTBEAT = b" "

# EventSource fires `error` and `open` itself, and the empty name is its default event.
_TAKEN_NAMES = frozenset({"", "error", "open"})
_WORD = re.compile(r"[\w.:-]{1,100}", re.ASCII)
_HEADS = {kind: f"event: {kind}\ndata: ".encode() for kind in KINDS}
_RETRY = b"\nretry: %d\nid: " % SSE_RETRY_MS


def name_sse_event(kind: str) -> str:
    """Return the SSE event name of a kind: itself, or with `x-` where a browser would misread it.

    Characters that could break the frame become `_`.
    """
    if kind in _TAKEN_NAMES:
        return f"x-{kind}"
    return kind if _WORD.fullmatch(kind) else re.sub(r"[^\w.:-]", "_", kind[:100], flags=re.ASCII)


def encode_message(stored: StoredEvent, *, run: str | None = None) -> bytes:
    """Return an event as one JSON object: `id` and `event`, then the event's fields (spec 5.2).

    Args:
        run: Put first, for a socket that carries several runs.
    """
    return _encode_line(stored, id_head=b"", run=run)


def _encode_line(stored: StoredEvent, *, id_head: bytes, run: str | None = None) -> bytes:
    event = stored.event
    if type(event) is Unknown:
        # No kind may have a field `id` (spec 3.1); one that has must not pass for a place.
        ours = ("id",) if run is None else ("id", "run")
        fields = {name: field for name, field in event.fields.items() if name not in ours}
        whole = encode_event(Unknown(kind=event.kind, fields=fields))
    else:
        whole = encode_event(event)
    # `run-start` carries its run itself, under the same name.
    place = b'{"id":"%b%d",' % (id_head, stored.offset)
    if run is not None and type(event) is not RunStart:
        place = b'{"run":%b,%b' % (encode_json(run), place[1:])
    return keep_one_line(place + whole[1:])


def _encode_sse(stored: StoredEvent, id_head: bytes) -> bytes:
    event, offset = stored.event, stored.offset
    if type(event) is Unknown:
        head = f"event: {name_sse_event(event.kind)}\ndata: ".encode()
    else:
        head = _HEADS[kind_of(event)]
    # `retry` comes with the run's first frame only, so that a frame is the same for everyone; an
    # EventSource that opened the run's stream keeps it from reconnect to reconnect.
    before_id = _RETRY if offset == 1 else b"\nid: "
    fields = keep_one_line(encode_fields(event))
    return b"%b%b%b%b%d\n\n" % (head, fields, before_id, id_head, offset)


def _encode_ndjson(stored: StoredEvent, id_head: bytes) -> bytes:
    return _encode_line(stored, id_head=id_head) + b"\n"


class _Encoder:
    """What both framings share: a frame per event, and an end at `run-end`."""

    __slots__ = ("_encode_one", "_heartbeat", "_id_head", "_is_ended")

    def __init__(
        self,
        reading: Reading,
        *,
        encode_one: Callable[[StoredEvent, bytes], bytes],
        heartbeat: bytes,
    ) -> None:
        self._encode_one = encode_one
        self._heartbeat = heartbeat
        self._id_head = f"{reading.run}.".encode() if reading.ids_name_run else b""
        self._is_ended = False

    def pass_over(self, events: Sequence[StoredEvent], *, frame: int = 0) -> list[bytes]:
        if frame > 1 or (frame and not events):
            place = f"{events[-1].offset if events else 0}.{frame}"
            raise OffsetInvalid(place, why="every event of this stream has one frame")
        if any(type(stored.event) is RunEnd for stored in events):
            self._is_ended = True
        return []

    def encode(self, events: Sequence[StoredEvent]) -> list[bytes]:
        frames: list[bytes] = []
        for stored in events:
            if self._is_ended:
                break
            frames.append(self._encode_one(stored, self._id_head))
            self._is_ended = type(stored.event) is RunEnd
        return frames

    def heartbeat(self) -> bytes:
        return self._heartbeat

    @property
    def is_ended(self) -> bool:
        return self._is_ended

    @property
    def ends_cleanly(self) -> bool:
        return self._is_ended


class NativeSse:
    """Server-sent events: `event` is the kind, `data` the fields, `id` the offset (spec 5.1)."""

    name = "native"
    media_type = "text/event-stream"
    can_retract = True
    needs_history = False

    def encoder(self, reading: Reading) -> Encoder:
        return _Encoder(reading, encode_one=_encode_sse, heartbeat=HEARTBEAT)

    def encode_error(self, error: PotokError) -> bytes:
        return error_body(error)


class NativeNdjson:
    """One JSON object per line (spec 5.2)."""

    name = "native-ndjson"
    media_type = "application/x-ndjson"
    can_retract = True
    needs_history = False

    def encoder(self, reading: Reading) -> Encoder:
        return _Encoder(reading, encode_one=_encode_ndjson, heartbeat=_NDJSON_HEARTBEAT)

    def encode_error(self, error: PotokError) -> bytes:
        return error_body(error)
