"""`/api/web/v1/chats`: the list of chats, search, and a chat without its messages."""

import msgspec
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from potok import limits
from potok.chats.contract import ChatChanges, NewChat
from potok.dialects.chats_001_requests import (
    id_in_path,
    read_boolean,
    read_id,
    read_model,
    read_name,
    read_text,
)
from potok.errors import RequestInvalid
from potok.events.run_request import JsonObject
from potok.server import openapi_chats as openapi
from potok.server.body import read_json
from potok.server.chat_bodies import (
    chat_body,
    chats_of,
    found_body,
    json_response,
    message_body,
    read_limit,
)
from potok.server.cursors import decode_cursor, encode_cursor
from potok.server.safety_layer import principal_of
from potok.server.services import Services

__all__ = ["add_chat_routes"]

_ARCHIVED: dict[str | None, bool | None] = {
    None: False,
    "": False,
    "false": False,
    "true": True,
    "all": None,
}


def add_chat_routes(app: FastAPI, services: Services) -> None:
    """Add the routes of this group."""
    _add_list(app, services)
    _add_chat(app, services)


def _add_list(app: FastAPI, services: Services) -> None:
    @app.get("/api/web/v1/chats", tags=["Chats"], openapi_extra=openapi.LIST_CHATS)
    async def list_chats(
        request: Request,
        project_id: str | None = None,
        q: str | None = None,
        archived: str | None = None,
        cursor: str | None = None,
        limit: str | None = None,
    ) -> Response:
        """List your chats, those that said something last first; with `q`, those that hold it.

        A search looks into titles and messages, archived ones too: all words must be in one of
        them, in any form, and the last may be half typed. Each item then says where, in `match`.
        """
        size = read_limit(limit, default=limits.CHAT_LIST_ITEMS)
        project = id_in_path(project_id, "project") if project_id else None
        principal = principal_of(request.scope)
        if q is not None and q.strip():
            return await _search(q, principal=principal, project=project, cursor=cursor, size=size)
        if archived not in _ARCHIVED:
            raise RequestInvalid("`archived` must be true, false or all.", param="archived")
        of = ("chats", project, _ARCHIVED[archived])
        before = decode_cursor(cursor, of)
        store = await chats_of(services).store()
        found = await store.chats.page(
            principal=principal,
            project_id=project,
            is_archived=_ARCHIVED[archived],
            before=before,
            items_max=size + 1,
        )
        last = found[size - 1] if len(found) > size else None
        return json_response(
            {
                "items": [chat_body(chat) for chat in found[:size]],
                "next_cursor": last and encode_cursor(of, last.updated_at, last.id),
            }
        )

    async def _search(
        q: str, *, principal: str, project: int | None, cursor: str | None, size: int
    ) -> Response:
        if len(q) > limits.SEARCH_CHARACTERS_MAX:
            raise RequestInvalid(
                f"`q` is longer than {limits.SEARCH_CHARACTERS_MAX} characters.", param="q"
            )
        of = ("search", project, q)
        place = decode_cursor(cursor, of)
        store = await chats_of(services).store()
        found = await store.search.find(
            q,
            principal=principal,
            project_id=project,
            before=place[1] if place is not None else None,
            items_max=size,
        )
        more = len(found) == size
        return json_response(
            {
                "items": [found_body(one) for one in found],
                "next_cursor": encode_cursor(of, 0.0, found[-1].position) if more else None,
            }
        )

    @app.post("/api/web/v1/chats", tags=["Chats"], status_code=201, openapi_extra=openapi.NEW_CHAT)
    async def create_chat(request: Request) -> Response:
        """Make a chat; with an `external_id` that you have used, the chat of that name."""
        body = await read_json(request.receive)
        new = NewChat(
            title=read_name(body, "title"),
            project_id=read_id(body, "project_id"),
            model=read_model(body),
            external_id=read_name(
                body, "external_id", characters_max=limits.CLIENT_ID_CHARACTERS_MAX
            ),
        )
        store = await chats_of(services).store()
        chat = await store.chats.create(new, principal=principal_of(request.scope))
        return json_response(chat_body(chat), status=201)


def _add_chat(app: FastAPI, services: Services) -> None:
    @app.get("/api/web/v1/chats/{id}", tags=["Chats"], openapi_extra=openapi.CHAT)
    async def get_chat(request: Request, id: str) -> Response:
        """Return a chat."""
        store = await chats_of(services).store()
        chat = await store.chats.read(id_in_path(id, "chat"), principal=principal_of(request.scope))
        return json_response(chat_body(chat))

    @app.patch("/api/web/v1/chats/{id}", tags=["Chats"], openapi_extra=openapi.CHANGE_CHAT)
    async def change_chat(request: Request, id: str) -> Response:
        """Rename, move or archive a chat, or show another path of its tree.

        `current_message_id` shows the path through that message, down to its newest end.
        """
        changes = _parse_changes(await read_json(request.receive))
        store = await chats_of(services).store()
        chat = await store.chats.update(
            id_in_path(id, "chat"), changes, principal=principal_of(request.scope)
        )
        return json_response(chat_body(chat))

    @app.delete(
        "/api/web/v1/chats/{id}", tags=["Chats"], status_code=204, openapi_extra=openapi.DELETE
    )
    async def delete_chat(request: Request, id: str) -> Response:
        """Remove a chat with all its messages; its live answer is stopped."""
        await chats_of(services).delete_chat(
            id_in_path(id, "chat"), principal=principal_of(request.scope)
        )
        return Response(status_code=204)

    @app.post("/api/web/v1/chats/{id}/cancel", tags=["Chats"], openapi_extra=openapi.CANCEL)
    async def cancel(request: Request, id: str) -> Response:
        """Stop the chat's answer; its text so far is kept. Harmless where nothing is answered.

        With `message_id` only that answer is stopped: a late Stop does not hit the next one.
        """
        body = await read_json(request.receive)
        stopped = await chats_of(services).cancel(
            id_in_path(id, "chat"),
            principal=principal_of(request.scope),
            message=read_id(body, "message_id"),
        )
        return json_response({"message": None if stopped is None else message_body(stopped)})


def _parse_changes(body: JsonObject) -> ChatChanges:
    given: JsonObject = {}
    if (title := read_name(body, "title")) is not None:
        given["title"] = title
    if "project_id" in body:
        given["project_id"] = read_id(body, "project_id")
    if "model" in body:
        given["model"] = read_model(body)
    if (archived := read_boolean(body, "archived")) is not None:
        given["is_archived"] = archived
    if "draft" in body:
        given["draft"] = read_text(body, "draft", characters_max=limits.MESSAGE_BYTES_MAX)
    if (message := read_id(body, "current_message_id")) is not None:
        given["current_message_id"] = message
    return msgspec.convert(given, ChatChanges)
