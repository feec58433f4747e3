import base64
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from potok.wire.sse import SseDecoder, SseEvent

VECTORS = Path(__file__).parents[2] / "spec" / "vectors" / "sse.json"
# Above this size every cut point would cost seconds; such rows are cut at drawn places.
SHORT_BYTES_MAX = 512


class Row(NamedTuple):
    name: str
    body: bytes
    events: list[SseEvent]
    retry_ms: int | None


def generate_long_line(*, letter: str, count: int) -> tuple[bytes, list[SseEvent]]:
    text = letter * count
    return f"data:{text}\n\n".encode(), [SseEvent("message", text, "")]


def generate_numbered_events(*, count: int) -> tuple[bytes, list[SseEvent]]:
    body = "".join(f"id:{number}\ndata:{number}\n\n" for number in range(count))
    return body.encode(), [SseEvent("message", str(number), str(number)) for number in range(count)]


def generate_repeated_data_lines(*, value: str, count: int) -> tuple[bytes, list[SseEvent]]:
    body = f"data:{value}\n" * count + "\n"
    return body.encode(), [SseEvent("message", "\n".join([value] * count), "")]


GENERATORS: dict[str, Callable[..., tuple[bytes, list[SseEvent]]]] = {
    "long_line": generate_long_line,
    "numbered_events": generate_numbered_events,
    "repeated_data_lines": generate_repeated_data_lines,
}


def read_rows() -> Iterator[Row]:
    for row in json.loads(VECTORS.read_text(encoding="utf-8")):
        if "generate" in row:
            arguments = dict(row["generate"])
            body, events = GENERATORS[arguments.pop("kind")](**arguments)
        else:
            body = base64.b64decode(row["base64"])
            events = msgspec.convert(row["events"], list[SseEvent])
        yield Row(row["name"], body, events, row["retry_ms"])


ROWS = list(read_rows())
each_row = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])


def read(chunks: Iterable[bytes]) -> tuple[list[SseEvent], int | None]:
    decoder = SseDecoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    return events, decoder.retry_ms


def draw_chunks(body: bytes, *, seed: int, size_max: int) -> Iterator[bytes]:
    """Cut at places that depend on the seed alone (a linear congruential generator)."""
    start, state = 0, seed
    while start < len(body):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        end = start + 1 + (state >> 33) % size_max
        yield body[start:end]
        start = end


def test_the_table_has_all_its_rows_under_their_own_names() -> None:
    names = {row.name for row in ROWS}

    assert len(ROWS) == len(names) == 68


@each_row
def test_a_row_fed_whole_gives_its_events(row: Row) -> None:
    assert read([row.body]) == (row.events, row.retry_ms)


@each_row
def test_a_row_fed_byte_by_byte_gives_its_events(row: Row) -> None:
    single_bytes = (row.body[place : place + 1] for place in range(len(row.body)))

    assert read(single_bytes) == (row.events, row.retry_ms)


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if len(row.body) <= SHORT_BYTES_MAX],
    ids=lambda row: row.name,
)
def test_a_short_row_cut_at_any_place_gives_its_events(row: Row) -> None:
    for cut in range(len(row.body) + 1):
        halves = [row.body[:cut], b"", row.body[cut:]]

        assert read(halves) == (row.events, row.retry_ms), f"cut at byte {cut}"


@pytest.mark.parametrize("size_max", [7, 1_000, 70_000])
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if len(row.body) > SHORT_BYTES_MAX],
    ids=lambda row: row.name,
)
def test_a_long_row_cut_at_drawn_places_gives_its_events(
    row: Row, seed: int, size_max: int
) -> None:
    chunks = draw_chunks(row.body, seed=seed, size_max=size_max)

    assert read(chunks) == (row.events, row.retry_ms)
