"""An event plus its place in a run: what a log stores and a reader gets."""

import re
from typing import Final, NewType

import msgspec

from potok.errors import OffsetInvalid
from potok.events.kinds import Event

__all__ = ["START", "Offset", "Place", "StoredEvent", "parse_place"]

Offset = NewType("Offset", int)
"""The place of an event: the run's events counted from 1; 0 is the start. Clients see a string
that they compare for equality and never compute (spec 4)."""

START: Final = Offset(0)

_PLACE = re.compile(
    r"(?:(?P<run>[A-Za-z0-9_-]{16,64})\.)?(?P<offset>[0-9]{1,15})(?:\.(?P<frame>[0-9]{1,9}))?",
    re.ASCII,
)


class StoredEvent(msgspec.Struct, frozen=True, gc=False):
    """One event in the log: `at` is its commit's time in seconds since the epoch, UTC."""

    offset: Offset
    event: Event
    at: float


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a reader was: the run if the id named one, the offset, the frame within its event."""

    run: str | None
    offset: Offset
    frame: int = 0


def parse_place(text: str) -> Place:
    """Read `<offset>`, `<offset>.<frame>`, or either after `<run>.` (spec 4.2).

    Run ids have at least 16 characters and offsets at most 15, so no two forms can be mistaken.

    Raises:
        OffsetInvalid: none of these forms.
    """
    found = _PLACE.fullmatch(text)
    if found is None:
        raise OffsetInvalid(text, why="it is not an offset")
    return Place(
        run=found["run"], offset=Offset(int(found["offset"])), frame=int(found["frame"] or 0)
    )
