"""Cuts a byte stream into lines at LF: bounded, and linear however small the chunks are.

Shared by the SSE and NDJSON decoders; it knows nothing of what a line means.
"""

__all__ = ["LineSplitter"]


class LineSplitter:
    """Collects chunks and gives back whole lines without their LF.

    Args:
        line_bytes_max: Longest line in bytes, its LF not counted.

    A longer line sets `is_over`: the lines before it still come out, it and all that follows are
    dropped, so nothing more is held. The outcome does not depend on how the bytes were cut.
    """

    __slots__ = ("_rest", "is_over", "line_bytes_max")

    def __init__(self, *, line_bytes_max: int) -> None:
        self.line_bytes_max = line_bytes_max
        self.is_over = False
        # Only new chunks are searched for LF; this is only ever appended to, at amortised cost.
        self._rest = bytearray()

    def split(self, chunk: bytes) -> list[bytes]:
        """Return the lines that `chunk` completes, oldest first; none once `is_over`."""
        if self.is_over:
            return []
        # No line can be too long when all bytes at hand together are not: one test per chunk.
        is_suspect = len(self._rest) + len(chunk) > self.line_bytes_max
        lines = chunk.split(b"\n")
        tail = lines.pop()
        if lines and self._rest:
            self._rest += lines[0]
            lines[0] = bytes(self._rest)
            self._rest.clear()
        self._rest += tail
        return self._cut_at_long_line(lines) if is_suspect else lines

    def take_rest(self) -> bytes:
        """Return the bytes after the last LF and forget them; for the end of the stream."""
        rest = bytes(self._rest)
        self._rest.clear()
        return rest

    def _cut_at_long_line(self, lines: list[bytes]) -> list[bytes]:
        for index, line in enumerate(lines):
            if len(line) > self.line_bytes_max:
                self.is_over = True
                self._rest.clear()
                return lines[:index]
        if len(self._rest) > self.line_bytes_max:
            self.is_over = True
            self._rest.clear()
        return lines
