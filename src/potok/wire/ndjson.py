"""Newline-delimited JSON: one line out, whole lines in. What a line says is not looked at."""

from typing import NoReturn

from potok import limits
from potok.errors import FrameTooLarge
from potok.wire.lines import LineSplitter

__all__ = ["NdjsonDecoder", "encode_line"]

_BLANKS = b" \t\r"


def encode_line(json: bytes) -> bytes:
    """Return `json` as one line with its LF.

    Raises:
        ValueError: `json` is blank or holds a raw CR or LF (JSON text written compactly holds
            none): our mistake.
    """
    if b"\n" in json or b"\r" in json:
        raise ValueError("an NDJSON line cannot hold a raw CR or LF; write the JSON compactly")
    if not json.strip(_BLANKS):
        raise ValueError("an NDJSON line cannot be blank; readers skip blank lines")
    return json + b"\n"


class NdjsonDecoder:
    """Turns bytes, cut anywhere, into lines.

    Args:
        line_bytes_max: Longest line in bytes, its LF not counted.

    Attributes:
        lines_before_fault: Lines of the very chunk that went over the limit, completed before the
            fault. They come here because the error took the place of `feed`'s answer.
    """

    def __init__(self, *, line_bytes_max: int = limits.NDJSON_LINE_BYTES_MAX) -> None:
        self.lines_before_fault: list[bytes] = []
        self._lines = LineSplitter(line_bytes_max=line_bytes_max)

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the lines that `chunk` completes, without LF or CRLF; blank ones are skipped.

        Raises:
            FrameTooLarge: A line is over the limit. `lines_before_fault` has what this chunk
                completed before it. The decoder then holds nothing more, and every further call
                raises the same error.
        """
        if self._lines.is_over:
            self._raise_fault()
        lines = _drop_blank_lines(self._lines.split(chunk))
        if self._lines.is_over:
            self.lines_before_fault = lines
            self._raise_fault()
        return lines

    def flush(self) -> list[bytes]:
        """Return the last line if it came without its LF, else nothing; for the end of the body.

        Raises:
            FrameTooLarge: As `feed`, if an earlier chunk went over the limit.
        """
        if self._lines.is_over:
            self._raise_fault()
        return _drop_blank_lines([self._lines.take_rest()])

    def _raise_fault(self) -> NoReturn:
        raise FrameTooLarge(what="NDJSON line", limit_bytes=self._lines.line_bytes_max)


def _drop_blank_lines(lines: list[bytes]) -> list[bytes]:
    return [line.removesuffix(b"\r") for line in lines if line.strip(_BLANKS)]
