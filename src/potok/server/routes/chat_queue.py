"""`/api/web/v1/chats/{id}/queue`: messages that the server sends one after the other."""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from potok.dialects.chats_001_requests import id_in_path, parse_send, read_content, read_id
from potok.errors import RequestInvalid
from potok.server import openapi_chats as openapi
from potok.server.body import read_json
from potok.server.chat_bodies import (
    chats_of,
    json_response,
    language_asked,
    queued_body,
    stream_answer,
)
from potok.server.safety_layer import principal_of
from potok.server.services import Services

__all__ = ["add_chat_queue_routes"]

_QUEUE = "/api/web/v1/chats/{id}/queue"


def add_chat_queue_routes(app: FastAPI, services: Services) -> None:
    """Add the routes of this group."""

    @app.get(_QUEUE, tags=["Chats"], openapi_extra=openapi.QUEUE)
    async def list_queue(request: Request, id: str) -> Response:
        """Return the waiting messages, the next one first; every tab sees the same."""
        store = await chats_of(services).store()
        waiting = await store.queue.waiting(
            id_in_path(id, "chat"), principal=principal_of(request.scope)
        )
        return json_response(
            {"items": [queued_body(item) for item in waiting], "next_cursor": None}
        )

    @app.post(_QUEUE, tags=["Chats"], status_code=201, openapi_extra=openapi.ENQUEUE)
    async def add_to_queue(request: Request, id: str) -> Response:
        """Put a message behind the answer that is being made; it is sent when that has finished.

        Where nothing is being made and nothing paused the queue, it is sent at once.
        """
        wanted = parse_send(await read_json(request.receive))
        chat, principal = id_in_path(id, "chat"), principal_of(request.scope)
        chats = chats_of(services)
        item = await (await chats.store()).queue.add(
            chat,
            wanted.content,
            principal=principal,
            model=wanted.model,
            client_id=wanted.client_id,
        )
        await chats.advance(chat, principal=principal, language=language_asked(request))
        return json_response(queued_body(item), status=201)

    @app.patch(_QUEUE + "/{qid}", tags=["Chats"], openapi_extra=openapi.CHANGE_QUEUED)
    async def change_queued(request: Request, id: str, qid: str) -> Response:
        """Edit a waiting message, or move it to `place`, counted from 0."""
        body = await read_json(request.receive)
        place = read_id(body, "place")
        content = read_content(body) if body.get("content") is not None else None
        if place is None and content is None:
            raise RequestInvalid("Send `content` or `place`.", param="content")
        store = await chats_of(services).store()
        item = await store.queue.update(
            id_in_path(id, "chat"),
            id_in_path(qid, "waiting message"),
            principal=principal_of(request.scope),
            content=content,
            place=place,
        )
        return json_response(queued_body(item))

    @app.delete(_QUEUE + "/{qid}", tags=["Chats"], status_code=204, openapi_extra=openapi.DELETE)
    async def delete_queued(request: Request, id: str, qid: str) -> Response:
        """Remove a waiting message."""
        store = await chats_of(services).store()
        await store.queue.remove(
            id_in_path(id, "chat"),
            id_in_path(qid, "waiting message"),
            principal=principal_of(request.scope),
        )
        return Response(status_code=204)

    @app.post(
        _QUEUE + "/{qid}/send",
        tags=["Chats"],
        openapi_extra=openapi.SEND_NOW,
        response_class=Response,
    )
    async def send_now(request: Request, id: str, qid: str) -> Response:
        """Send a waiting message now: an answer that is being made is stopped, its text kept."""
        sent = await chats_of(services).send_now(
            id_in_path(id, "chat"),
            id_in_path(qid, "waiting message"),
            principal=principal_of(request.scope),
            language=language_asked(request),
        )
        return await stream_answer(services, request, sent.record, sent.answer)
