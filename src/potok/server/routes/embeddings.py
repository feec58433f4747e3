"""`POST /v1/embeddings`: vectors of texts, by a provider's model or by the demo's."""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from potok.dialects.openai_embeddings import embeddings_body, parse_embedding_request
from potok.errors import RequestInvalid
from potok.models.embeddings import Embedder
from potok.server import openapi_embeddings as openapi
from potok.server.body import read_json, unless_gone
from potok.server.services import Services

__all__ = ["add_embedding_routes"]


def add_embedding_routes(app: FastAPI, services: Services) -> None:
    """Add the routes of this face."""

    @app.post("/v1/embeddings", tags=["OpenAI"], openapi_extra=openapi.CREATE)
    async def create_embeddings(request: Request) -> Response:
        """Return one vector per text.

        The demo model's vectors compare letters, not meanings; the answer's `model` says `demo`.
        """
        wanted = parse_embedding_request(await read_json(request.receive))
        model = await services.catalogue.resolve(wanted.model)
        if not isinstance(model, Embedder):
            raise RequestInvalid(
                f"The model {model.info.full_name!r} makes no embeddings here.", param="model"
            )
        made = await unless_gone(request.receive, model.embed(wanted.inputs, wanted.parameters))
        body = embeddings_body(
            made.vectors,
            model=model.info.name,
            prompt_tokens=made.prompt_tokens,
            is_base64=wanted.is_base64,
        )
        return Response(body, media_type="application/json")
