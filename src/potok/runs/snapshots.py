"""Folds of live runs, made from the log alone, so that a snapshot never shows unstored text."""

from collections import OrderedDict

import msgspec

from potok.clock import RunId
from potok.events.envelope import START, Offset
from potok.events.fold import Fold, Message
from potok.events.queueing import queue_position
from potok.limits import READ_EVENTS_MAX, SNAPSHOT_FOLDS_MAX
from potok.streamlog.contract import RunRecord, StreamLog

__all__ = ["Snapshots", "shown"]


def shown(record: RunRecord, message: Message, offset: Offset) -> RunRecord:
    """Return a live run's record as its events up to `offset`, folded into `message`, show it.

    To the log a run is `running` from its first event on. It is `queued`, though, until its
    provider is called for the first time: what it tells before that is its place in the line.
    """
    is_queued = queue_position(message) is not None
    status = "queued" if is_queued else record.status
    return msgspec.structs.replace(record, tail=offset, status=status)


class Snapshots:
    """Keeps the folds of the runs asked for last; each call reads only what is new."""

    def __init__(self, log: StreamLog) -> None:
        self._log = log
        self._folds: OrderedDict[RunId, tuple[Fold, Offset]] = OrderedDict()

    async def of(self, run: RunId) -> tuple[Message, Offset]:
        """Return the message so far and the offset it holds.

        The fold is taken out while it reads, so that two calls at once never feed it twice.
        """
        fold, after = self._folds.pop(run, (Fold(), START))
        while True:
            page = await self._log.read(run, after=after, events_max=READ_EVENTS_MAX)
            for stored in page.events:
                fold.feed(stored.event)
                after = stored.offset
            if page.ended or after >= page.tail:
                break
        self._folds[run] = (fold, after)
        while len(self._folds) > SNAPSHOT_FOLDS_MAX:
            self._folds.popitem(last=False)
        return fold.message, after

    def forget(self, run: RunId) -> None:
        """Drop the fold of a run that ended."""
        self._folds.pop(run, None)
