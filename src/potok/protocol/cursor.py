"""The last place that a reader has seen, and what the next frame's id means against it (spec 4).

Ids are compared, never computed into new ones: what is sent to the server is an id that it gave.
"""

from enum import Enum

from potok.errors import OffsetInvalid
from potok.events.envelope import Place, parse_place

__all__ = ["Cursor", "Verdict"]


class Verdict(Enum):
    """What an id says: go on, seen before, something is missing before it, or no id of this run."""

    NEW = "new"
    OLD = "old"
    GAP = "gap"
    FOREIGN = "foreign"


class Cursor:
    """Keeps one reader's place.

    Args:
        after: The last id seen, as the server gave it; None or `0` for nothing yet.
        is_dense: Whether every event of the run has a frame in this dialect, so that a jump means
            a loss. Where some events have none, only ids seen before are told apart.

    Raises:
        OffsetInvalid: `after` is no id.
    """

    __slots__ = ("_is_dense", "_place", "after")

    def __init__(self, after: str | None, *, is_dense: bool = True) -> None:
        self._is_dense = is_dense
        self._place = parse_place(after or "0")
        self.after = after

    def skip_to(self, after: str) -> bool:
        """Go on after a later place of the same run; False if it is none, and nothing changes."""
        try:
            place = parse_place(after)
        except OffsetInvalid:
            return False
        if place.offset < self._place.offset:
            return False
        self._place = place
        self.after = after
        return True

    def admit(self, id: str) -> Verdict:
        """Judge the id of the next frame, and go on after it if it is new."""
        try:
            place = parse_place(id)
        except OffsetInvalid:
            return Verdict.FOREIGN
        last = self._place
        if place.run is not None and last.run is not None and place.run != last.run:
            return Verdict.FOREIGN
        if place.offset < last.offset or (
            # An id without a frame stands behind all frames of its event.
            place.offset == last.offset and (not last.frame or 0 < place.frame <= last.frame)
        ):
            return Verdict.OLD
        if self._is_dense and not _is_next(place, last):
            return Verdict.GAP
        self._place = place
        self.after = id
        return Verdict.NEW


def _is_next(place: Place, last: Place) -> bool:
    if place.offset == last.offset:
        return place.frame == last.frame + 1
    return place.offset == last.offset + 1 and place.frame <= 1
