from typing import Any

import pytest

from potok.wire.lines import LineSplitter

BODY = b"one\n\ntwo\r\n" + "три🎉".encode() + b"\nrest"
LINES = [b"one", b"", b"two\r", "три🎉".encode()]


SEARCHES = {"find", "index", "split", "partition", "startswith", "endswith", "splitlines"}


class CountedBuffer(bytearray):
    """Counts in `meter[0]` the bytes added, and its whole length for each copy or search."""

    meter: list[int]

    def __iadd__(self, more: Any) -> "CountedBuffer":
        self.meter[0] += len(more)
        self.extend(more)
        return self

    def __bytes__(self) -> bytes:
        self.meter[0] += len(self)
        return b"".join([self])

    def __getattribute__(self, name: str) -> Any:
        if name in SEARCHES:
            self.meter[0] += len(self)
        return super().__getattribute__(name)

    def __add__(self, more: Any) -> "CountedBuffer":
        self.meter[0] += len(self)
        joined = CountedBuffer(super().__add__(more))
        joined.meter = self.meter
        return joined

    def __contains__(self, wanted: Any) -> bool:
        self.meter[0] += len(self)
        return super().__contains__(wanted)


@pytest.mark.parametrize("cut", range(len(BODY) + 1))
def test_lines_do_not_depend_on_where_the_bytes_were_cut(cut: int) -> None:
    splitter = LineSplitter(line_bytes_max=100)

    lines = splitter.split(BODY[:cut]) + splitter.split(b"") + splitter.split(BODY[cut:])

    assert (lines, splitter.take_rest()) == (LINES, b"rest")


def test_the_rest_is_forgotten_once_taken() -> None:
    splitter = LineSplitter(line_bytes_max=100)
    splitter.split(b"rest")

    assert [splitter.take_rest(), splitter.take_rest()] == [b"rest", b""]


@pytest.mark.parametrize("cut", range(len(b"ab\nabcd\nabcde\nab\n") + 1))
def test_a_line_at_the_limit_passes_and_a_longer_one_stops_all_wherever_cut(cut: int) -> None:
    body = b"ab\nabcd\nabcde\nab\n"
    splitter = LineSplitter(line_bytes_max=4)

    lines = splitter.split(body[:cut]) + splitter.split(body[cut:])

    assert lines == [b"ab", b"abcd"]
    assert splitter.is_over
    assert splitter.take_rest() == b""


def test_a_line_too_long_is_noticed_before_its_end_comes() -> None:
    splitter = LineSplitter(line_bytes_max=4)

    lines = splitter.split(b"ab\nabcde")

    assert (lines, splitter.is_over) == ([b"ab"], True)


def test_many_short_lines_in_one_chunk_are_not_a_long_line() -> None:
    splitter = LineSplitter(line_bytes_max=4)

    lines = splitter.split(b"abcd\n" * 100 + b"abcd")

    assert (len(lines), splitter.is_over) == (100, False)


@pytest.mark.parametrize("size", [1, 2, 999])
def test_a_long_line_in_small_pieces_is_copied_a_fixed_number_of_times(size: int) -> None:
    line = b"y" * 256 * 1024
    splitter = LineSplitter(line_bytes_max=len(line))
    splitter._rest = buffer = CountedBuffer()
    meter = buffer.meter = [0]

    for start in range(0, len(line), size):
        splitter.split(line[start : start + size])
    lines = splitter.split(b"\n")

    assert lines == [line]
    assert len(line) < meter[0] <= 2 * len(line)
