"""What encoders have in common: one run's events in, numbered frames out, an end. Pure."""

from collections.abc import Sequence

from potok.dialects.dialect import Reading
from potok.errors import OffsetInvalid
from potok.events.envelope import StoredEvent
from potok.wire.sse import HEARTBEAT, encode_sse

__all__ = ["RunEncoder"]


class RunEncoder:
    """An `Encoder` whose subclass says which frames an event has.

    An encoder that passes nearly all events on as they are may override `encode` as well, to save
    a call for each.
    """

    __slots__ = ("_id_head", "_is_ended")

    def __init__(self, reading: Reading) -> None:
        self._id_head = f"{reading.run}." if reading.ids_name_run else ""
        self._is_ended = False

    def _frames_of(self, stored: StoredEvent) -> list[bytes]:
        """Return the frames of the next event; sets `_is_ended` at the last one."""
        raise NotImplementedError

    def _frame(self, payload: bytes, place: str) -> bytes:
        """Return one frame."""
        return encode_sse(data=payload, id=place)

    def _numbered(self, payloads: Sequence[bytes], offset: int) -> list[bytes]:
        """Return the frames of one event's payloads, each with its id."""
        place = f"{self._id_head}{offset}"
        if len(payloads) == 1:
            return [self._frame(payloads[0], place)]
        return [
            self._frame(payload, f"{place}.{number}")
            for number, payload in enumerate(payloads, start=1)
        ]

    def encode(self, events: Sequence[StoredEvent]) -> list[bytes]:
        frames: list[bytes] = []
        for stored in events:
            if self._is_ended:
                break
            frames += self._frames_of(stored)
        return frames

    def pass_over(self, events: Sequence[StoredEvent], *, frame: int = 0) -> list[bytes]:
        frames: list[bytes] = []
        for stored in events:
            if self._is_ended:
                break
            frames = self._frames_of(stored)
        if not frame:
            return []
        if frame > len(frames):
            place = f"{events[-1].offset if events else 0}.{frame}"
            raise OffsetInvalid(place, why=f"that event has {len(frames)} frames in this stream")
        return frames[frame:]

    def heartbeat(self) -> bytes:
        return HEARTBEAT

    @property
    def is_ended(self) -> bool:
        return self._is_ended

    @property
    def ends_cleanly(self) -> bool:
        return self._is_ended
