"""A client's rules: when to retry, from which offset, when to stop (spec 4.3, 5.6). Pure.

The driver tells what happened, with the time and a random fraction, and obeys what comes back:

    IDLE -> CONNECTING -> OPEN -> OVER         the way of a stream that nothing disturbs
    CONNECTING, OPEN, MENDING -> WAITING       a line was lost; WAITING -> where it was going
    CONNECTING, OPEN -> MENDING                a gap: the snapshot is fetched, then CONNECTING

The TypeScript client has a twin of it; both pass `spec/vectors/reconnection.json`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from potok import limits
from potok.protocol.buffering import BufferingWatch
from potok.protocol.cursor import Cursor, Verdict
from potok.protocol.reconnection_words import (
    Abort,
    Begun,
    Cancelled,
    Closed,
    Command,
    Connect,
    Deliver,
    Ending,
    Failed,
    Finished,
    GapSaid,
    GiveUp,
    HeartbeatSeen,
    Input,
    Offline,
    Online,
    Opened,
    Received,
    Refused,
    RetrySaid,
    SnapshotTaken,
    TimePassed,
    Visible,
    WaitUntil,
)

__all__ = ["Reconnection", "Rules", "State"]

_NO_CONTENT = 204
_GONE = 410
_RETRIED_STATUSES = frozenset({408, 425, 429})
_SERVER_ERRORS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What one reader grants; seconds, and tries in a row with nothing new between them.

    `heartbeat_seconds` None: the line shows no heartbeats, so its silence says nothing.
    `is_dense` as in `Cursor`.
    """

    base_seconds: float = limits.RECONNECT_SECONDS
    multiplier: float = 2.0
    max_seconds: float = limits.RECONNECT_SECONDS_MAX
    tries_max: int = limits.RECONNECT_TRIES_MAX
    outage_seconds_max: float = limits.RECONNECT_OUTAGE_SECONDS_MAX
    open_seconds: float = limits.RECONNECT_OPEN_SECONDS
    heartbeat_seconds: float | None = limits.RECONNECT_HEARTBEAT_SECONDS
    is_dense: bool = True


class State(Enum):
    """Where a reader is; see the module's picture."""

    IDLE = "idle"
    CONNECTING = "connecting"
    OPEN = "open"
    WAITING = "waiting"
    MENDING = "mending"
    OVER = "over"


Said = tuple[Command, ...]
_WITH_LINE = (State.CONNECTING, State.OPEN, State.MENDING)


