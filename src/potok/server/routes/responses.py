"""`/v1/responses`: OpenAI's Responses over Potok's runs."""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from potok.dialects.line_safe import encode_json
from potok.dialects.openai_responses import OpenAiResponsesSse
from potok.dialects.openai_responses_body import response_id, response_object, run_of_response
from potok.dialects.openai_responses_input import name_items
from potok.dialects.openai_responses_request import (
    Stored,
    go_on_after,
    parse_response_request,
    stored_of,
)
from potok.errors import (
    PreviousResponseNotFound,
    RequestInvalid,
    ResponseBusy,
    ResponseNotFound,
    RunNotFound,
)
from potok.events.envelope import Place
from potok.events.fold import Message
from potok.events.run_request import JsonObject, RunRequest
from potok.limits import INPUT_ITEMS, INPUT_ITEMS_MAX
from potok.server import openapi_responses as openapi
from potok.server.body import read_json, unless_gone
from potok.server.headers import language_of
from potok.server.reader import open_reader, reading_of
from potok.server.resume import place_asked, place_in_run, run_of
from potok.server.routes.starting import start_run
from potok.server.safety_layer import principal_of
from potok.server.sequence_numbers import place_of_sequence
from potok.server.services import Services
from potok.streamlog.contract import RunRecord

__all__ = ["add_response_routes"]


class _Responses:
    """The responses of whoever asks, found by their ids."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def find(self, response: str, request: Request) -> tuple[RunRecord, Stored]:
        """Return a stored response of the caller; raises `ResponseNotFound`."""
        try:
            run = run_of_response(response)
            record = await self._services.runs.find(run, principal=principal_of(request.scope))
        except RunNotFound as error:
            raise ResponseNotFound(response) from error
        kept = stored_of(record.request)
        if kept is None or not kept.is_kept:
            raise ResponseNotFound(response)
        return record, kept

    async def after(self, previous: str | None, wanted: RunRequest, request: Request) -> RunRequest:
        """Return the request, gone on after an earlier response if it names one."""
        if previous is None:
            return wanted
        try:
            record, _ = await self.find(previous, request)
            record, message = await self._services.runs.snapshot(
                record.run, principal=record.principal
            )
        except RunNotFound as error:
            raise PreviousResponseNotFound(previous) from error
        if record.is_live:
            raise ResponseBusy(previous)
        return go_on_after(wanted, earlier=record.request, answer=message)

    async def told(self, request: Request, record: RunRecord, kept: Stored) -> Response:
        """Answer with a response as far as it has come."""
        principal = principal_of(request.scope)
        record, message = await self._services.runs.snapshot(record.run, principal=principal)
        return _answer(record, message, kept)

    async def stream(self, record: RunRecord, kept: Stored, place: Place | None) -> Response:
        """Answer with a response's events after a place."""
        return await open_reader(
            self._services,
            record,
            OpenAiResponsesSse(kept.asked),
            place=place,
            reading=reading_of(record, ids_name_run=True),
            keep=True,
        )


def add_response_routes(app: FastAPI, services: Services) -> None:
    """Add the routes of this face."""
    responses = _Responses(services)
    _add_making_routes(app, services, responses)
    _add_reading_routes(app, services, responses)


def _add_making_routes(app: FastAPI, services: Services, responses: _Responses) -> None:
    runs = services.runs

    @app.post("/v1/responses", tags=["OpenAI"], openapi_extra=openapi.CREATE)
    async def create_response(request: Request) -> Response:
        """Answer `input`, as a stream (`stream: true`), as one object, or in the background.

        The run goes on when its reader leaves; `GET /v1/responses/{id}` finds it again.
        """
        place = place_asked(request)
        body = await read_json(request.receive)
        parsed = parse_response_request(body, language=language_of(request.scope))
        if place is not None:
            record, kept = await responses.find(response_id(run_of(place)), request)
            return await responses.stream(record, kept, place)
        wanted = await responses.after(parsed.previous, parsed.request, request)
        record, _ = await start_run(services, request, wanted, stores_chat=False)
        own = stored_of(record.request)
        assert own is not None, "the face that started the run stores its words"
        if parsed.stream:
            return await responses.stream(record, own, None)
        if parsed.background:
            return await responses.told(request, record, own)
        message = await unless_gone(request.receive, runs.settle(record))
        return _answer(record, message, own)

    @app.post("/v1/responses/{response}/cancel", tags=["OpenAI"], openapi_extra=openapi.CANCEL)
    async def cancel_response(request: Request, response: str) -> Response:
        """Stop a response; its text so far is kept. Repeatable, harmless once it has ended."""
        record, kept = await responses.find(response, request)
        record = await runs.cancel(record.run, principal=principal_of(request.scope))
        return await responses.told(request, record, kept)

    @app.delete("/v1/responses/{response}", tags=["OpenAI"], openapi_extra=openapi.DELETE)
    async def delete_response(request: Request, response: str) -> Response:
        """Remove a response with all of its run; one that is live is stopped first."""
        record, _ = await responses.find(response, request)
        if not await runs.forget(record.run, principal=principal_of(request.scope)):
            raise ResponseBusy(response)
        return _json({"id": response, "object": "response", "deleted": True})


