"""Finds where in a run's log a response's `sequence_number` is."""

from potok import limits
from potok.dialects.openai_responses import FrameCounter, OpenAiResponsesSse
from potok.errors import OffsetInvalid
from potok.events.envelope import START, Place
from potok.runs.service import RunService
from potok.server.reader import reading_of
from potok.streamlog.contract import RunRecord

__all__ = ["place_of_sequence"]


async def place_of_sequence(
    runs: RunService, record: RunRecord, dialect: OpenAiResponsesSse, sequence: int
) -> Place:
    """Return the place of the event with a sequence number, linear in the events before it.

    Raises:
        OffsetInvalid: no such event was stored yet.
        OffsetExpired, LogLost: the events before it are gone.
    """
    counter = FrameCounter(dialect.encoder(reading_of(record)), sequence)
    at = START
    while True:
        page = await runs.read_page(
            record, after=at, events_max=limits.READ_EVENTS_MAX, wait_seconds=0
        )
        counter.feed(page.events)
        if counter.place is not None:
            return counter.place
        if not page.events:
            raise OffsetInvalid(str(sequence), why="no event has this sequence number yet")
        at = page.events[-1].offset
