"""Where a run's events are: one small record per commit that held some. Pure.

Its bytes in memory are its bytes in the store: u64 base segment, then per chunk four u32: offset of
its first event, segment minus base, first byte, bytes (little-endian).
"""

from bisect import bisect_right
from struct import Struct

from potok.events.envelope import Offset
from potok.limits import READ_BYTES_MAX
from potok.streamlog.segments import Place

__all__ = ["RunIndex"]

_BASE = Struct("<Q")
_PLACE = Struct("<IIII")
_FIRST = Struct("<I")


class RunIndex:
    """The places of a run's chunks, oldest first.

    One thread adds while others look up what was there before: a record comes with one `+=`, and
    no look-up goes beyond the tail that it is given.
    """

    __slots__ = ("_base", "_records")

    def __init__(self, *, base: int, records: bytes = b"") -> None:
        self._base = base
        self._records = bytearray(records)

    @classmethod
    def from_bytes(cls, stored: bytes) -> "RunIndex":
        """Read what `to_bytes` wrote."""
        return cls(base=_BASE.unpack_from(stored)[0], records=stored[_BASE.size :])

    def to_bytes(self, *more: Place) -> bytes:
        """Return the index as it is stored, with places that are not added yet."""
        return (
            _BASE.pack(self._base) + self._records + b"".join(self._pack(place) for place in more)
        )

    def add(self, place: Place) -> None:
        """Note where the run's next events are."""
        self._records += self._pack(place)

    def places(self, after: Offset, *, tail: Offset, events_max: int) -> list[tuple[Place, int]]:
        """Return the chunks, each with its count of events, that hold what follows `after`.

        Enough for `events_max` events, or fewer when they would be over `READ_BYTES_MAX`.
        """
        records, wanted = self._records, min(after + events_max, tail)
        record = bisect_right(_Firsts(records), after + 1) - 1
        found: list[tuple[Place, int]] = []
        length_sum = 0
        while after < wanted:
            first, delta, position, length = _PLACE.unpack_from(records, record * _PLACE.size)
            length_sum += length
            if found and length_sum > READ_BYTES_MAX:
                break
            record += 1
            # Beyond the tail there may be a record more, of a commit that nobody may see yet.
            is_last = record * _PLACE.size >= len(records)
            after = Offset(tail if is_last else _FIRST.unpack_from(records, record * 16)[0] - 1)
            place = Place(Offset(first), self._base + delta, position, length)
            found.append((place, after - first + 1))
        return found

    def _pack(self, place: Place) -> bytes:
        return _PLACE.pack(place.first, place.segment - self._base, place.position, place.length)


class _Firsts:
    """The offsets of an index's records as a sequence, for the binary search."""

    __slots__ = ("_records",)

    def __init__(self, records: bytearray) -> None:
        self._records = records

    def __len__(self) -> int:
        return len(self._records) // _PLACE.size

    def __getitem__(self, record: int) -> int:
        first: int = _FIRST.unpack_from(self._records, record * _PLACE.size)[0]
        return first
