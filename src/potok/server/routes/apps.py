"""The routes of apps: POST starts a run, GET comes back to one, as EventSource does."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from potok import limits
from potok.apps.contract import Route, Start
from potok.apps.host import InstalledApp
from potok.errors import AppUnavailable, PotokError, RequestInvalid, RunNotFound
from potok.events.envelope import Place
from potok.events.run_request import RunRequest, hash_of
from potok.server import openapi_apps as openapi
from potok.server.body import read_json
from potok.server.headers import language_of
from potok.server.problems import RUN_IN_SCOPE, Faces
from potok.server.reader import open_reader, reading_of
from potok.server.resume import place_asked, run_of
from potok.server.routes.starting import asks_to_keep, start_run
from potok.server.safety_layer import principal_of
from potok.server.services import Services
from potok.streamlog.contract import RunRecord, RunStatus

__all__ = ["add_app_routes", "faces_of_apps"]

_LIVE: tuple[RunStatus, ...] = ("running", "queued")


def faces_of_apps(services: Services) -> Faces:
    """Return where paths of apps begin, and in which dialect errors are said there."""
    if services.apps is None:
        return ()
    return tuple(
        (route.path.partition("{")[0].rstrip("/"), route.dialect)
        for _, route in services.apps.routes
    )


def add_app_routes(app: FastAPI, services: Services) -> None:
    """Add the routes of all installed apps."""
    for installed, route in services.apps.routes if services.apps is not None else ():
        _add(app, services, installed, route)


def _add(app: FastAPI, services: Services, installed: InstalledApp, route: Route) -> None:
    name = installed.app.titles.get("en", installed.app.name)

    async def start(request: Request) -> Response:
        with _in_language(request, route):
            place = place_asked(request)
            body = await read_json(request.receive)
            if place is not None:
                return await _attach(services, request, installed, route, place)
            wanted = _request_of(request, installed, route, body)
            record, _ = await start_run(services, request, wanted)
            return await _read(services, request, route, record, place=None)

    async def come_back(request: Request) -> Response:
        with _in_language(request, route):
            return await _come_back(services, request, installed, route)

    app.add_api_route(
        route.path,
        start,
        methods=["POST"],
        tags=[name],
        summary=route.summary,
        description=route.description,
        response_class=Response,
        openapi_extra=openapi.start_of(route),
        name=f"{installed.app.name}: {route.path}",
        operation_id=f"start_{_slug(route.path)}",
    )
    app.add_api_route(
        route.path,
        come_back,
        methods=["GET"],
        tags=[name],
        summary=f"{route.summary}: come back",
        description=openapi.COME_BACK,
        response_class=Response,
        openapi_extra=openapi.come_back_of(route),
        name=f"{installed.app.name}: GET {route.path}",
        operation_id=f"read_{_slug(route.path)}",
    )


@contextmanager
def _in_language(request: Request, route: Route) -> Iterator[None]:
    """Note on errors in which language the caller reads."""
    try:
        yield
    except PotokError as error:
        error.language = language_of(request.scope, default=route.language)
        raise


def _slug(path: str) -> str:
    return "_".join(word for word in path.replace("{", "/").replace("}", "/").split("/") if word)


def _request_of(
    request: Request, installed: InstalledApp, route: Route, body: dict[str, Any]
) -> RunRequest:
    if installed.unavailable is not None:
        raise AppUnavailable(installed.app.name, why=installed.unavailable)
    wanted: Start = route.read(body, request.path_params)
    return RunRequest(
        agent=wanted.agent,
        input=wanted.input,
        model=wanted.model,
        parameters=wanted.parameters,
        language=language_of(request.scope, default=route.language),
        face=route.dialect.name,
    )


async def _read(
    services: Services, request: Request, route: Route, record: RunRecord, *, place: Place | None
) -> Response:
    request.scope[RUN_IN_SCOPE] = record.run
    return await open_reader(
        services,
        record,
        route.dialect,
        place=place,
        reading=reading_of(record, ids_name_run=True),
        keep=asks_to_keep(request),
    )


async def _attach(
    services: Services, request: Request, installed: InstalledApp, route: Route, place: Place
) -> Response:
    record = await _find(services, request, installed, route, run_of(place))
    return await _read(services, request, route, record, place=place)


async def _find(
    services: Services, request: Request, installed: InstalledApp, route: Route, run: str
) -> RunRecord:
    record = await services.runs.find(run, principal=principal_of(request.scope))
    if not _is_here(request, installed, route, record):
        raise RunNotFound(run)
    return record


async def _come_back(
    services: Services, request: Request, installed: InstalledApp, route: Route
) -> Response:
    """Attach by `Last-Event-ID` or `run`, start by `message`, else find the newest live run."""
    place = place_asked(request)
    if place is not None and place.run is not None:
        return await _attach(services, request, installed, route, place)
    run = request.query_params.get("run")
    if run:
        record = await _find(services, request, installed, route, run)
        return await _read(services, request, route, record, place=place)
    if place is not None:
        # Never starts: it says that it was somewhere, and not where.
        run_of(place)
    message = request.query_params.get("message")
    if message is not None:
        if not route.starts_by_get:
            raise RequestInvalid("Send the message by POST.", param="message")
        return await _start_by_get(services, request, installed, route, message)
    found = await _newest_live(services, request, installed, route)
    if found is None:
        return Response(status_code=204)
    return await _read(services, request, route, found, place=None)


async def _start_by_get(
    services: Services, request: Request, installed: InstalledApp, route: Route, message: str
) -> Response:
    # An EventSource that is cut before its first id asks again: that is the same run.
    wanted = _request_of(request, installed, route, {"message": message})
    principal = principal_of(request.scope)
    key = request.query_params.get("key")
    if not key:
        found = await _started_lately(services, principal, wanted)
        if found is not None:
            return await _read(services, request, route, found, place=None)
        window = int(services.clock.now() // limits.GET_STARTS_ONCE_SECONDS)
        key = f"{hash_of(wanted)}.{window}"
    digest = hashlib.sha256(f"{request.url.path}\n{key}".encode()).hexdigest()
    record, _ = await services.runs.start(
        wanted, principal=principal, idempotency_key=f"get.{digest}"
    )
    return await _read(services, request, route, record, place=None)


async def _started_lately(
    services: Services, principal: str, wanted: RunRequest
) -> RunRecord | None:
    since = services.clock.now() - limits.GET_STARTS_ONCE_SECONDS
    same = hash_of(wanted)
    async for record in _newest_first(services, principal):
        if record.created_at < since:
            return None
        if record.request_hash == same and record.request.face == wanted.face:
            return record
    return None


async def _newest_live(
    services: Services, request: Request, installed: InstalledApp, route: Route
) -> RunRecord | None:
    found: list[RunRecord] = []
    for status in _LIVE:
        async for record in _newest_first(services, principal_of(request.scope), status=status):
            if _is_here(request, installed, route, record):
                found.append(record)
                break
    # Run ids rise.
    return max(found, key=lambda record: record.run, default=None)


async def _newest_first(
    services: Services, principal: str, *, status: RunStatus | None = None
) -> AsyncIterator[RunRecord]:
    cursor: str | None = None
    for _ in range(limits.NAMED_CHAT_PAGES_MAX):
        page, cursor = await services.runs.list_runs(
            principal=principal, cursor=cursor, status=status, items_max=limits.LIST_ITEMS_MAX
        )
        for record in page:
            yield record
        if cursor is None:
            return


def _is_here(request: Request, installed: InstalledApp, route: Route, record: RunRecord) -> bool:
    """Whether a run is this route's, of what the path names: another user's run is not here."""
    asked = record.request
    given = asked.input
    is_of_route = asked.face == route.dialect.name and asked.agent in installed.app.agents
    return is_of_route and (
        not request.path_params
        or (
            isinstance(given, dict)
            and all(given.get(name) == value for name, value in request.path_params.items())
        )
    )
