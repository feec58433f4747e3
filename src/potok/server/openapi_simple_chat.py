"""What `/openapi.json` says of simple chat."""

from typing import Any

from potok.server.openapi import CHAT_COMPLETIONS
from potok.server.openapi_examples import ASKED, RUN, USAGE

__all__ = ["STREAM", "WHOLE"]

Json = dict[str, Any]

_FRAMES = (
    f'data: {{"content":"Hel"}}\nid: {RUN}.3\n\n'
    f'data: {{"content":"lo!"}}\nid: {RUN}.4\n\n'
    f"data: [DONE]\nid: {RUN}.7\n\n"
)


def _json(schema: str, **examples: object) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}, **examples}}


def _problem(says: str, **example: object) -> Json:
    return {"description": says, "content": _json("SimpleProblem", example=example)}


_REQUEST: Json = {
    # Key, place and what a disconnect means are asked in the same headers.
    "parameters": CHAT_COMPLETIONS["parameters"],
    "requestBody": {
        "required": True,
        "content": _json(
            "SimpleChatRequest",
            examples={
                "plain": {"value": {"messages": ASKED}},
                "chosen": {"value": {"model": "demo", "temperature": 0.3, "messages": ASKED}},
            },
        ),
    },
}
_REFUSALS: Json = {
    "400": _problem(
        "A field is wrong.",
        error="`messages` is missing.",
        code="invalid_request",
        param="messages",
    ),
    "409": _problem(
        "The Idempotency-Key started another request.",
        error="Use a new key for a new request.",
        code="idempotency_conflict",
        run=RUN,
    ),
}

STREAM: Json = {
    **_REQUEST,
    "responses": {
        "200": {
            "description": "The answer's text as it comes.",
            "content": {
                "text/event-stream": {"schema": {"type": "string"}, "example": _FRAMES},
                "text/plain": {"schema": {"type": "string"}, "example": "Hello!"},
            },
        },
        "204": {"description": "The run has ended, and the reader has all of it."},
        **_REFUSALS,
    },
}
WHOLE: Json = {
    **_REQUEST,
    "responses": {
        "200": {
            "description": "The whole answer.",
            "content": _json(
                "SimpleAnswer",
                example={
                    "message": "Hello!",
                    "model": "demo",
                    "usage": {**USAGE, "total_tokens": 12},
                    "run": RUN,
                },
            ),
        },
        **_REFUSALS,
    },
}
