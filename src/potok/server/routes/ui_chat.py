"""`/api/ui/chat`: the AI SDK's chat over Potok's runs; a chat's id is its client's own."""

from functools import partial

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from potok.dialects.ai_sdk_ui import AiSdkUiSse
from potok.dialects.ai_sdk_ui_request import check_ui_chat_id, parse_ui_chat
from potok.dialects.ai_sdk_ui_told import told_in
from potok.dialects.line_safe import encode_json
from potok.dialects.native_bodies import run_state
from potok.errors import RequestInvalid
from potok.events.envelope import Place
from potok.runs.named_chats import find_live_runs, replace_older_runs
from potok.server import openapi_ui_chat as openapi
from potok.server.body import read_json
from potok.server.headers import language_of
from potok.server.reader import open_reader, reading_of
from potok.server.resume import place_asked, place_in_run, run_of
from potok.server.routes.starting import start_run
from potok.server.safety_layer import principal_of
from potok.server.services import Services
from potok.streamlog.contract import RunRecord

__all__ = ["add_ui_chat_routes"]

_DIALECT = AiSdkUiSse()
_PROTOCOL = {"x-vercel-ai-ui-message-stream": "v1"}


def add_ui_chat_routes(app: FastAPI, services: Services) -> None:
    """Add the routes of this face."""
    runs = services.runs

    @app.post("/api/ui/chat", tags=["AI SDK"], response_class=Response, openapi_extra=openapi.START)
    async def start_ui_chat(request: Request) -> Response:
        """Answer a chat of the AI SDK (`useChat`) as a UI message stream, and keep it.

        The run goes on when its reader leaves. A later request of a page that shows its message
        stops it and takes its place; one of a page that does not know of it is refused (409
        `chat_busy`). The chat is one of `/api/web/v1/chats`, with `id` as its `external_id`; an
        `id` that is the number of one of your chats goes on with that one.
        """
        place = place_asked(request)
        body = await read_json(request.receive)
        if place is not None:
            record = await runs.find(run_of(place), principal=principal_of(request.scope))
            return await _read(record, place)
        wanted = parse_ui_chat(body, language=language_of(request.scope))
        if services.chats is None:
            record, created = await start_run(services, request, wanted)
            if created:
                await replace_older_runs(runs, record)
            return await _read(record, None)
        told = told_in(body)
        start = partial(services.chats.faces.start_told, told=told.messages, is_again=told.is_again)
        record, _ = await start_run(services, request, wanted, start=start)
        return await _read(record, None)

    @app.get(
        "/api/ui/chat/{chat:path}/stream",
        tags=["AI SDK"],
        response_class=Response,
        openapi_extra=openapi.RESUME,
    )
    async def resume_ui_chat(request: Request, chat: str) -> Response:
        """Read the chat's live answer from its start; 204 when none is being made.

        This is what `useChat({ resume: true })` asks for when a page opens.
        """
        record = await _live_run(request, chat)
        if record is None:
            return Response(status_code=204)
        return await _read(record, place_in_run(request, record.run))

    @app.post("/api/ui/chat/{chat:path}/cancel", tags=["AI SDK"], openapi_extra=openapi.CANCEL)
    async def cancel_ui_chat(request: Request, chat: str) -> Response:
        """Stop the chat's live answer; its text so far is kept. Harmless when none is being made.

        `{"run": "..."}` in the body stops that run or nothing, so that a late stop cannot hit the
        answer after it. 200 once the end is stored, 202 while the run is stopping, 204 without one.
        """
        meant = _read_run(await read_json(request.receive))
        record = await _live_run(request, chat)
        if record is None or meant not in (None, record.run):
            return Response(status_code=204)
        principal = principal_of(request.scope)
        await runs.cancel(record.run, principal=principal)
        record, message = await runs.snapshot(record.run, principal=principal)
        state = run_state(run=record.run, status=record.status, offset=record.tail, message=message)
        return Response(
            encode_json(state),
            status_code=202 if record.is_live else 200,
            headers={"x-potok-run": record.run},
            media_type="application/json",
        )

    async def _live_run(request: Request, chat: str) -> RunRecord | None:
        check_ui_chat_id(chat)
        if services.chats is not None:
            faces = services.chats.faces
            return await faces.live_run(chat, principal=principal_of(request.scope))
        live = await find_live_runs(
            runs, chat, principal=principal_of(request.scope), face=_DIALECT.name
        )
        return live[0] if live else None

    async def _read(record: RunRecord, place: Place | None) -> Response:
        return await open_reader(
            services,
            record,
            _DIALECT,
            place=place,
            reading=reading_of(record, ids_name_run=True),
            keep=True,
            headers=_PROTOCOL,
        )


def _read_run(body: dict[str, object]) -> str | None:
    run = body.get("run")
    if run is None or isinstance(run, str):
        return run
    raise RequestInvalid("`run` must be the id of a run, as X-Potok-Run says it.", param="run")
