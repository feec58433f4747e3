"""The contract of dialects: stored events in, frames of one wire protocol out. Pure."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from potok.errors import PotokError
from potok.events.envelope import StoredEvent

__all__ = ["Dialect", "Encoder", "Reading"]


class Reading(msgspec.Struct, frozen=True):
    """What an encoder must know of the run and of the way it is read."""

    run: str
    model: str
    created: int
    """Seconds since the epoch, UTC."""
    language: str = "en"
    """Of the run's texts for people."""
    ids_name_run: bool = False
    """Whether frame ids are `<run>.<offset>`: set where the path does not name the run."""
    include_usage: bool = False
    """Whether the reader asked for a usage frame (Chat Completions `stream_options`)."""


class Encoder(Protocol):
    """Turns one reader's events into frames. Holds only what earlier events of the run decide."""

    def pass_over(self, events: Sequence[StoredEvent], *, frame: int = 0) -> list[bytes]:
        """Take events that the reader has already seen; page by page, in order.

        Args:
            events: All from the run's first one where the dialect `needs_history`.
            frame: As in `Place`: the reader has only that many frames of the last event; 0 says
                that it has them all. Give it with the last page.

        Returns:
            The frames of the last event that the reader has not; always empty without `frame`.

        Raises:
            OffsetInvalid: the last event has no such frame in this dialect.
        """
        ...

    def encode(self, events: Sequence[StoredEvent]) -> list[bytes]:
        """Return the frames of the next events, each of them whole.

        An event may have no frame, one whose id is its offset, or several whose ids are
        `<offset>.<frame>`, counted from 1. Frames depend on the events alone, never on how they
        are batched. After those of `run-end` (or of what this dialect must end at) `is_ended` is
        true, and nothing more is encoded.
        """
        ...

    def heartbeat(self) -> bytes:
        """Return bytes that keep a quiet connection open and mean nothing between two frames."""
        ...

    @property
    def is_ended(self) -> bool:
        """Whether the dialect's last frame was given."""
        ...

    @property
    def ends_cleanly(self) -> bool:
        """Whether a body that ends now may end as a whole one; else it must be cut."""
        ...


class Dialect(Protocol):
    """One wire protocol."""

    @property
    def name(self) -> str:
        """The dialect's name, as stored in `RunRequest.face`."""
        ...

    @property
    def media_type(self) -> str:
        """The Content-Type of a stream."""
        ...

    @property
    def can_retract(self) -> bool:
        """Whether readers can be told that text shown to them is taken back."""
        ...

    @property
    def needs_history(self) -> bool:
        """Whether an encoder must pass over earlier events to resume in the middle."""
        ...

    def encoder(self, reading: Reading) -> Encoder:
        """Return an encoder for one reader."""
        ...

    def encode_error(self, error: PotokError) -> bytes:
        """Return the JSON body of an error answer in this dialect's own shape."""
        ...
