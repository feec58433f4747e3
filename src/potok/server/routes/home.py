"""The pages for a person with a browser: `GET /`, the agents' `GET /agents`, and their assets."""

import asyncio
from contextlib import suppress

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from potok import limits
from potok.errors import PathUnknown
from potok.models.catalogue import DEMO
from potok.models.contract import ModelInfo
from potok.server.headers import language_of
from potok.server.home_page import CONTENT_SECURITY_POLICY, HomeFacts, render_home
from potok.server.services import Services
from potok.server.static_ui import AGENTS_PAGE, ASSETS_BELOW

__all__ = ["add_home_routes"]


def add_home_routes(app: FastAPI, services: Services) -> None:
    """Add the page, which is no part of the API: the built one, or the plain one without it.

    One built page stands at both addresses; its script looks at which it is.
    """
    ui = services.ui

    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    @app.api_route(AGENTS_PAGE, methods=["GET", "HEAD"], include_in_schema=False)
    async def show_home(request: Request) -> Response:
        if ui is not None:
            return ui.answer_page(request.scope)
        wish = request.query_params.get("language")
        language = wish if wish in ("en", "ru") else language_of(request.scope)
        return Response(
            render_home(await _facts(services), language=language),
            headers={
                "content-language": language,
                "content-security-policy": CONTENT_SECURITY_POLICY,
                "vary": "Accept-Language",
            },
            media_type="text/html",
        )

    @app.api_route(ASSETS_BELOW + "{name}", methods=["GET", "HEAD"], include_in_schema=False)
    async def send_asset(request: Request, name: str) -> Response:
        answer = None if ui is None else ui.answer_asset(name, request.scope)
        if answer is None:
            raise PathUnknown(request.url.path)
        return answer


async def _facts(services: Services) -> HomeFacts:
    about, catalogue = services.about, services.catalogue
    needs_key = services.access.principals.needs_key
    models: tuple[ModelInfo, ...] = ()
    with suppress(TimeoutError):
        async with asyncio.timeout(limits.HOME_MODELS_SECONDS_MAX):
            models = await catalogue.list()
    failures = catalogue.failures
    troubles = tuple(f"{name}: {failures[name].message}" for name in failures)
    providers = {model.provider for model in models} | set(failures)
    return HomeFacts(
        version=about.version,
        address=about.address,
        # The page is open to everybody: behind a key it names nothing of what the server holds.
        models=() if needs_key else tuple(dict.fromkeys(model.name for model in models)),
        troubles=() if needs_key else troubles,
        has_only_demo=providers == {DEMO},
        needs_key=needs_key,
        data_folder=None if needs_key else about.data_folder,
        log_backend=None if needs_key else about.log_backend,
    )
