"""`GET /healthz`: whether the process is alive. Open to everybody, so it says little."""

from fastapi import FastAPI
from starlette.responses import Response

from potok.dialects.line_safe import encode_json
from potok.server import openapi
from potok.server.services import Services

__all__ = ["add_health_routes"]


def add_health_routes(app: FastAPI, services: Services) -> None:
    """Add the route; uptime counts from now."""
    began_at = services.clock.monotonic()

    @app.get("/healthz", tags=["Server"], openapi_extra=openapi.HEALTH)
    async def get_health() -> Response:
        """Say that the server is alive, which version it is, and since when."""
        return Response(
            encode_json(
                {
                    "status": "ok",
                    "version": services.about.version,
                    "uptime_seconds": round(services.clock.monotonic() - began_at, 1),
                    "live_runs": services.runs.live_runs,
                }
            ),
            media_type="application/json",
        )
