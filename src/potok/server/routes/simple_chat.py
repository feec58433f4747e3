"""`POST /api/chat/stream` and `POST /api/chat`: simple chat over Potok's runs."""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from potok.dialects.openai_errors import failure_status
from potok.dialects.registry import simple_chat_for_accept
from potok.dialects.simple_chat_body import simple_chat_body, simple_chat_failure
from potok.dialects.simple_chat_request import parse_simple_chat
from potok.server import openapi_simple_chat as openapi
from potok.server.body import read_json, unless_gone
from potok.server.headers import header_of, language_of
from potok.server.problems import may_be_sent_again, respond
from potok.server.reader import open_reader, reading_of
from potok.server.resume import place_asked, run_of
from potok.server.routes.starting import asks_to_keep, start_run
from potok.server.safety_layer import principal_of
from potok.server.services import Services
from potok.streamlog.contract import RunRecord

__all__ = ["add_simple_chat_routes"]


def add_simple_chat_routes(app: FastAPI, services: Services) -> None:
    """Add the routes of this face."""

    @app.post(
        "/api/chat/stream",
        tags=["Simple chat"],
        response_class=Response,
        openapi_extra=openapi.STREAM,
    )
    async def stream_simple_chat(request: Request) -> Response:
        """Answer a chat as a stream of its text.

        Server-sent events, or the bare text by `Accept: text/plain`. `Last-Event-ID` goes on with
        the answer that it names and starts nothing; an `Idempotency-Key` makes sending the
        request again harmless.
        """
        place = place_asked(request)
        body = await read_json(request.receive)
        if place is None:
            language = language_of(request.scope, default="ru")
            wanted = parse_simple_chat(body, language=language, streams=True)
            record, _ = await start_run(services, request, wanted)
        else:
            record = await services.runs.find(run_of(place), principal=principal_of(request.scope))
        return await open_reader(
            services,
            record,
            simple_chat_for_accept(header_of(request.scope, "accept")),
            place=place,
            reading=reading_of(record, ids_name_run=True),
            keep=asks_to_keep(request),
        )

    @app.post("/api/chat", tags=["Simple chat"], openapi_extra=openapi.WHOLE)
    async def answer_simple_chat(request: Request) -> Response:
        """Answer a chat with one JSON object, once the answer is whole.

        With the `Idempotency-Key` of a stream that broke, it is that stream's answer.
        """
        place = place_asked(request)
        body = await read_json(request.receive)
        if place is None:
            language = language_of(request.scope, default="ru")
            wanted = parse_simple_chat(body, language=language, streams=False)
            record, _ = await start_run(services, request, wanted)
        else:
            record = await services.runs.find(run_of(place), principal=principal_of(request.scope))
        return await _answer_whole(request, record)

    async def _answer_whole(request: Request, record: RunRecord) -> Response:
        message = await unless_gone(request.receive, services.runs.settle(record))
        headers = {"x-potok-run": record.run, "x-request-id": record.run}
        failure = simple_chat_failure(message, run=record.run)
        if failure is None:
            answer = simple_chat_body(message, reading=reading_of(record))
            return Response(answer, headers=headers, media_type="application/json")
        code, answer = failure
        status = failure_status(code)
        return respond(answer, status=status, retryable=may_be_sent_again(code), headers=headers)
