"""What the store has shown of one run, and the checks that hold for every run at every time."""

from collections.abc import Sequence

import msgspec

from potok.clock import RunId
from potok.errors import LogLost, OffsetExpired, RunNotFound
from potok.events.envelope import Offset, StoredEvent
from potok.events.fold import Fold, Message
from potok.events.grammar import GrammarChecker
from potok.events.kinds import RunEnd
from potok.limits import READ_EVENTS_MAX
from potok.streamlog.contract import RunRecord, StreamLog
from tests.simulation.stories import Story

__all__ = ["NEXT", "Ledger"]

NEXT = {
    "queued": {"queued", "running", "finished", "cancelled", "failed"},
    "running": {"running", "finished", "cancelled", "failed"},
}
"""What a status may be when it is seen next; an ended one never changes."""


# A run that is read while it grows is read again; it ends after fewer events than these.
ROUNDS_MAX = 200


class Ledger:
    """One run, as the store told of it step by step. Nothing that it told may change later."""

    def __init__(self, record: RunRecord) -> None:
        self.run: RunId = record.run
        self.story = Story.of(record.request.messages)
        self.record = record
        self.events: list[StoredEvent] = []
        self.is_trimmed = False
        self.is_forgotten = False
        self.was_leaving = record.request.on_disconnect == "cancel"
        self._grammar = GrammarChecker()
        self._fold = Fold()

    @property
    def text(self) -> str:
        """The text so far, if it could all be read."""
        return self._fold.message.text

    @property
    def ending(self) -> RunEnd | None:
        """The run's end, None while it lives."""
        last = self.events[-1].event if self.events else None
        return last if isinstance(last, RunEnd) else None

    async def catch_up(self, store: StreamLog, record: RunRecord) -> None:
        """Read what is new, and check it against all that was seen before."""
        for _ in range(ROUNDS_MAX):
            self._compare(record)
            self.record = record
            await self._read_rest(store)
            if self.is_trimmed:
                return
            if record.tail == len(self.events):
                self._check_end()
                return
            # It grew while it was read.
            record = await store.read_run(self.run)
        raise AssertionError(f"{self.run}: the record tells another tail than {len(self.events)}")

    async def _read_rest(self, store: StreamLog) -> None:
        while not self.is_trimmed:
            after = Offset(len(self.events))
            try:
                page = await store.read(self.run, after=after, events_max=READ_EVENTS_MAX)
            except (OffsetExpired, LogLost, RunNotFound):
                assert not self.record.is_live, "a live run loses nothing"
                self.is_trimmed = True
                return
            self._take(page.events)
            if not page.events:
                return

    def _compare(self, record: RunRecord) -> None:
        before = self.record
        allowed = NEXT.get(before.status, {before.status})
        assert record.status in allowed, f"{self.run}: {before.status}, then {record.status}"
        assert record.epoch >= before.epoch, f"{self.run}: its epoch went back"
        assert record.tail >= before.tail, f"{self.run}: its tail went back"
        assert record.request_hash == before.request_hash

    def _take(self, events: Sequence[StoredEvent]) -> None:
        for stored in events:
            assert stored.offset == len(self.events) + 1, f"{self.run}: a gap in the log"
            self._grammar.admit(stored.event)
            self._fold.feed(stored.event)
            self.events.append(stored)

    def _check_end(self) -> None:
        ending = self.ending
        assert self.record.is_live == (ending is None), f"{self.run}: {self.record.status}"
        uncut = self.story.text
        assert uncut.startswith(self.text), f"{self.run}: {self.text!r} is not of {uncut!r}"
        if ending is None:
            return
        assert ending.outcome == self.record.status
        if ending.outcome == "finished":
            assert self.text == uncut, f"{self.run}: {self.text!r} is not {uncut!r}"

    async def check_snapshot(self, store: StreamLog) -> None:
        """Check that the kept message is what the events fold into."""
        kept = (await store.read_run(self.run)).snapshot
        assert kept is not None, f"{self.run}: it ended without a snapshot"
        message = msgspec.json.decode(kept, type=Message)
        assert self.story.text.startswith(message.text)
        if not self.is_trimmed:
            assert message == self._fold.message, f"{self.run}: the snapshot is another message"

    async def check_whole(self, store: StreamLog) -> None:
        """Read all of it once more: it is what it was."""
        if self.is_trimmed or self.is_forgotten:
            return
        again: list[StoredEvent] = []
        try:
            while len(again) < len(self.events):
                after = Offset(len(again))
                page = await store.read(self.run, after=after, events_max=7)
                again += page.events
        except OffsetExpired:
            return
        assert again == self.events, f"{self.run}: its events changed"
