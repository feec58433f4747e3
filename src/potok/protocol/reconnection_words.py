"""What a client's rules of reconnection hear and say; the rules are `reconnection`.

A *line* is one connection that carries the stream: an HTTP answer, or a socket.
"""

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Abort",
    "Begun",
    "Cancelled",
    "Closed",
    "Command",
    "Connect",
    "Deliver",
    "Ending",
    "Failed",
    "Finished",
    "GapSaid",
    "GiveUp",
    "HeartbeatSeen",
    "Input",
    "Offline",
    "Online",
    "Opened",
    "Received",
    "Refused",
    "RetrySaid",
    "SnapshotTaken",
    "TimePassed",
    "Visible",
    "WaitUntil",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The reader wants the stream; heard once, first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The line is open: the answer's headers came, or the socket's greeting.

    `status` 204: nothing will ever follow; a socket may say so on an open line, too.
    `heartbeat_seconds` is the server's own word for its interval, None if it said none.
    """

    status: int = 200
    heartbeat_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A frame came; `id` is its own id, None if it has none. `is_end`: the stream ends with it."""

    id: str | None = None
    is_end: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatSeen:
    """A sign of life came that carries nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySaid:
    """The server wished for a wait before reconnects (`retry:`)."""

    milliseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The line ended. Before the stream's end a clean close is a cut like any other."""

    is_clean: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """There is no line, or what came over it cannot be read.

    `too_large`: a frame over the reader's limits, which would come again each time.
    """

    kind: Literal["network", "timeout", "malformed", "too_large"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The server answered with an error status, or a socket with an error that stands for one.

    `code` is the error's own, None if the answer held none. `is_final`: it said that sending the
    same again is useless (`x-should-retry: false`). `first` and `snapshot` come with
    `offset_expired`.
    """

    status: int
    code: str | None = None
    retry_after_seconds: float | None = None
    is_final: bool = False
    first: str | None = None
    snapshot: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotTaken:
    """After `GapSaid`: the reader has the whole message up to `offset`."""

    offset: str
    is_ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """The moment of the last `WaitUntil` has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offline:
    """The machine says that it has no network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Online:
    """The machine says that it has a network again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visible:
    """Somebody looks at the page again; its line may have been frozen meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """The reader wants no more of the stream."""


Input = (
    Begun
    | Opened
    | Received
    | HeartbeatSeen
    | RetrySaid
    | Closed
    | Failed
    | Refused
    | SnapshotTaken
    | TimePassed
    | Offline
    | Online
    | Visible
    | Cancelled
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """Open a line after `after`; None: nothing was seen, send the very first request again."""

    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitUntil:
    """Say `TimePassed` at that moment; it takes the place of an earlier one."""

    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    """Hand on the frame or the snapshot just told; without this command it is of no use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort:
    """Drop the line, or the call for the snapshot; nothing that still comes of it is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GapSaid:
    """Events up to `first` are missing: read the snapshot, then say `SnapshotTaken`.

    `snapshot` is its path if the server named one.
    """

    first: str | None
    snapshot: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Nothing more is tried. `reason` is the server's code, or one of the reader's own.

    Its own: `tries_spent`, `time_spent`, `frame_too_large`, `http_<status>`. `status` is the last
    refusal's, None if the last try was not refused.
    """

    reason: str
    status: int | None = None


Ending = Literal["run-end", "already-read", "snapshot", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The reader has all there is, or (`cancelled`) all it wanted. `already-read` is a 204."""

    how: Ending


Command = Connect | WaitUntil | Deliver | Abort | GapSaid | GiveUp | Finished
