"""`/api/web/v1/chats/{id}/messages`: requirement 001's history and streams."""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from potok import limits
from potok.dialects.chats_001_requests import (
    id_in_path,
    parse_send,
    read_boolean,
    read_content,
    read_model,
)
from potok.errors import RequestInvalid
from potok.server import openapi_chats as openapi
from potok.server.body import read_json
from potok.server.chat_bodies import (
    chats_of,
    json_response,
    language_asked,
    message_body,
    read_limit,
    stream_answer,
)
from potok.server.cursors import decode_cursor, encode_cursor
from potok.server.headers import header_of
from potok.server.resume import place_asked, run_of
from potok.server.safety_layer import principal_of
from potok.server.services import Services

__all__ = ["add_chat_message_routes"]

_MESSAGES = "/api/web/v1/chats/{id}/messages"


def add_chat_message_routes(app: FastAPI, services: Services) -> None:
    """Add the routes of this group."""
    # First: `stream` must not be taken for the id of a message.
    _add_streams(app, services)
    _add_history(app, services)


def _add_history(app: FastAPI, services: Services) -> None:
    @app.get(_MESSAGES, tags=["Chats"], openapi_extra=openapi.LIST_MESSAGES)
    async def list_messages(
        request: Request, id: str, cursor: str | None = None, limit: str | None = None
    ) -> Response:
        """Return the newest messages of the shown path, in the order of the talk.

        `next_cursor` leads to those before them. An answer that is being made has its text so far
        and `metadata.status` `streaming`.
        """
        chat = id_in_path(id, "chat")
        size = read_limit(limit, default=limits.CHAT_PAGE_MESSAGES)
        of = ("messages", chat)
        place = decode_cursor(cursor, of)
        _, messages, more = await chats_of(services).page(
            chat,
            principal=principal_of(request.scope),
            before=place[1] if place is not None else None,
            items_max=size,
        )
        return json_response(
            {
                "items": [message_body(message) for message in messages],
                "next_cursor": None if more is None else encode_cursor(of, 0.0, more),
            }
        )

    @app.get(_MESSAGES + "/{mid}", tags=["Chats"], openapi_extra=openapi.MESSAGE)
    async def get_message(request: Request, id: str, mid: str) -> Response:
        """Return one message of the tree, shown or not."""
        message = await chats_of(services).message(
            id_in_path(id, "chat"),
            id_in_path(mid, "message"),
            principal=principal_of(request.scope),
        )
        return json_response(message_body(message))

    @app.patch(_MESSAGES + "/{mid}", tags=["Chats"], openapi_extra=openapi.CHANGE_MESSAGE)
    async def change_message(request: Request, id: str, mid: str) -> Response:
        """Edit a user's message, or remember whether an answer's thinking is unfolded.

        An edit is a new message beside the old one, which stays: the reply is the new one.
        """
        body = await read_json(request.receive)
        chat, message = id_in_path(id, "chat"), id_in_path(mid, "message")
        principal = principal_of(request.scope)
        is_expanded = read_boolean(body, "thinkingExpanded")
        has_content = body.get("content") is not None
        if is_expanded is None and not has_content:
            raise RequestInvalid("Send `content` or `thinkingExpanded`.", param="content")
        messages = (await chats_of(services).store()).messages
        if has_content:
            changed = await messages.edit(chat, message, read_content(body), principal=principal)
        if is_expanded is not None:
            place = changed.id if has_content else message
            changed = await messages.set_thinking_expanded(
                chat, place, is_expanded, principal=principal
            )
        return json_response(message_body(changed))

    @app.delete(_MESSAGES + "/{mid}", tags=["Chats"], status_code=204, openapi_extra=openapi.DELETE)
    async def delete_message(request: Request, id: str, mid: str) -> Response:
        """Remove one message; what followed it stays. An answer that is being made is stopped."""
        await chats_of(services).delete_message(
            id_in_path(id, "chat"),
            id_in_path(mid, "message"),
            principal=principal_of(request.scope),
        )
        return Response(status_code=204)


def _add_streams(app: FastAPI, services: Services) -> None:
    @app.post(
        _MESSAGES + "/stream", tags=["Chats"], openapi_extra=openapi.SEND, response_class=Response
    )
    async def send(request: Request, id: str) -> Response:
        """Send a message and read its answer.

        The answer goes on whoever reads it. A resend with the same `client_id` (or
        `Idempotency-Key`) reads the answer that is there; `Last-Event-ID` attaches and never
        sends. While the chat answers, another message is refused (409 `chat_busy`).
        """
        place = place_asked(request)
        if place is not None:
            return await _attach(request, id)
        body = await read_json(request.receive)
        wanted = parse_send(body)
        key = header_of(request.scope, "idempotency-key")
        if key and len(key) > limits.IDEMPOTENCY_KEY_CHARACTERS_MAX:
            raise RequestInvalid(
                "The Idempotency-Key is longer than"
                f" {limits.IDEMPOTENCY_KEY_CHARACTERS_MAX} characters. Use a UUID."
            )
        sent = await chats_of(services).send(
            id_in_path(id, "chat"),
            wanted.content,
            principal=principal_of(request.scope),
            language=language_asked(request),
            model=wanted.model,
            client_id=wanted.client_id or (f"key:{key}" if key else None),
            at_leaf=not wanted.has_parent,
            parent_id=wanted.parent_id,
        )
        return await stream_answer(services, request, sent.record, sent.answer)

    @app.get(
        _MESSAGES + "/stream", tags=["Chats"], openapi_extra=openapi.ATTACH, response_class=Response
    )
    async def attach(request: Request, id: str) -> Response:
        """Read the answer that is being made, from its start or after `Last-Event-ID`.

        204 where none is being made.
        """
        return await _attach(request, id)

    async def _attach(request: Request, id: str) -> Response:
        place = place_asked(request)
        run = run_of(place) if place is not None and place.run is not None else None
        found = await chats_of(services).live(
            id_in_path(id, "chat"), principal=principal_of(request.scope), run=run
        )
        if found is None:
            return Response(status_code=204)
        return await stream_answer(services, request, *found, place=place)

    @app.post(
        _MESSAGES + "/{mid}/regenerate",
        tags=["Chats"],
        openapi_extra=openapi.REGENERATE,
        response_class=Response,
    )
    async def regenerate(request: Request, id: str, mid: str) -> Response:
        """Make one more answer, beside an answer or below a user's message, and read it."""
        body = await read_json(request.receive)
        sent = await chats_of(services).regenerate(
            id_in_path(id, "chat"),
            id_in_path(mid, "message"),
            principal=principal_of(request.scope),
            language=language_asked(request),
            model=read_model(body),
        )
        return await stream_answer(services, request, sent.record, sent.answer)

    @app.post(
        _MESSAGES + "/{mid}/continue",
        tags=["Chats"],
        openapi_extra=openapi.GO_ON,
        response_class=Response,
    )
    async def go_on(request: Request, id: str, mid: str) -> Response:
        """Go on with an answer that was cut off, in the same message, and read the rest."""
        body = await read_json(request.receive)
        sent = await chats_of(services).go_on(
            id_in_path(id, "chat"),
            id_in_path(mid, "message"),
            principal=principal_of(request.scope),
            language=language_asked(request),
            model=read_model(body),
        )
        return await stream_answer(services, request, sent.record, sent.answer)
