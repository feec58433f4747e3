"""One writer's rules: what it may still write, what it holds back, and how it ends. Pure.

The driver feeds it what an agent yields and takes batches from it; a batch is the writer's own
until the log has answered. Nothing follows the one `run-end`.
"""

from collections.abc import Iterable, Sequence

import msgspec

from potok.errors import GrammarViolation
from potok.events.closing import closing_events
from potok.events.coalesce import coalesce
from potok.events.fold import Fold, Message
from potok.events.grammar import GrammarChecker
from potok.events.json_form import encode_event
from potok.events.kinds import Event, RunEnd, RunStart, TextDelta
from potok.limits import EVENT_BYTES_MAX, RUN_EVENTS_MAX

__all__ = ["Production"]

# What a delta costs beside its text: names, quotes, the part's id.
_EVENT_OVERHEAD_BYTES = 64


class Production:
    """Holds one run's unwritten events and its fold; `admitted` counts all events ever taken."""

    __slots__ = (
        "_admitted_when_taken",
        "_checker",
        "_ended",
        "_fold",
        "_pending",
        "_taken",
        "admitted",
        "pending_bytes",
        "stored",
    )

    def __init__(self) -> None:
        self._checker = GrammarChecker()
        self._fold = Fold()
        self._pending: list[Event] = []
        self._taken: tuple[Event, ...] = ()
        self._ended = False
        self.admitted = 0
        self.stored = 0
        """How many of the admitted events the log has, in their order."""
        self.pending_bytes = 0
        self._admitted_when_taken = 0

    def replay(self, stored: Iterable[Event]) -> None:
        """Take events that the log already holds, before anything new; they are not written."""
        for event in stored:
            self._checker.admit(event)
            self._fold.feed(event)
            self.admitted += 1
        self.stored = self.admitted

    @property
    def message(self) -> Message:
        """What the events so far fold into, written or not."""
        return self._fold.message

    @property
    def has_started(self) -> bool:
        """Whether the run's `run-start` was taken."""
        return self.admitted > 0

    @property
    def is_ended(self) -> bool:
        """Whether the `run-end` was taken; it may still have to be written."""
        return self._ended

    @property
    def is_settled(self) -> bool:
        """Whether all that was taken is written."""
        return not self._pending and not self._taken

    def begin(self, start: RunStart) -> None:
        """Take the run's first event."""
        self._take(start)

    def admit(self, events: Sequence[Event]) -> RunEnd | None:
        """Take the agent's next events; a `run-end` among them is handed back, not written.

        Raises:
            GrammarViolation: an agent broke the grammar or a limit; earlier events of the batch
                stay taken.
        """
        for place, event in enumerate(events):
            kind = type(event)
            if kind is RunEnd:
                if place != len(events) - 1:
                    raise GrammarViolation("an agent gave events after its run-end")
                return event  # type: ignore[return-value]
            if kind is RunStart:
                raise GrammarViolation("an agent gave a run-start, which is the producer's")
            self._take(event)
        return None

    def _take(self, event: Event) -> None:
        if self._ended:
            raise GrammarViolation("an event came after the run's end")
        if self.admitted >= RUN_EVENTS_MAX:
            raise GrammarViolation(f"the run has more than {RUN_EVENTS_MAX} events")
        try:
            if type(event) is TextDelta and event.extra is None and event.logprobs is None:
                size = len(event.text.encode()) + _EVENT_OVERHEAD_BYTES
            else:
                size = len(encode_event(event))
        except UnicodeEncodeError as error:
            raise GrammarViolation("an event has half a surrogate pair in its text") from error
        if size > EVENT_BYTES_MAX:
            raise GrammarViolation(f"an event is larger than {EVENT_BYTES_MAX} bytes")
        self._checker.admit(event)
        self._fold.feed(event)
        self._pending.append(event)
        self.pending_bytes += size
        self.admitted += 1

    def end(self, ending: RunEnd) -> None:
        """Close what is open, then take the one `run-end`; a second call changes nothing."""
        if self._ended:
            return
        for event in closing_events(self._checker, outcome=ending.outcome):
            self._take(event)
        self._take(ending)
        self._ended = True

    def take(self) -> tuple[Event, ...]:
        """Return what to write next, merged; the same again until `written` was called."""
        if not self._taken:
            self._taken = tuple(coalesce(self._pending))
            self._pending.clear()
            self.pending_bytes = 0
            self._admitted_when_taken = self.admitted
        return self._taken

    def written(self) -> None:
        """Forget the batch that `take` gave: the log has it."""
        self._taken = ()
        self.stored = self._admitted_when_taken

    def snapshot(self) -> bytes:
        """Return the folded message as JSON."""
        return msgspec.json.encode(self._fold.message)
