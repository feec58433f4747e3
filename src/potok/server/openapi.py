"""What `/openapi.json` says of each route beyond its path: bodies, headers, replies, examples.

Bodies are parsed by the dialects, not by the web framework, so they are described here by hand.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from potok.server.openapi_chat_schemas import CHAT_SCHEMAS
from potok.server.openapi_examples import ASKED, CHUNKS, EVENTS, LINES, RUN, STATE, STREAM, USAGE
from potok.server.openapi_refusals import add_refusals
from potok.server.openapi_schemas import SCHEMAS
from potok.server.openapi_sdk_schemas import SDK_SCHEMAS
from potok.server.problems import Faces

__all__ = [
    "CANCEL_RUN",
    "CHAT_COMPLETIONS",
    "GET_RUN",
    "HEALTH",
    "LIST_RUNS",
    "MODEL",
    "MODELS",
    "READ_EVENTS",
    "START_RUN",
    "describe",
]

Json = dict[str, Any]


def _body(schema: str, **examples: Json) -> Json:
    named = {name: {"value": value} for name, value in examples.items()}
    return {
        "required": True,
        "content": {"application/json": {"schema": _ref(schema), "examples": named}},
    }


def _ref(schema: str) -> Json:
    return {"$ref": f"#/components/schemas/{schema}"}


def _reply(says: str, schema: str, example: Json) -> Json:
    return {
        "description": says,
        "content": {"application/json": {"schema": _ref(schema), "example": example}},
    }


def _with_stream(reply: Json, **streams: str) -> Json:
    content = dict(reply["content"])
    for subtype, example in streams.items():
        media_type = {"sse": "text/event-stream", "ndjson": "application/x-ndjson"}[subtype]
        content[media_type] = {"schema": {"type": "string"}, "example": example}
    return {**reply, "content": content}


def _header(name: str, says: str, example: str) -> Json:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": says,
        "schema": {"type": "string"},
        "example": example,
    }


def _problem(says: str, code: str, message: str) -> Json:
    return _reply(says, "Problem", {"error": {"code": code, "message": message}})


_NO_RUN = _problem(
    "No such run, or not yours; the two cannot be told apart.",
    "run_not_found",
    f"There is no run '{RUN}'. GET /api/runs lists the runs you started.",
)
_BAD = _problem("A field is wrong.", "invalid_request", "`model` is missing.")
_CONFLICT = _problem(
    "The Idempotency-Key started another request.",
    "idempotency_conflict",
    "Use a new key for a new request.",
)
_KEY = _header(
    "Idempotency-Key",
    "The same key with the same request attaches to the run it started, for 24 hours.",
    "6f0f2a0e-6b8b-4c52-9f57-0f5b8a5b1c11",
)
_LAST_ID = _header(
    "Last-Event-ID", "Go on after this event; wins over `after`. Never starts anything.", "3"
)
_LAST_ID_OF_RUN = _header(
    "Last-Event-ID", "Go on after this event of its run; never starts one.", f"{RUN}.3"
)
_ON_DISCONNECT = _header(
    "X-Potok-On-Disconnect", "`keep`: the run goes on when its last reader leaves.", "keep"
)

START_RUN: Json = {
    "parameters": [_KEY, _LAST_ID_OF_RUN, _ON_DISCONNECT],
    "requestBody": _body(
        "StartRun",
        model={"model": "demo", "messages": ASKED},
        agent={"agent": "translator", "input": {"text": "Hello!", "target_language": "Spanish"}},
    ),
    "responses": {
        "201": _reply("Started.", "StartedRun", {"id": RUN, "status": "queued", "events": EVENTS}),
        "200": _reply(
            "Attached.", "StartedRun", {"id": RUN, "status": "running", "events": EVENTS}
        ),
        "400": _BAD,
        "409": _CONFLICT,
    },
}
LIST_RUNS: Json = {
    "responses": {
        "200": _reply(
            "A page of runs.",
            "RunList",
            {
                "items": [
                    {
                        "id": RUN,
                        "status": "finished",
                        "offset": "6",
                        "model": "demo",
                        "agent": None,
                        "chat_id": None,
                        "created_at": 1790000000.25,
                        "ended_at": 1790000001.5,
                        "events": EVENTS,
                    }
                ],
                "next_cursor": None,
            },
        )
    },
}
GET_RUN: Json = {"responses": {"200": _reply("The run so far.", "RunState", STATE), "404": _NO_RUN}}
READ_EVENTS: Json = {
    "parameters": [_LAST_ID, _ON_DISCONNECT],
    "responses": {
        "200": _with_stream(
            _reply(
                "The stream; as JSON one page of it, with `wait`.",
                "EventPage",
                {
                    "events": [{"id": "3", "event": "text-delta", "part": "t0", "text": "Hello!"}],
                    "offset": "3",
                    "done": False,
                },
            ),
            sse=STREAM,
            ndjson=LINES,
        ),
        "204": {"description": "The run has ended, and the reader has all of it."},
        "400": _problem(
            "The offset is none of this run.",
            "offset_invalid",
            "The offset 'x' cannot be used: it is not an offset.",
        ),
        "404": _NO_RUN,
        "410": _reply(
            "The events after the offset are gone; `snapshot` has the whole answer.",
            "Problem",
            {
                "error": {
                    "code": "offset_expired",
                    "message": "Events after offset 3 are no longer kept.",
                    "first": "7",
                    "snapshot": f"/api/runs/{RUN}",
                }
            },
        ),
    },
}
CANCEL_RUN: Json = {
    "responses": {
        "200": _reply("Ended.", "RunState", {**STATE, "status": "cancelled"}),
        "202": _reply("Still stopping.", "RunState", {**STATE, "status": "running"}),
        "404": _NO_RUN,
    }
}
CHAT_COMPLETIONS: Json = {
    "parameters": [_KEY, _LAST_ID_OF_RUN, _ON_DISCONNECT],
    "requestBody": _body(
        "ChatCompletionRequest",
        stream={"model": "demo", "messages": ASKED, "stream": True},
        whole={"model": "demo", "messages": ASKED},
    ),
    "responses": {
        "200": _with_stream(
            _reply(
                "The answer.",
                "ChatCompletion",
                {
                    "id": f"chatcmpl-{RUN}",
                    "object": "chat.completion",
                    "created": 1790000000,
                    "model": "demo",
                    "choices": [
                        {
                            "index": 0,
                            "message": {"role": "assistant", "content": "Hello!"},
                            "finish_reason": "stop",
                        }
                    ],
                    "usage": {**USAGE, "total_tokens": 12},
                },
            ),
            sse=CHUNKS,
        ),
        "400": _reply(
            "A field is wrong.",
            "OpenAiProblem",
            {
                "error": {
                    "message": "`messages` is missing.",
                    "type": "invalid_request_error",
                    "param": "messages",
                    "code": "invalid_request",
                }
            },
        ),
    },
}
_MODEL = {
    "id": "demo",
    "object": "model",
    "created": 0,
    "owned_by": "demo",
    "full_name": "demo/demo",
}
MODELS: Json = {
    "responses": {"200": _reply("All models.", "ModelList", {"object": "list", "data": [_MODEL]})}
}
MODEL: Json = {"responses": {"200": _reply("The model.", "Model", _MODEL)}}
HEALTH: Json = {
    "responses": {
        "200": _reply(
            "Alive.",
            "Health",
            {"status": "ok", "version": "0.1.0", "uptime_seconds": 12.5, "live_runs": 3},
        )
    }
}


def describe(app: FastAPI, *, faces: Faces = ()) -> Json:
    """Return the OpenAPI document of `app`; `faces` are those of installed apps."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
    )
    for operations in document["paths"].values():
        for operation in operations.values():
            # The framework's own validation answers in no shape of ours, and never gets to.
            operation["responses"].pop("422", None)
    add_refusals(document, faces=faces)
    components = document.setdefault("components", {})
    components["schemas"] = SCHEMAS | CHAT_SCHEMAS | SDK_SCHEMAS
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{}, {"key": []}]
    return document
