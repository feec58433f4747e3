"""Simple chat: nothing but the answer's text, as server-sent events, bare text or socket messages.

Clients of these streams read whatever they find, often without a parser, so that they are shown
the text of the first choice and the end, and nothing else: thinking, statuses, calls of tools and
the channel `code` have no frame. An event's text is cut into frames that fit into one write.

None of them can take anything back: a `part-discard` of something shown ends the stream as
failed.
"""

from collections.abc import Callable, Sequence

from potok.dialects.dialect import Encoder, Reading
from potok.dialects.line_safe import encode_json
from potok.dialects.simple_chat_body import encode_simple_error
from potok.errors import OffsetInvalid, PotokError
from potok.events.envelope import StoredEvent
from potok.events.kinds import PartDiscard, RunEnd, TextDelta, TextStart
from potok.limits import SIMPLE_CHAT_PIECE_CHARACTERS_MAX, WRITE_BYTES_MAX
from potok.wire.sse import HEARTBEAT, encode_sse

__all__ = ["SimpleChatSocket", "SimpleChatSse", "SimpleChatText"]

# Six bytes is the longest letter in JSON; the rest of a frame has less than 1,000.
assert SIMPLE_CHAT_PIECE_CHARACTERS_MAX * 6 + 1_000 <= WRITE_BYTES_MAX

_DISCARDED = RunEnd(
    outcome="failed",
    code="part_discarded",
    message="A part of this answer was taken back, which this protocol cannot say. Ask again, or"
    " read the run's own stream.",
)

_SayText = Callable[[str], bytes]
_SayEnd = Callable[[RunEnd], list[bytes]]
_Frame = Callable[[bytes, str], bytes]


class SimpleChatSse:
    """`data: {"content": ...}` over server-sent events, `[DONE]` at the end."""

    name = "simple-chat"
    media_type = "text/event-stream"
    can_retract = False
    needs_history = True

    def encoder(self, reading: Reading) -> Encoder:
        return _Encoder(
            reading, say_text=_say_content, say_end=_end_sse, frame=_frame_sse, heartbeat=HEARTBEAT
        )

    def encode_error(self, error: PotokError) -> bytes:
        return encode_simple_error(error)


class SimpleChatText:
    """The bare text in UTF-8, whole letters in each frame; a failed run's body is cut."""

    name = "simple-chat-text"
    media_type = "text/plain"
    can_retract = False
    needs_history = True

    def encoder(self, reading: Reading) -> Encoder:
        # There is nothing between letters that means nothing.
        return _Encoder(
            reading,
            say_text=str.encode,
            say_end=_end_text,
            frame=_frame_bare,
            heartbeat=b"",
            failure_is_said=False,
        )

    def encode_error(self, error: PotokError) -> bytes:
        return encode_simple_error(error)


class SimpleChatSocket:
    """Messages of a socket: `{"type": "token", "content": ...}`, then `done` or `error`."""

    name = "simple-chat-socket"
    media_type = "application/json"
    can_retract = False
    needs_history = True

    def encoder(self, reading: Reading) -> Encoder:
        return _Encoder(
            reading, say_text=_say_token, say_end=_end_socket, frame=_frame_bare, heartbeat=b""
        )

    def encode_error(self, error: PotokError) -> bytes:
        return encode_json({"type": "error", "message": error.message, "code": error.code})


def _say_content(text: str) -> bytes:
    return encode_json({"content": text})


def _say_token(text: str) -> bytes:
    return encode_json({"type": "token", "content": text})


def _end_sse(end: RunEnd) -> list[bytes]:
    if end.outcome == "failed":
        return [encode_json({"error": _why(end), "code": end.code or "failed"})]
    if end.outcome == "cancelled":
        return [encode_json({"cancelled": True}), b"[DONE]"]
    return [b"[DONE]"]


def _end_text(end: RunEnd) -> list[bytes]:
    return []


