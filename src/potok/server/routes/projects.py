"""`/api/web/v1/projects`: folders of chats, with instructions for their models."""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from potok import limits
from potok.dialects.chats_001_requests import id_in_path, read_instructions, read_name
from potok.errors import RequestInvalid
from potok.server import openapi_chats as openapi
from potok.server.body import read_json
from potok.server.chat_bodies import chats_of, json_response, project_body, read_limit
from potok.server.cursors import decode_cursor, encode_cursor
from potok.server.safety_layer import principal_of
from potok.server.services import Services

__all__ = ["add_project_routes"]

_LIST = ("projects",)


def add_project_routes(app: FastAPI, services: Services) -> None:
    """Add the routes of this group."""

    @app.get("/api/web/v1/projects", tags=["Chats"], openapi_extra=openapi.LIST_PROJECTS)
    async def list_projects(
        request: Request, cursor: str | None = None, limit: str | None = None
    ) -> Response:
        """List your projects, those changed last first."""
        size = read_limit(limit, default=limits.CHAT_LIST_ITEMS)
        before = decode_cursor(cursor, _LIST)
        store = await chats_of(services).store()
        found = await store.projects.page(
            principal=principal_of(request.scope), before=before, items_max=size + 1
        )
        last = found[size - 1] if len(found) > size else None
        return json_response(
            {
                "items": [project_body(project) for project in found[:size]],
                "next_cursor": last and encode_cursor(_LIST, last.updated_at, last.id),
            }
        )

    @app.post(
        "/api/web/v1/projects", tags=["Chats"], status_code=201, openapi_extra=openapi.NEW_PROJECT
    )
    async def create_project(request: Request) -> Response:
        """Make a project."""
        body = await read_json(request.receive)
        name = read_name(body, "name")
        if name is None:
            raise RequestInvalid("`name` is missing.", param="name")
        store = await chats_of(services).store()
        project = await store.projects.create(
            principal=principal_of(request.scope),
            name=name,
            instructions=read_instructions(body) or "",
        )
        return json_response(project_body(project), status=201)

    @app.get("/api/web/v1/projects/{id}", tags=["Chats"], openapi_extra=openapi.PROJECT)
    async def get_project(request: Request, id: str) -> Response:
        """Return a project."""
        store = await chats_of(services).store()
        project = await store.projects.read(
            id_in_path(id, "project"), principal=principal_of(request.scope)
        )
        return json_response(project_body(project))

    @app.patch("/api/web/v1/projects/{id}", tags=["Chats"], openapi_extra=openapi.CHANGE_PROJECT)
    async def change_project(request: Request, id: str) -> Response:
        """Change a project's name or instructions."""
        body = await read_json(request.receive)
        store = await chats_of(services).store()
        project = await store.projects.update(
            id_in_path(id, "project"),
            principal=principal_of(request.scope),
            name=read_name(body, "name"),
            instructions=read_instructions(body),
        )
        return json_response(project_body(project))

    @app.delete(
        "/api/web/v1/projects/{id}", tags=["Chats"], status_code=204, openapi_extra=openapi.DELETE
    )
    async def delete_project(request: Request, id: str) -> Response:
        """Remove a project; its chats stay, in no project."""
        store = await chats_of(services).store()
        await store.projects.delete(
            id_in_path(id, "project"), principal=principal_of(request.scope)
        )
        return Response(status_code=204)
