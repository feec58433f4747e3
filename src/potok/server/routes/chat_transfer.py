"""`/api/web/v1/chats/import` and `/chats/{id}/export`: whole chats in and out."""

import asyncio

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from potok.chats.import_formats import parse_import
from potok.dialects.chats_001_requests import id_in_path
from potok.errors import RequestInvalid
from potok.server import openapi_chats as openapi
from potok.server.body import read_bytes
from potok.server.chat_bodies import chats_of, json_response
from potok.server.chat_export import export_json, export_markdown
from potok.server.safety_layer import principal_of
from potok.server.services import Services

__all__ = ["add_chat_transfer_routes"]


def add_chat_transfer_routes(app: FastAPI, services: Services) -> None:
    """Add the routes of this group."""

    @app.post(
        "/api/web/v1/chats/import", tags=["Chats"], status_code=201, openapi_extra=openapi.IMPORT
    )
    async def import_chats(request: Request) -> Response:
        """Import Potok's own JSON export, or ChatGPT's `conversations.json`: all of it or nothing.

        A conversation of ChatGPT that is here already is not imported again.
        """
        body = await read_bytes(request.receive)
        # A large file is decoded beside the event loop, which has readers to serve.
        chats = await asyncio.to_thread(parse_import, body, now=services.clock.now())
        store = await chats_of(services).store()
        done = await store.transfer.add(chats, principal=principal_of(request.scope))
        return json_response(
            {
                "imported": len(done.chat_ids),
                "already_known": done.known,
                "chat_ids": list(done.chat_ids),
            },
            status=201,
        )

    @app.get("/api/web/v1/chats/{id}/export", tags=["Chats"], openapi_extra=openapi.EXPORT)
    async def export_chat(request: Request, id: str, format: str | None = None) -> Response:
        """Return a chat as a file: Markdown of the shown path, or JSON of the whole tree."""
        principal = principal_of(request.scope)
        chats = chats_of(services)
        store = await chats.store()
        chat = await store.chats.read(id_in_path(id, "chat"), principal=principal)
        if format in (None, "", "markdown", "md"):
            body, media_type, ending = (
                export_markdown(chats, chat, principal=principal),
                "text/markdown; charset=utf-8",
                "md",
            )
        elif format == "json":
            body, media_type, ending = (
                export_json(store, chat, principal=principal),
                "application/json",
                "json",
            )
        else:
            raise RequestInvalid("`format` must be markdown or json.", param="format")
        name = f'attachment; filename="chat-{chat.id}.{ending}"'
        return StreamingResponse(body, media_type=media_type, headers={"content-disposition": name})
