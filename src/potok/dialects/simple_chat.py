"""Simple chat: nothing but the answer's text, as server-sent events, bare text or socket messages.

Clients of these streams read whatever they find, often without a parser, so that they are shown
the text of the first choice and the end, and nothing else: thinking, statuses, calls of tools and
the channel `code` have no frame. An event's text is cut into frames that fit into one write.

None of them can take anything back: a `part-discard` of something shown ends the stream as
failed.
"""

import msgspec

from potok.dialects.dialect import Encoder, Reading
from potok.dialects.encoder import RunEncoder
from potok.dialects.line_safe import encode_json, keep_one_line
from potok.dialects.simple_chat_body import encode_simple_error
from potok.errors import PotokError
from potok.events.envelope import StoredEvent
from potok.events.kinds import PartDiscard, RunEnd, TextDelta, TextStart
from potok.limits import SIMPLE_CHAT_PIECE_CHARACTERS_MAX, WRITE_BYTES_MAX

__all__ = ["SimpleChatSocket", "SimpleChatSse", "SimpleChatText"]

# Six bytes is the longest letter in JSON; the rest of a frame has less than 1,000.
assert SIMPLE_CHAT_PIECE_CHARACTERS_MAX * 6 + 1_000 <= WRITE_BYTES_MAX

_encode = msgspec.json.Encoder().encode

_DISCARDED = RunEnd(
    outcome="failed",
    code="part_discarded",
    message="A part of this answer was taken back, which this protocol cannot say. Ask again, or"
    " read the run's own stream.",
)


class SimpleChatSse:
    """`data: {"content": ...}` over server-sent events, `[DONE]` at the end."""

    name = "simple-chat"
    media_type = "text/event-stream"
    can_retract = False
    needs_history = True

    def encoder(self, reading: Reading) -> Encoder:
        return _Sse(reading)

    def encode_error(self, error: PotokError) -> bytes:
        return encode_simple_error(error)


class SimpleChatText:
    """The bare text in UTF-8, whole letters in each frame; a failed run's body is cut."""

    name = "simple-chat-text"
    media_type = "text/plain"
    can_retract = False
    needs_history = True

    def encoder(self, reading: Reading) -> Encoder:
        return _Text(reading)

    def encode_error(self, error: PotokError) -> bytes:
        return encode_simple_error(error)


class SimpleChatSocket:
    """Messages of a socket: `{"type": "token", "content": ...}`, then `done` or `error`."""

    name = "simple-chat-socket"
    media_type = "application/json"
    can_retract = False
    needs_history = True

    def encoder(self, reading: Reading) -> Encoder:
        return _Socket(reading)

    def encode_error(self, error: PotokError) -> bytes:
        return encode_json({"type": "error", "message": error.message, "code": error.code})


class _Encoder(RunEncoder):
    """What the three framings share: which text is shown, how it is cut, and when it ends."""

    __slots__ = ("_is_cut", "_parts", "_touched")

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self._parts: set[str] = set()
        # Parts of which something was shown.
        self._touched: set[str] = set()
        self._is_cut = False

    @property
    def ends_cleanly(self) -> bool:
        return self._is_ended and not self._is_cut

    def _said(self, text: str) -> bytes:
        """Return the payload of a piece of text."""
        raise NotImplementedError

    def _ending(self, end: RunEnd) -> list[bytes]:
        """Return the payloads of the run's end."""
        raise NotImplementedError

    def _frames_of(self, stored: StoredEvent) -> list[bytes]:
        event = stored.event
        if type(event) is TextDelta:
            payloads = self._delta(event)
        elif type(event) is TextStart:
            payloads = self._start(event)
        elif type(event) is PartDiscard:
            payloads = self._discard(event)
        elif type(event) is RunEnd:
            payloads = self._end(event)
        else:
            payloads = []
        return self._numbered(payloads, stored.offset) if payloads else payloads

    def _delta(self, event: TextDelta) -> list[bytes]:
        text, size = event.text, SIMPLE_CHAT_PIECE_CHARACTERS_MAX
        if event.part not in self._parts or not text:
            return []
        self._touched.add(event.part)
        if len(text) <= size:
            return [self._said(text)]
        return [self._said(text[at : at + size]) for at in range(0, len(text), size)]

    def _start(self, event: TextStart) -> list[bytes]:
        if event.channel == "answer" and event.choice == 0:
            self._parts.add(event.part)
        return []

    def _discard(self, event: PartDiscard) -> list[bytes]:
        if event.part in self._touched:
            return self._end(_DISCARDED)
        self._parts.discard(event.part)
        return []

    def _end(self, end: RunEnd) -> list[bytes]:
        self._is_ended = True
        return self._ending(end)


class _Sse(_Encoder):
    __slots__ = ()

    def _said(self, text: str) -> bytes:
        return b'{"content":%b}' % keep_one_line(_encode(text))

    def _ending(self, end: RunEnd) -> list[bytes]:
        if end.outcome == "failed":
            return [encode_json({"error": _why(end), "code": end.code or "failed"})]
        if end.outcome == "cancelled":
            return [encode_json({"cancelled": True}), b"[DONE]"]
        return [b"[DONE]"]


class _Bare(_Encoder):
    """Frames without ids. There is nothing between letters that means nothing."""

    __slots__ = ()

    def _frame(self, payload: bytes, place: str) -> bytes:
        return payload

    def heartbeat(self) -> bytes:
        return b""


class _Text(_Bare):
    __slots__ = ()

    def _said(self, text: str) -> bytes:
        return text.encode()

    def _ending(self, end: RunEnd) -> list[bytes]:
        self._is_cut = end.outcome == "failed"
        return []


class _Socket(_Bare):
    __slots__ = ()

    def _said(self, text: str) -> bytes:
        return b'{"type":"token","content":%b}' % keep_one_line(_encode(text))

    def _ending(self, end: RunEnd) -> list[bytes]:
        if end.outcome == "failed":
            error = {"type": "error", "message": _why(end), "code": end.code or "failed"}
            return [encode_json(error)]
        if end.outcome == "cancelled":
            return [encode_json({"type": "done", "cancelled": True})]
        return [encode_json({"type": "done"})]


def _why(end: RunEnd) -> str:
    return (end.message or "The run failed.")[:SIMPLE_CHAT_PIECE_CHARACTERS_MAX]
