"""Packs a commit's events into blobs, and reads them again. Pure; knows no database.

A segment of format 1 is chunks one after another, each holding events of one run in order. All
numbers are little-endian:

    u16  bytes of the run id
    u32  epoch of the writer
    u64  offset of the first event; the others rise by one
    u32  count of events
    u32  bytes of the events
    ...  the run id, UTF-8
    ...  the events: each one line of JSON (`encode_event`) and a line feed

The commit's time is not in the blob but beside it, in its row.
"""

from collections.abc import Iterator, Sequence
from struct import Struct

import msgspec

from potok.errors import GrammarViolation, LogLost
from potok.events.envelope import Offset, StoredEvent
from potok.events.json_form import decode_event
from potok.limits import SEGMENT_BYTES_MAX

__all__ = ["SEGMENT_FORMAT", "Chunk", "Packer", "Place", "unpack_chunk", "unpack_segment"]

SEGMENT_FORMAT = 1
"""Stored beside each blob; a reader refuses formats that it does not know."""

_HEAD = Struct("<HIQII")


class Chunk(msgspec.Struct, frozen=True):
    """Events of one run in one commit; `body` holds one line per event."""

    run: str
    epoch: int
    first: Offset
    count: int
    body: bytes

    def events_after(self, after: Offset, *, at: float) -> Iterator[StoredEvent]:
        """Decode the events that follow `after`; raises `LogLost` if they cannot be read."""
        lines = self.body.split(b"\n")
        if len(lines) != self.count + 1:
            raise LogLost(_unreadable(f"run {self.run} has {len(lines) - 1} lines"))
        for offset in range(max(self.first, after + 1), self.first + self.count):
            try:
                event = decode_event(lines[offset - self.first])
            except GrammarViolation as error:
                raise LogLost(_unreadable(f"run {self.run}, offset {offset}: {error}")) from error
            yield StoredEvent(Offset(offset), event, at)


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a chunk is: its segment, its first byte and its bytes there; `first` is its offset."""

    first: Offset
    segment: int
    position: int
    length: int


class Packer:
    """Gathers the chunks of one commit into segments of at most about `SEGMENT_BYTES_MAX`.

    A chunk is never cut: one that is larger gets a segment of its own.
    """

    def __init__(self, *, segment: int) -> None:
        self.segments: list[list[bytes]] = []
        """Per segment its pieces, in order; the first has the id given, the others rise by one."""
        self._segment = segment - 1
        self._filled = SEGMENT_BYTES_MAX

    def add(self, run: str, *, epoch: int, first: Offset, lines: Sequence[bytes]) -> Place:
        """Pack one chunk and return its place."""
        body = b"\n".join(lines)
        name = run.encode()
        length = _HEAD.size + len(name) + len(body) + 1
        if self._filled + length > SEGMENT_BYTES_MAX:
            self.segments.append([])
            self._segment += 1
            self._filled = 0
        place = Place(first, self._segment, self._filled, length)
        head = _HEAD.pack(len(name), epoch, first, len(lines), len(body) + 1)
        self.segments[-1] += (head, name, body, b"\n")
        self._filled += length
        return place


def unpack_chunk(blob: bytes, position: int = 0) -> tuple[Chunk, int]:
    """Read the chunk at `position`; return it and the position after it; raises `LogLost`."""
    start = position + _HEAD.size
    if start > len(blob):
        raise LogLost(_unreadable(f"it ends within a chunk's head at byte {position}"))
    name_bytes, epoch, first, count, body_bytes = _HEAD.unpack_from(blob, position)
    body_start = start + name_bytes
    end = body_start + body_bytes
    if end > len(blob):
        raise LogLost(_unreadable(f"it ends within the chunk at byte {position}"))
    try:
        run = blob[start:body_start].decode()
    except UnicodeDecodeError as error:
        raise LogLost(_unreadable(f"the chunk at byte {position} names no run")) from error
    return Chunk(run, epoch, Offset(first), count, blob[body_start:end]), end


def unpack_segment(blob: bytes) -> list[Chunk]:
    """Return all chunks of a segment of format 1, in order; raises `LogLost` if it is damaged."""
    chunks = []
    position = 0
    while position < len(blob):
        chunk, position = unpack_chunk(blob, position)
        chunks.append(chunk)
    return chunks


def _unreadable(why: str) -> str:
    return f"The event log holds a segment that cannot be read: {why}. Restore it from a backup."
