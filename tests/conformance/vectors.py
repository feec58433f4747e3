"""Reads the rows of `spec/vectors`."""

import json
from pathlib import Path
from typing import Any

from potok.events.json_form import decode_event
from potok.events.kinds import Event

FOLDER = Path(__file__).parents[2] / "spec" / "vectors"


def read_rows(file: str) -> list[dict[str, Any]]:
    """Return the rows of one file; their names are unique."""
    rows: list[dict[str, Any]] = json.loads((FOLDER / file).read_text(encoding="utf-8"))
    assert len({row["name"] for row in rows}) == len(rows), f"{file} has a name twice"
    return rows


def read_events(values: list[Any]) -> list[Event]:
    """Return events as a reader gets them: from their JSON."""
    return [decode_event(json.dumps(value).encode()) for value in values]
