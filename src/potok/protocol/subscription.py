"""One reader's rules: catch up, follow, keep the line alive, finish. Pure; steps once per page.

The driver asks for the next command, obeys it, and tells what came of it:

    Read -> `page_read`      Wait -> `waited`      Heartbeat -> nothing      Finish -> stop
"""

from enum import Enum
from typing import NamedTuple

from potok.errors import LogLost
from potok.events.envelope import Offset

__all__ = ["Command", "Finish", "Heartbeat", "Read", "Subscription", "Wait"]


class Read(NamedTuple):
    """Read the page that follows `after`."""

    after: Offset


class Wait(NamedTuple):
    """Wait until the run grows beyond `after`, for at most `seconds`."""

    after: Offset
    seconds: float


class Heartbeat(NamedTuple):
    """Tell the client that the line is alive."""


class Finish(NamedTuple):
    """The run's end was delivered."""


Command = Read | Wait | Heartbeat | Finish


class _State(Enum):
    CATCHING_UP = "catching up"
    FOLLOWING = "following"
    FINISHED = "finished"


class Subscription:
    """What one reader has seen, and what it does next. Times are monotonic seconds."""

    __slots__ = ("_heartbeat_at", "_heartbeat_seconds", "_state", "after")

    def __init__(self, *, after: Offset, heartbeat_seconds: float, now: float) -> None:
        self.after = after
        self._heartbeat_seconds = heartbeat_seconds
        self._heartbeat_at = now + heartbeat_seconds
        self._state = _State.CATCHING_UP

    def next_command(self, now: float) -> Command:
        """Return what to do now."""
        if self._state is _State.FINISHED:
            return Finish()
        if self._state is _State.CATCHING_UP:
            return Read(self.after)
        if now >= self._heartbeat_at:
            self._heartbeat_at = now + self._heartbeat_seconds
            return Heartbeat()
        return Wait(self.after, self._heartbeat_at - now)

    def page_read(
        self, *, first: Offset | None, last: Offset | None, tail: Offset, ended: bool, now: float
    ) -> None:
        """Hear what the page held: its first and last offset (None if empty), the run's tail.

        Raises:
            LogLost: the page does not go on where the reader was: a gap is said, never guessed.
        """
        if first is not None and last is not None:
            if first != self.after + 1:
                raise LogLost(
                    f"The store lost events {self.after + 1} to {first - 1} of this run;"
                    " read its snapshot for what is left."
                )
            self.after = last
            self._heartbeat_at = now + self._heartbeat_seconds
        elif tail > self.after:
            raise LogLost(
                f"The store lost events {self.after + 1} to {tail} of this run;"
                " read its snapshot for what is left."
            )
        if ended:
            self._state = _State.FINISHED
        elif self.after >= tail:
            self._state = _State.FOLLOWING

    def waited(self, *, grew: bool) -> None:
        """Hear whether the run grew while waiting."""
        if grew:
            self._state = _State.CATCHING_UP
