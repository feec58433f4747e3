"""`/api/runs`: Potok's own protocol over HTTP (spec 5, 7)."""

import math

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from potok import limits
from potok.dialects.line_safe import encode_json
from potok.dialects.native import encode_message
from potok.dialects.native_bodies import run_state
from potok.dialects.native_request import parse_run_request
from potok.dialects.registry import dialect_for_accept
from potok.errors import OffsetInvalid, RequestInvalid
from potok.events.envelope import START, Place
from potok.events.fold import Message
from potok.runs.run_list import list_shown
from potok.server import openapi
from potok.server.body import read_json, unless_gone
from potok.server.headers import header_of, language_of
from potok.server.reader import open_reader, reading_of
from potok.server.resume import place_asked, place_in_run, run_of
from potok.server.routes.starting import asks_to_keep, start_run
from potok.server.safety_layer import principal_of
from potok.server.services import Services
from potok.streamlog.contract import RunRecord, RunStatus

__all__ = ["add_run_routes"]

_STATUSES: tuple[RunStatus, ...] = ("queued", "running", "finished", "cancelled", "failed")
_LIST_ITEMS = 50


def add_run_routes(app: FastAPI, services: Services) -> None:
    """Add the routes of this face."""
    runs = services.runs

    @app.post("/api/runs", tags=["Runs"], status_code=201, openapi_extra=openapi.START_RUN)
    async def start(request: Request) -> Response:
        """Start a run; it goes on whether or not anybody reads it.

        With an `Idempotency-Key` that already started this run, or a `Last-Event-ID` that names
        one, the answer is a 200 with that run.
        """
        place = place_asked(request)
        if place is not None:
            record = await runs.find(run_of(place), principal=principal_of(request.scope))
            return _started(record, status=200)
        body = await read_json(request.receive)
        wanted = parse_run_request(body, language=language_of(request.scope))
        record, created = await start_run(services, request, wanted)
        return _started(record, status=201 if created else 200)

    @app.get("/api/runs", tags=["Runs"], openapi_extra=openapi.LIST_RUNS)
    async def list_runs(
        request: Request,
        cursor: str | None = None,
        status: str | None = None,
        limit: str | None = None,
    ) -> Response:
        """List the runs you started, newest first."""
        records, next_cursor = await list_shown(
            runs,
            principal=principal_of(request.scope),
            cursor=cursor or None,
            status=_read_status(status),
            items_max=_read_limit(limit),
        )
        items = [_summary(record) for record in records]
        return _json({"items": items, "next_cursor": next_cursor})

    @app.get("/api/runs/{run}", tags=["Runs"], openapi_extra=openapi.GET_RUN)
    async def get_run(request: Request, run: str) -> Response:
        """Return a run's state with its message, as far as it has come."""
        return _state(*await runs.snapshot(run, principal=principal_of(request.scope)))

    @app.get("/api/runs/{run}/events", tags=["Runs"], openapi_extra=openapi.READ_EVENTS)
    async def read_events(
        request: Request,
        run: str,
        after: str | None = None,
        wait: str | None = None,
        format: str | None = None,
    ) -> Response:
        """Read a run's events after an offset, then live ones, until the run ends.

        Server-sent events, or NDJSON by `Accept: application/x-ndjson` or `format=ndjson`. With
        `wait` (seconds, at most 30) one page as JSON: empty means that there is nothing yet. 204
        at the run's end.
        """
        record = await runs.find(run, principal=principal_of(request.scope))
        place = place_in_run(request, record.run)
        if wait is not None:
            return await unless_gone(
                request.receive, _long_poll(record, place=place, seconds=_read_wait(wait))
            )
        return await open_reader(
            services,
            record,
            dialect_for_accept(header_of(request.scope, "accept"), format),
            place=place,
            reading=reading_of(record),
            keep=asks_to_keep(request),
        )

    @app.post("/api/runs/{run}/cancel", tags=["Runs"], openapi_extra=openapi.CANCEL_RUN)
    async def cancel(request: Request, run: str) -> Response:
        """Stop a run; its text so far is kept. Repeatable, harmless once the run has ended.

        200 once the end is stored, 202 while the run is still stopping.
        """
        principal = principal_of(request.scope)
        record = await runs.cancel(run, principal=principal)
        record, message = await runs.snapshot(record.run, principal=principal)
        return _state(record, message, status=202 if record.is_live else 200)

    async def _long_poll(record: RunRecord, *, place: Place | None, seconds: float) -> Response:
        if place is not None and place.frame > 1:
            raise OffsetInvalid(
                f"{place.offset}.{place.frame}", why="every event of this stream has one frame"
            )
        after = place.offset if place is not None else START
        page = await runs.read_page(
            record, after=after, events_max=limits.READ_EVENTS_MAX, wait_seconds=seconds
        )
        last = page.events[-1].offset if page.events else after
        events = b",".join(encode_message(stored) for stored in page.events)
        return Response(
            b'{"events":[%b],"offset":"%d","done":%b}'
            % (events, last, b"true" if page.ended else b"false"),
            headers={"x-potok-run": record.run},
            media_type="application/json",
        )


def _read_wait(wait: str) -> float:
    try:
        seconds = float(wait)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise RequestInvalid(
            f"`wait` must be a number of seconds from 0 to {limits.LONG_POLL_SECONDS_MAX:.0f},"
            f" not {wait[:40]!r}.",
            param="wait",
        )
    return min(seconds, limits.LONG_POLL_SECONDS_MAX)


def _read_limit(limit: str | None) -> int:
    if not limit:
        return _LIST_ITEMS
    is_number = limit.isascii() and limit.isdigit() and len(limit) < 10
    if not is_number or not 0 < int(limit) <= limits.LIST_ITEMS_MAX:
        raise RequestInvalid(
            f"`limit` must be a number from 1 to {limits.LIST_ITEMS_MAX}, not {limit[:40]!r}.",
            param="limit",
        )
    return int(limit)


def _read_status(status: str | None) -> RunStatus | None:
    if not status:
        return None
    for known in _STATUSES:
        if status == known:
            return known
    raise RequestInvalid(
        f"`status` must be one of {', '.join(_STATUSES)}, not {status[:40]!r}.", param="status"
    )


def _started(record: RunRecord, *, status: int) -> Response:
    body = {"id": record.run, "status": record.status, "events": f"/api/runs/{record.run}/events"}
    headers = {"x-potok-run": record.run, "location": f"/api/runs/{record.run}"}
    return _json(body, status=status, headers=headers)


def _summary(record: RunRecord) -> dict[str, object]:
    return {
        "id": record.run,
        "status": record.status,
        "offset": str(record.tail),
        "model": record.request.model,
        "agent": record.request.agent,
        "chat_id": record.request.chat,
        "created_at": record.created_at,
        "ended_at": record.ended_at,
        "events": f"/api/runs/{record.run}/events",
    }


def _state(record: RunRecord, message: Message, *, status: int = 200) -> Response:
    state = run_state(run=record.run, status=record.status, offset=record.tail, message=message)
    return _json(state, status=status, headers={"x-potok-run": record.run})


def _json(value: object, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(
        encode_json(value), status_code=status, headers=headers, media_type="application/json"
    )
