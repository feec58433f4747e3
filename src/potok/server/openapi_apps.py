"""What `/openapi.json` says of the routes of apps."""

from typing import Any

from potok.apps.contract import Route
from potok.server.openapi_examples import RUN

__all__ = ["COME_BACK", "come_back_of", "start_of"]

Json = dict[str, Any]

COME_BACK = (
    "For EventSource. `Last-Event-ID` goes on after an event; `run` reads a run from its start;"
    " `message` starts one, where the path allows it, and only once for each `key`, or for each"
    " message within a minute; without any of them the newest live run is read. 204 where nothing"
    " is to come."
)

_RESUME: Json = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "description": "Go on after this event; never starts anything.",
    "schema": {"type": "string"},
    "example": f"{RUN}.3",
}
_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same request attaches to the run it started.",
    "schema": {"type": "string"},
    "example": "6f0f2a0e-6b8b-4c52-9f57-0f5b8a5b1c11",
}


def start_of(route: Route) -> Json:
    """Return what is said of the route's POST."""
    body = {"schema": route.body, "example": route.example}
    return {
        "parameters": [*_path_of(route), _KEY, _RESUME],
        "requestBody": {"required": True, "content": {"application/json": body}},
        "responses": _replies(route),
    }


def come_back_of(route: Route) -> Json:
    """Return what is said of the route's GET."""
    query = {
        "run": "Read this run from its start.",
        "after": "As Last-Event-ID.",
        **({"message": "Start a run.", "key": "Once for it."} if route.starts_by_get else {}),
    }
    return {
        "parameters": [
            *_path_of(route),
            _RESUME,
            *(
                {
                    "name": name,
                    "in": "query",
                    "required": False,
                    "description": says,
                    "schema": {"type": "string"},
                }
                for name, says in query.items()
            ),
        ],
        "responses": {
            **_replies(route),
            "204": {"description": "Nothing runs, or all of the run was read."},
        },
    }


def _path_of(route: Route) -> list[Json]:
    names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in names
    ]


def _replies(route: Route) -> Json:
    stream = {"schema": {"type": "string"}, "example": route.reply}
    return {"200": {"description": "The stream.", "content": {route.dialect.media_type: stream}}}