def _add_reading_routes(app: FastAPI, services: Services, responses: _Responses) -> None:
    runs = services.runs

    @app.get("/v1/responses/{response}", tags=["OpenAI"], openapi_extra=openapi.RETRIEVE)
    async def retrieve_response(
        request: Request,
        response: str,
        stream: str | None = None,
        starting_after: str | None = None,
    ) -> Response:
        """Return a response as far as it has come, or with `stream=true` its events.

        `starting_after` is the `sequence_number` of the last event that you have.
        """
        record, kept = await responses.find(response, request)
        if not _is_true(stream):
            if starting_after is not None:
                raise RequestInvalid("`starting_after` needs `stream=true`.", param="stream")
            return await responses.told(request, record, kept)
        place = place_in_run(request, record.run)
        if place is None and starting_after is not None:
            sequence = _number(starting_after, "starting_after", high=10**12)
            dialect = OpenAiResponsesSse(kept.asked)
            place = await place_of_sequence(runs, record, dialect, sequence)
        return await responses.stream(record, kept, place)

    @app.get(
        "/v1/responses/{response}/input_items", tags=["OpenAI"], openapi_extra=openapi.INPUT_ITEMS
    )
    async def list_input_items(
        request: Request,
        response: str,
        after: str | None = None,
        limit: str | None = None,
        order: str | None = None,
    ) -> Response:
        """List what a response was asked; newest first, or by `order=asc`."""
        if order not in (None, "asc", "desc"):
            raise RequestInvalid("`order` must be asc or desc.", param="order")
        record, kept = await responses.find(response, request)
        return _json(_page_of(name_items(kept.items, run=record.run), after, limit, order))


def _page_of(
    items: list[JsonObject], after: str | None, limit: str | None, order: str | None
) -> JsonObject:
    if order != "asc":
        items.reverse()
    names = [item["id"] for item in items]
    if after is not None and after not in names:
        raise RequestInvalid("`after` is no item of this response.", param="after")
    start = names.index(after) + 1 if after is not None else 0
    count = _number(limit, "limit", low=1, high=INPUT_ITEMS_MAX) if limit else INPUT_ITEMS
    page = items[start : start + count]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else "",
        "last_id": page[-1]["id"] if page else "",
        "has_more": start + count < len(items),
    }


def _answer(record: RunRecord, message: Message, kept: Stored) -> Response:
    response = response_object(
        message,
        asked=kept.asked,
        reading=reading_of(record),
        is_queued=record.status == "queued",
    )
    headers: dict[str, str] = {"x-potok-run": record.run, "x-request-id": record.run}
    return _json(response, headers=headers)


def _is_true(text: str | None) -> bool:
    match (text or "false").lower():
        case "true" | "1":
            return True
        case "false" | "0":
            return False
    raise RequestInvalid("`stream` must be true or false.", param="stream")


def _number(text: str, param: str, *, low: int = 0, high: int) -> int:
    fits = text.isascii() and text.isdigit() and len(text) <= len(str(high))
    if not fits or not low <= int(text) <= high:
        raise RequestInvalid(
            f"`{param}` must be an integer from {low} to {high}, not {text[:40]!r}.", param=param
        )
    return int(text)


def _json(value: object, *, headers: dict[str, str] | None = None) -> Response:
    return Response(encode_json(value), headers=headers, media_type="application/json")