def _end_socket(end: RunEnd) -> list[bytes]:
    if end.outcome == "failed":
        error = {"type": "error", "message": _why(end), "code": end.code or "failed"}
        return [encode_json(error)]
    if end.outcome == "cancelled":
        return [encode_json({"type": "done", "cancelled": True})]
    return [encode_json({"type": "done"})]


def _why(end: RunEnd) -> str:
    return (end.message or "The run failed.")[:SIMPLE_CHAT_PIECE_CHARACTERS_MAX]


def _frame_sse(payload: bytes, place: str) -> bytes:
    return encode_sse(data=payload, id=place)


def _frame_bare(payload: bytes, place: str) -> bytes:
    return payload


class _Encoder:
    """What the three framings share: which text is shown, how it is cut, and when it ends."""

    __slots__ = (
        "_failure_is_said",
        "_frame",
        "_heartbeat",
        "_id_head",
        "_is_cut",
        "_is_ended",
        "_parts",
        "_say_end",
        "_say_text",
        "_touched",
    )

    def __init__(
        self,
        reading: Reading,
        *,
        say_text: _SayText,
        say_end: _SayEnd,
        frame: _Frame,
        heartbeat: bytes,
        failure_is_said: bool = True,
    ) -> None:
        self._say_text = say_text
        self._say_end = say_end
        self._frame = frame
        self._heartbeat = heartbeat
        self._failure_is_said = failure_is_said
        self._id_head = f"{reading.run}." if reading.ids_name_run else ""
        self._parts: set[str] = set()
        # Parts of which something was shown.
        self._touched: set[str] = set()
        self._is_ended = False
        self._is_cut = False

    @property
    def is_ended(self) -> bool:
        return self._is_ended

    @property
    def ends_cleanly(self) -> bool:
        return self._is_ended and not self._is_cut

    def heartbeat(self) -> bytes:
        return self._heartbeat

    def pass_over(self, events: Sequence[StoredEvent], *, frame: int = 0) -> list[bytes]:
        frames: list[bytes] = []
        for stored in events:
            if self._is_ended:
                break
            frames = self._frames_of(stored)
        if not frame:
            return []
        if frame > len(frames):
            place = f"{events[-1].offset if events else 0}.{frame}"
            raise OffsetInvalid(place, why=f"that event has {len(frames)} frames in this stream")
        return frames[frame:]

    def encode(self, events: Sequence[StoredEvent]) -> list[bytes]:
        frames: list[bytes] = []
        for stored in events:
            if self._is_ended:
                break
            frames += self._frames_of(stored)
        return frames

    def _frames_of(self, stored: StoredEvent) -> list[bytes]:
        payloads = self._payloads_of(stored)
        place = f"{self._id_head}{stored.offset}"
        if len(payloads) == 1:
            return [self._frame(payloads[0], place)]
        return [
            self._frame(payload, f"{place}.{number}")
            for number, payload in enumerate(payloads, start=1)
        ]

    def _payloads_of(self, stored: StoredEvent) -> list[bytes]:
        match stored.event:
            case TextDelta(part=part, text=text) if part in self._parts and text:
                self._touched.add(part)
                return [self._say_text(piece) for piece in _pieces_of(text)]
            case TextStart(part=part, channel="answer", choice=0):
                self._parts.add(part)
            case PartDiscard(part=part) if part in self._touched:
                return self._end(_DISCARDED)
            case PartDiscard(part=part):
                self._parts.discard(part)
            case RunEnd() as end:
                return self._end(end)
        return []

    def _end(self, end: RunEnd) -> list[bytes]:
        self._is_ended = True
        self._is_cut = end.outcome == "failed" and not self._failure_is_said
        return self._say_end(end)


def _pieces_of(text: str) -> list[str]:
    size = SIMPLE_CHAT_PIECE_CHARACTERS_MAX
    return [text[at : at + size] for at in range(0, len(text), size)]