class Reconnection:
    """One reader of one stream, over as many lines as that takes.

    Args:
        after: Where to begin: the last id seen; `0` for the start of a run that exists; None if
            the stream is still to be started.

    Raises:
        OffsetInvalid: `after` is no id.

    Attributes:
        state: For people who wait.
        tries: Failed tries in a row.
    """

    def __init__(self, *, after: str | None, rules: Rules | None = None) -> None:
        self.state = State.IDLE
        self.tries = 0
        self._rules = rules = rules or Rules()
        self._cursor = Cursor(after, is_dense=rules.is_dense)
        self._watch = BufferingWatch()
        self._base_seconds = rules.base_seconds
        self._heartbeat_seconds = rules.heartbeat_seconds
        self._deadline: float | None = None
        self._outage_since: float | None = None
        self._status: int | None = None
        self._is_offline = False
        self._opened_at = 0.0
        self._sign_at = 0.0
        self._gap: GapSaid | None = None
        # Whether a snapshot was taken and nothing new has come since.
        self._is_mended = False

    @property
    def after(self) -> str | None:
        """The last id seen: where a later reader can go on."""
        return self._cursor.after

    @property
    def is_buffered(self) -> bool:
        """Advice: something on the way holds the stream back (see `BufferingWatch`)."""
        return self._watch.is_buffered

    def receive(self, heard: Input, *, now: float, fraction: float) -> Said:
        """Hear what happened and return what to do, in order.

        Args:
            now: Monotonic seconds.
            fraction: A new random number, 0 <= x < 1, for the jitter of a wait.
        """
        if self.state is State.OVER:
            return ()
        return _STEPS[type(heard)](self, heard, now, fraction)

    # The stream

    def _begun(self, heard: Begun, now: float, fraction: float) -> Said:
        return self._go_on(now) if self.state is State.IDLE else ()

    def _opened(self, heard: Opened, now: float, fraction: float) -> Said:
        if heard.status == _NO_CONTENT and self.state in (State.CONNECTING, State.OPEN):
            return self._finish("already-read")
        if self.state is not State.CONNECTING:
            return ()
        self.state = State.OPEN
        self._opened_at = self._sign_at = now
        self._watch.opened()
        if self._rules.heartbeat_seconds is not None and heard.heartbeat_seconds is not None:
            self._heartbeat_seconds = heard.heartbeat_seconds
        self._deadline = self._silence_ends()
        return () if self._deadline is None else (WaitUntil(at=self._deadline),)

    def _received(self, heard: Received, now: float, fraction: float) -> Said:
        if self.state is not State.OPEN:
            return ()
        self._sign_at = now
        self._watch.event(now)
        verdict = Verdict.NEW if heard.id is None else self._cursor.admit(heard.id)
        if verdict is Verdict.OLD:
            return ()
        if verdict is Verdict.FOREIGN:
            return (Abort(), *self._retry(now, fraction))
        if verdict is Verdict.GAP:
            return (Abort(), *self._meet_gap(GapSaid(first=heard.id), now, fraction))
        self._forgive()
        self._is_mended = False
        return (Deliver(), *self._finish("run-end")) if heard.is_end else (Deliver(),)

    def _heartbeat_seen(self, heard: HeartbeatSeen, now: float, fraction: float) -> Said:
        if self.state is not State.OPEN:
            return ()
        self._sign_at = now
        self._watch.heartbeat(now)
        # Not the one that servers send with their headers: a line that only ever opens is no use.
        if now - self._opened_at >= (self._heartbeat_seconds or 0.0) / 2:
            self._forgive()
        return ()

    def _retry_said(self, heard: RetrySaid, now: float, fraction: float) -> Said:
        wished = max(heard.milliseconds / 1000, limits.RECONNECT_SECONDS_MIN)
        self._base_seconds = min(wished, self._rules.max_seconds)
        return ()

    # Faults

    def _lost(self, heard: Closed | Failed, now: float, fraction: float) -> Said:
        if self.state not in _WITH_LINE:
            return ()
        if isinstance(heard, Failed) and heard.kind == "too_large":
            return self._give_up("frame_too_large")
        return self._retry(now, fraction)

    def _refused(self, heard: Refused, now: float, fraction: float) -> Said:
        if self.state not in _WITH_LINE:
            return ()
        # A socket can refuse what it had begun; an open line is dropped before anything else.
        dropped: Said = (Abort(),) if self.state is State.OPEN else ()
        is_expired = heard.status == _GONE and heard.code == "offset_expired"
        if is_expired and self.state is not State.MENDING:
            gap = GapSaid(first=heard.first, snapshot=heard.snapshot)
            return dropped + self._meet_gap(gap, now, fraction)
        self._status = heard.status
        is_passing = heard.status in _RETRIED_STATUSES or heard.status >= _SERVER_ERRORS
        if heard.is_final or not is_passing:
            return dropped + self._give_up(heard.code or f"http_{heard.status}")
        return dropped + self._retry(now, fraction, at_least=heard.retry_after_seconds)

    def _snapshot_taken(self, heard: SnapshotTaken, now: float, fraction: float) -> Said:
        if self.state is not State.MENDING:
            return ()
        if not self._cursor.skip_to(heard.offset):
            # It does not even reach the place from which something is missing.
            return self._retry(now, fraction)
        self._gap = None
        self._is_mended = True
        return Deliver(), *(self._finish("snapshot") if heard.is_ended else self._go_on(now))

    # Time and the machine

    def _time_passed(self, heard: TimePassed, now: float, fraction: float) -> Said:
        if self.state is State.OPEN:
            # Signs of life move the end of the silence, but not the timer: not one per token.
            self._deadline = self._silence_ends()
        if self._deadline is None:
            return ()
        if now < self._deadline:
            return (WaitUntil(at=self._deadline),)
        if now - self._deadline >= limits.RECONNECT_SLEEP_SECONDS:
            self._forgive()
        if self.state is State.WAITING:
            return self._go_on(now)
        return (Abort(), *self._retry(now, fraction))

    def _offline(self, heard: Offline, now: float, fraction: float) -> Said:
        # Some machines say so wrongly, and a server on this one needs no network: tries go on,
        # seldom and uncounted.
        self._is_offline = True
        return ()

    def _online(self, heard: Online | Visible, now: float, fraction: float) -> Said:
        if isinstance(heard, Online):
            self._is_offline = False
        self._forgive()
        if self.state is State.WAITING:
            return self._go_on(now)
        heartbeat = self._heartbeat_seconds
        is_silent = heartbeat is not None and now - self._sign_at > heartbeat
        if self.state is State.OPEN and is_silent:
            return (Abort(), *self._go_on(now))
        return ()

    def _cancelled(self, heard: Cancelled, now: float, fraction: float) -> Said:
        has_line = self.state in _WITH_LINE
        finished = self._finish("cancelled")
        return (Abort(), *finished) if has_line else finished

    # What several of these do

    def _go_on(self, now: float) -> Said:
        self._status = None
        if self._gap is not None:
            return self._mend(self._gap, now)
        self.state = State.CONNECTING
        self._deadline = now + self._rules.open_seconds
        return Connect(after=self._cursor.after), WaitUntil(at=self._deadline)

    def _meet_gap(self, gap: GapSaid, now: float, fraction: float) -> Said:
        self._gap = gap
        # A snapshot that led to the next gap did not help: the next one is not taken at once.
        return self._retry(now, fraction) if self._is_mended else self._mend(gap, now)

    def _mend(self, gap: GapSaid, now: float) -> Said:
        self.state = State.MENDING
        self._deadline = now + self._rules.open_seconds
        return gap, WaitUntil(at=self._deadline)

    def _retry(self, now: float, fraction: float, *, at_least: float | None = None) -> Said:
        """Wait before the next try: exponential with full jitter, within the budget."""
        rules = self._rules
        seconds = rules.max_seconds
        if not self._is_offline:
            seconds = self._longest_wait()
            self.tries += 1
        if self.tries > rules.tries_max:
            return self._give_up("tries_spent")
        at = now + fraction * seconds
        if at_least is not None:
            # All who were sent away at once must not come back at once.
            at = now + at_least + fraction * self._base_seconds
        if self._outage_since is None:
            self._outage_since = now
        if not self._is_offline and at - self._outage_since > rules.outage_seconds_max:
            return self._give_up("time_spent")
        self.state = State.WAITING
        self._deadline = at
        return (WaitUntil(at=at),)

    def _longest_wait(self) -> float:
        seconds = self._base_seconds
        for _ in range(self.tries):
            if seconds >= self._rules.max_seconds:
                break
            seconds *= self._rules.multiplier
        return min(seconds, self._rules.max_seconds)

    def _forgive(self) -> None:
        self.tries = 0
        self._outage_since = None

    def _silence_ends(self) -> float | None:
        heartbeat = self._heartbeat_seconds
        if heartbeat is None:
            return None
        return self._sign_at + limits.RECONNECT_SILENT_HEARTBEATS * heartbeat

    def _give_up(self, reason: str) -> Said:
        self.state = State.OVER
        return (GiveUp(reason=reason, status=self._status),)

    def _finish(self, how: Ending) -> Said:
        self.state = State.OVER
        return (Finished(how=how),)


_STEPS: dict[type[Input], Callable[[Reconnection, Any, float, float], Said]] = {
    Begun: Reconnection._begun,
    Opened: Reconnection._opened,
    Received: Reconnection._received,
    HeartbeatSeen: Reconnection._heartbeat_seen,
    RetrySaid: Reconnection._retry_said,
    Closed: Reconnection._lost,
    Failed: Reconnection._lost,
    Refused: Reconnection._refused,
    SnapshotTaken: Reconnection._snapshot_taken,
    TimePassed: Reconnection._time_passed,
    Offline: Reconnection._offline,
    Online: Reconnection._online,
    Visible: Reconnection._online,
    Cancelled: Reconnection._cancelled,
}
