from typing import Any

import msgspec
import pytest

from potok.events.coalesce import coalesce
from potok.events.fold import Fold, Message
from potok.events.kinds import Event
from tests.conformance.vectors import read_events, read_rows

ROWS = read_rows("fold.json")
each_row = pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])


def fold(events: list[Event]) -> Message:
    folding = Fold()
    for event in events:
        folding.feed(event)
    return folding.message


def as_json(message: Message) -> Any:
    return msgspec.json.decode(msgspec.json.encode(message))


def test_the_table_has_all_its_rows() -> None:
    assert len(ROWS) == 29


@each_row
def test_a_row_folds_into_its_message(row: dict[str, Any]) -> None:
    message = fold(read_events(row["events"]))

    assert as_json(message) == row["message"]
    assert message.text == row["text"]


@each_row
def test_a_row_whose_deltas_were_joined_folds_into_the_same(row: dict[str, Any]) -> None:
    message = fold(coalesce(read_events(row["events"])))

    assert as_json(message) == row["message"]


@each_row
def test_a_stored_message_comes_back(row: dict[str, Any]) -> None:
    message = msgspec.convert(row["message"], Message)

    assert message == fold(read_events(row["events"]))
