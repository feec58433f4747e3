"""Opens a reader of a run in a dialect, at the place it names."""

from collections.abc import Mapping, Sequence

from starlette.responses import Response

from potok import limits
from potok.dialects.dialect import Dialect, Encoder, Reading
from potok.errors import OffsetInvalid
from potok.events.envelope import START, Offset, Place, StoredEvent
from potok.runs.service import model_of
from potok.server.services import Services
from potok.server.stream_response import StreamResponse, stream_headers
from potok.streamlog.contract import RunRecord

__all__ = ["open_reader", "reading_of"]

# Protocols that count no frames, and whose clients look for no gap between ids.
_JOINING = frozenset(
    {"openai-chat", "simple-chat", "simple-chat-text", "chats-001", "chats-001-ndjson"}
)


def reading_of(
    record: RunRecord, *, ids_name_run: bool = False, include_usage: bool = False
) -> Reading:
    """Return what an encoder must know of the run."""
    return Reading(
        run=record.run,
        model=model_of(record),
        created=int(record.created_at),
        language=record.request.language,
        ids_name_run=ids_name_run,
        include_usage=include_usage,
    )


async def open_reader(
    services: Services,
    record: RunRecord,
    dialect: Dialect,
    *,
    place: Place | None,
    reading: Reading,
    keep: bool = False,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the answer that streams a run: a stream, or 204 where nothing will ever follow.

    Args:
        place: Where the reader was; None for a new reader, who reads from the start.
        keep: The reader asks that the run goes on without it. Whoever comes back asks so, too.
        headers: What this protocol's streams say beside the headers of every stream.

    Raises:
        OffsetInvalid: beyond the tail, or no place of this dialect.
        OffsetExpired, LogLost: the events that the reader needs are gone.
    """
    encoder = dialect.encoder(reading)
    first_frames: list[bytes] = []
    after = place.offset if place is not None else START
    if place is not None and after == START and place.frame:
        raise OffsetInvalid(f"0.{place.frame}", why="nothing comes before a run's first event")
    if place is not None and after > START:
        if not record.is_live and after > record.tail:
            raise OffsetInvalid(str(after), why=f"the run ended at {record.tail}")
        if not record.is_live and after == record.tail and not place.frame:
            # An EventSource reconnects to a finished stream for ever, unless it gets this.
            return Response(status_code=204)
        if dialect.needs_history or place.frame:
            first_frames = await _pass_over(services, record, dialect, encoder, place)
            if encoder.is_ended and not first_frames:
                return Response(status_code=204)
    return StreamResponse(
        services.runs.follow(record, after=after, returning=keep or place is not None),
        encoder,
        run=record.run,
        headers={
            **stream_headers(
                dialect.media_type,
                run=record.run,
                heartbeat_seconds=services.runs.heartbeat_seconds,
            ),
            **(headers or {}),
        },
        first_frames=first_frames,
        joins=dialect.name in _JOINING,
        observer=services.observer,
    )


async def _pass_over(
    services: Services, record: RunRecord, dialect: Dialect, encoder: Encoder, place: Place
) -> list[bytes]:
    """Show the encoder what the reader has seen; return the rest of the last event's frames.

    Linear in the run's events up to the place, a page in memory at a time.
    """
    at = START if dialect.needs_history else Offset(place.offset - 1)
    while True:
        page = await services.runs.read_page(
            record, after=at, events_max=limits.READ_EVENTS_MAX, wait_seconds=0
        )
        seen = _up_to(page.events, place.offset)
        if not seen:
            raise OffsetInvalid(str(place.offset), why=f"the run is at {page.tail}")
        at = seen[-1].offset
        if at == place.offset:
            return encoder.pass_over(seen, frame=place.frame)
        encoder.pass_over(seen)


def _up_to(events: Sequence[StoredEvent], last: Offset) -> Sequence[StoredEvent]:
    return [stored for stored in events if stored.offset <= last]
