"""Server-sent events: the frame encoder and a bounded incremental decoder (WHATWG HTML 9.2.6).

Pure bytes: what an event means, when to reconnect and when to send a heartbeat is decided above.
"""

from typing import NoReturn

import msgspec

from potok import limits
from potok.errors import FrameTooLarge
from potok.wire.lines import LineSplitter

__all__ = ["HEARTBEAT", "SseDecoder", "SseEvent", "encode_sse"]

# A comment line without the blank line that would end a block: openai-python makes an event of
# every block once it saw an id, also of one without data, and then fails to parse it.
HEARTBEAT = b": hb\n"

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_RETRY_MS_MAX: int = 10**limits.SSE_RETRY_DIGITS_MAX - 1


def encode_sse(
    *,
    data: bytes | str,
    event: str | None = None,
    id: str | None = None,
    retry_ms: int | None = None,
) -> bytes:
    """Return one whole frame: LF only, `id` last, a blank line at the end.

    Args:
        data: UTF-8. CR, LF and CRLF in it all become line breaks, so a reader gets LF for each
            and no text can end the frame or add a field.
        event: `None` or empty is the default type, "message".
        id: The empty string makes the reader forget its last event id; `None` leaves it.
        retry_ms: Wait before a reconnect, not negative.

    Raises:
        ValueError: `event` or `id` holds CR, LF or NUL, or `retry_ms` is negative: our mistake,
            since both are words of our own.
    """
    raw = data.encode() if isinstance(data, str) else data
    if b"\n" in raw or b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\ndata: ")
    frame = b"data: " + raw + b"\n"
    if event is not None:
        frame = b"event: " + _encode_word("event", event) + b"\n" + frame
    if retry_ms is not None:
        if retry_ms < 0:
            raise ValueError(f"retry_ms is {retry_ms}; a wait cannot be negative")
        frame += b"retry: %d\n" % retry_ms
    if id is not None:
        frame += b"id: " + _encode_word("id", id) + b"\n"
    return frame + b"\n"


def _encode_word(field: str, word: str) -> bytes:
    if "\n" in word or "\r" in word or "\0" in word:
        raise ValueError(f"the SSE field {field!r} cannot carry CR, LF or NUL: {word[:80]!r}")
    return word.encode()


class SseEvent(msgspec.Struct, frozen=True, gc=False):
    """One dispatched event.

    `event` is "message" unless the frame named another type. `id` is the last event id that was
    in force at that frame; it stays from frame to frame, and is empty before the first one.
    """

    event: str
    data: str
    id: str


class SseDecoder:
    """Turns bytes, cut anywhere, into events (WHATWG HTML 9.2.6).

    Args:
        line_bytes_max: Longest line, its end not counted.
        event_bytes_max: Most data in one event, in bytes, joined by LF.

    At most both together are held. CR, LF and CRLF end a line. Invalid UTF-8 becomes U+FFFD. A
    block without its blank line at the end of the stream is no event: just stop feeding.

    Attributes:
        last_event_id: What to send as `Last-Event-ID` when reconnecting. An id counts from the end
            of its block, even of a block without data; empty means none.
        retry_ms: The peer's last wish for the wait before a reconnect, `None` if it had none.
        comments: Comment lines seen so far: heartbeats, mostly.
        events_before_fault: Events of the very chunk that went over a limit, completed before the
            fault. They come here because the error took the place of `feed`'s answer.
    """

    def __init__(
        self,
        *,
        line_bytes_max: int = limits.SSE_LINE_BYTES_MAX,
        event_bytes_max: int = limits.SSE_EVENT_BYTES_MAX,
    ) -> None:
        self.event_bytes_max = event_bytes_max
        self.last_event_id = ""
        self.retry_ms: int | None = None
        self.comments = 0
        self.events_before_fault: list[SseEvent] = []
        self._lines = LineSplitter(line_bytes_max=line_bytes_max)
        self._is_at_start = True
        self._is_after_carriage_return = False
        self._fault: tuple[str, int] | None = None
        # The block being read: its type, its data values and their size with an LF after each,
        # and the id that counts from its end on.
        self._type = ""
        self._values: list[bytes] = []
        self._values_bytes = 0
        self._id = ""

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """Return the events that `chunk` completes, oldest first.

        Raises:
            FrameTooLarge: A line or an event is over its limit. `events_before_fault` has what
                this chunk completed before it. The decoder then holds nothing more, and every
                further call raises the same error.
        """
        if self._fault is not None:
            self._raise_fault()
        # Streams without CR, nearly all, are only split; the others are first brought to LF.
        if self._is_after_carriage_return or b"\r" in chunk:
            chunk = self._unify_line_ends(chunk)
        lines = self._lines.split(chunk)
        if self._is_at_start and lines:
            self._is_at_start = False
            lines[0] = lines[0].removeprefix(_BYTE_ORDER_MARK)
        events: list[SseEvent] = []
        is_within = self._take_lines(lines, events)
        if not is_within:
            self._stop("event", self.event_bytes_max, events)
        if self._lines.is_over:
            self._stop("line", self._lines.line_bytes_max, events)
        return events

    def _unify_line_ends(self, chunk: bytes) -> bytes:
        # A CR ends its line at once; an LF that opens the next chunk still belongs to it.
        if not chunk:
            return chunk
        ends_with_carriage_return = chunk.endswith(b"\r")
        if self._is_after_carriage_return:
            chunk = chunk.removeprefix(b"\n")
        self._is_after_carriage_return = ends_with_carriage_return
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _take_lines(self, lines: list[bytes], events: list[SseEvent]) -> bool:
        # Returns False at the first event over its limit. The two commonest lines, blank and
        # data, are handled here without a call: this loop is the cost of a stream.
        values = self._values
        for line in lines:
            if not line:
                self.last_event_id = self._id
                if values:
                    joined = values[0] if len(values) == 1 else b"\n".join(values)
                    text = joined.decode("utf-8", "replace")
                    events.append(SseEvent(self._type or "message", text, self._id))
                    values.clear()
                    self._values_bytes = 0
                self._type = ""
                continue
            if line.startswith(b"data: "):
                value = line[6:]
            else:
                name, _, value = line.partition(b":")
                value = value.removeprefix(b" ")
                if name != b"data":
                    self._take_field(name, value)
                    continue
            values.append(value)
            self._values_bytes += len(value) + 1
            if self._values_bytes > self.event_bytes_max + 1:
                return False
        return True

    def _take_field(self, name: bytes, value: bytes) -> None:
        if name == b"id":
            if b"\0" not in value:
                self._id = value.decode("utf-8", "replace")
        elif name == b"event":
            self._type = value.decode("utf-8", "replace")
        elif not name:
            self.comments += 1
        elif name == b"retry" and value.isdigit():
            self.retry_ms = _parse_retry(value)

    def _stop(self, what: str, limit_bytes: int, events: list[SseEvent]) -> NoReturn:
        self._fault = what, limit_bytes
        self.events_before_fault = events
        self._values.clear()
        self._lines.take_rest()
        self._raise_fault()

    def _raise_fault(self) -> NoReturn:
        assert self._fault is not None, "only called once a limit was passed"
        what, limit_bytes = self._fault
        raise FrameTooLarge(what=f"SSE {what}", limit_bytes=limit_bytes)


def _parse_retry(digits: bytes) -> int:
    # `int` refuses thousands of digits; a wait that long is as good as the longest one here.
    significant = digits.lstrip(b"0")
    if len(significant) > limits.SSE_RETRY_DIGITS_MAX:
        return _RETRY_MS_MAX
    return int(significant or b"0")
