"""`GET /v1/models`: what can be asked here, in OpenAI's shape."""

from fastapi import FastAPI
from starlette.responses import Response

from potok.dialects.line_safe import encode_json
from potok.errors import ModelUnknown
from potok.models.contract import ModelInfo
from potok.server import openapi
from potok.server.services import Services

__all__ = ["add_model_routes"]


def add_model_routes(app: FastAPI, services: Services) -> None:
    """Add the routes of this face."""

    @app.get("/v1/models", tags=["OpenAI"], openapi_extra=openapi.MODELS)
    async def list_models() -> Response:
        """List the models by the names that requests use."""
        named = _named(await services.catalogue.list())
        return _json({"object": "list", "data": list(named.values())})

    @app.get("/v1/models/{model:path}", tags=["OpenAI"], openapi_extra=openapi.MODEL)
    async def get_model(model: str) -> Response:
        """Describe one model, by its own name or by `<provider>/<name>`."""
        named = _named(await services.catalogue.list())
        for name, described in named.items():
            if model in (name, described["full_name"]):
                return _json({**described, "id": model})
        raise ModelUnknown(model, known=tuple(named))


def _named(models: tuple[ModelInfo, ...]) -> dict[str, dict[str, object]]:
    # A bare name is the first provider's that lists it; a later one's model needs its full name.
    named: dict[str, dict[str, object]] = {}
    for model in models:
        name = model.full_name if model.name in named else model.name
        named[name] = {
            "id": name,
            "object": "model",
            "created": model.created,
            "owned_by": model.provider,
            "full_name": model.full_name,
        }
    return named


def _json(value: object) -> Response:
    return Response(encode_json(value), media_type="application/json")
