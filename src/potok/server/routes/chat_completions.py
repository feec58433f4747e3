"""`POST /v1/chat/completions`: OpenAI's Chat Completions over Potok's runs."""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from potok.dialects.openai_chat import OpenAiChatSse
from potok.dialects.openai_chat_body import completion_body, completion_failure
from potok.dialects.openai_chat_request import parse_chat_request
from potok.server import openapi
from potok.server.body import read_json, unless_gone
from potok.server.headers import language_of
from potok.server.problems import may_be_sent_again, respond
from potok.server.reader import open_reader, reading_of
from potok.server.resume import place_asked, run_of
from potok.server.routes.starting import asks_to_keep, start_run
from potok.server.safety_layer import principal_of
from potok.server.services import Services
from potok.streamlog.contract import RunRecord

__all__ = ["add_chat_completion_routes"]

_DIALECT = OpenAiChatSse()


def add_chat_completion_routes(app: FastAPI, services: Services) -> None:
    """Add the routes of this face."""

    @app.post("/v1/chat/completions", tags=["OpenAI"], openapi_extra=openapi.CHAT_COMPLETIONS)
    async def create_chat_completion(request: Request) -> Response:
        """Answer a chat, as a stream (`stream: true`) or as one object.

        `Last-Event-ID: <run>.<offset>` goes on with that run's answer and starts nothing. With an
        `Idempotency-Key`, sending the request again attaches to the run that it started.
        """
        place = place_asked(request)
        body = await read_json(request.receive)
        chat = parse_chat_request(body, language=language_of(request.scope))
        if place is None:
            record, _ = await start_run(services, request, chat.request)
        else:
            record = await services.runs.find(run_of(place), principal=principal_of(request.scope))
        reading = reading_of(record, ids_name_run=True, include_usage=chat.include_usage)
        if not chat.stream:
            return await _answer_whole(request, record)
        return await open_reader(
            services,
            record,
            _DIALECT,
            place=place,
            reading=reading,
            keep=asks_to_keep(request),
        )

    async def _answer_whole(request: Request, record: RunRecord) -> Response:
        message = await unless_gone(request.receive, services.runs.settle(record))
        headers = {"x-potok-run": record.run, "x-request-id": record.run}
        failure = completion_failure(message)
        if failure is None:
            answer = completion_body(message, reading=reading_of(record))
            return Response(answer, headers=headers, media_type="application/json")
        status, answer = failure
        code = message.error.code if message.error is not None else "cancelled"
        return respond(answer, status=status, retryable=may_be_sent_again(code), headers=headers)
