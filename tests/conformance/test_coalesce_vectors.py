from typing import Any

import pytest

from potok.events.coalesce import coalesce
from tests.conformance.vectors import read_events, read_rows

ROWS = read_rows("coalesce.json")


def test_the_table_has_all_its_rows() -> None:
    assert len(ROWS) == 16


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_a_row_is_joined_as_it_says(row: dict[str, Any]) -> None:
    assert coalesce(read_events(row["events"])) == read_events(row["joined"])
