from typing import Any

import pytest

from potok.errors import GrammarViolation
from potok.events.grammar import GrammarChecker
from tests.conformance.vectors import read_events, read_rows

ROWS = read_rows("grammar.json")


def test_the_table_has_all_its_rows() -> None:
    assert len(ROWS) == 55


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_a_row_is_refused_exactly_where_it_says(row: dict[str, Any]) -> None:
    checker = GrammarChecker()
    refused_at: int | None = None

    for place, event in enumerate(read_events(row["events"])):
        try:
            checker.admit(event)
        except GrammarViolation:
            refused_at = place
            break

    assert refused_at == row["refused_at"]
