"""Where a reader wants to go on: `Last-Event-ID` or `after`, which attach or are refused."""

from starlette.requests import HTTPConnection

from potok.errors import OffsetInvalid, RunNotFound
from potok.events.envelope import Place, parse_place
from potok.server.headers import header_of

__all__ = ["place_asked", "place_in_run", "run_of"]


def place_asked(request: HTTPConnection) -> Place | None:
    """Return the place that a request names, None if it names none.

    The header wins over `after`: a browser's EventSource comes back to the address it was opened
    with, and only its header has moved on.

    Raises:
        OffsetInvalid: neither empty nor a place: such a request never starts anything.
    """
    named = header_of(request.scope, "last-event-id") or request.query_params.get("after")
    return parse_place(named) if named else None


def place_in_run(request: HTTPConnection, run: str) -> Place | None:
    """Return the place within `run` that a request names.

    Raises:
        OffsetInvalid: see `place_asked`.
        RunNotFound: the place is one of another run.
    """
    place = place_asked(request)
    if place is not None and place.run is not None and place.run != run:
        raise RunNotFound(place.run)
    return place


def run_of(place: Place) -> str:
    """Return the run that a place names, for paths that name none.

    Raises:
        OffsetInvalid: the place does not say of which run it is.
    """
    if place.run is None:
        raise OffsetInvalid(
            str(place.offset), why="it does not say of which run it is (`<run>.<offset>`)"
        )
    return place.run
