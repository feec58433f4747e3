"""What `/openapi.json` says of OpenAI's Responses."""

from typing import Any

from potok.server.openapi import CHAT_COMPLETIONS
from potok.server.openapi_examples import RUN

__all__ = ["CANCEL", "CREATE", "DELETE", "INPUT_ITEMS", "RETRIEVE"]

Json = dict[str, Any]

_ID = f"resp_{RUN}"
_TEXT = {"type": "output_text", "text": "Hello!", "annotations": []}
_ITEM = {
    "id": f"msg_{RUN}_0",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [_TEXT],
}
_RESPONSE: Json = {
    "id": _ID,
    "object": "response",
    "created_at": 1790000000,
    "status": "completed",
    "error": None,
    "model": "demo",
    "output": [_ITEM],
    "usage": {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12},
}
_EVENTS = "".join(
    f'event: {kind}\ndata: {{"type":"{kind}",{fields},"sequence_number":{number}}}\n'
    f"id: {RUN}.{place}\n\n"
    for kind, fields, number, place in (
        ("response.created", f'"response":{{"id":"{_ID}","status":"in_progress"}}', 0, "1.1"),
        (
            "response.output_text.delta",
            f'"item_id":"msg_{RUN}_0","output_index":0,"content_index":0,"delta":"Hello!"',
            4,
            "3.3",
        ),
        ("response.completed", f'"response":{{"id":"{_ID}","status":"completed"}}', 8, "6"),
    )
)


def _json(schema: str, **examples: object) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}, **examples}}


def _problem(says: str, *, code: str, message: str, param: str | None = None) -> Json:
    kind = "not_found_error" if code == "response_not_found" else "invalid_request_error"
    error = {"message": message, "type": kind, "param": param, "code": code}
    return {"description": says, "content": _json("OpenAiProblem", example={"error": error})}


_MISSING = _problem(
    "No such response, or not yours, or deleted, or not to be stored.",
    code="response_not_found",
    message=f"There is no response '{_ID}' that you may retrieve.",
)
_BUSY = _problem(
    "The response has not ended yet.",
    code="response_in_progress",
    message=f"The response '{_ID}' has not ended yet.",
)
_BAD: Json = CHAT_COMPLETIONS["responses"]["400"]
_TOLD: Json = {"description": "The response.", "content": _json("Response", example=_RESPONSE)}
_TOLD_OR_STREAMED: Json = {
    "description": "The response, or the stream of its events.",
    "content": {
        **_TOLD["content"],
        "text/event-stream": {"schema": {"type": "string"}, "example": _EVENTS},
    },
}
_ENDED: Json = {"description": "The response has ended, and the reader has all of it."}

CREATE: Json = {
    "parameters": CHAT_COMPLETIONS["parameters"],
    "requestBody": {
        "required": True,
        "content": _json(
            "ResponseRequest",
            examples={
                "stream": {"value": {"model": "demo", "input": "Say hello.", "stream": True}},
                "background": {
                    "value": {"model": "demo", "input": "Say hello.", "background": True}
                },
                "next": {
                    "value": {
                        "model": "demo",
                        "input": [{"role": "user", "content": "And again."}],
                        "previous_response_id": _ID,
                    }
                },
            },
        ),
    },
    "responses": {"200": _TOLD_OR_STREAMED, "204": _ENDED, "400": _BAD, "409": _BUSY},
}
RETRIEVE: Json = {
    "responses": {
        "200": _TOLD_OR_STREAMED,
        "204": _ENDED,
        "400": _BAD,
        "404": _MISSING,
        "410": _problem(
            "The events are no longer kept; the response itself still is.",
            code="offset_expired",
            message="Events after offset 0 are no longer kept; the first kept one is 9.",
        ),
    }
}
CANCEL: Json = {"responses": {"200": _TOLD, "404": _MISSING}}
DELETE: Json = {
    "responses": {
        "200": {
            "description": "Removed.",
            "content": _json(
                "ResponseDeleted", example={"id": _ID, "object": "response", "deleted": True}
            ),
        },
        "404": _MISSING,
        "409": _BUSY,
    }
}
INPUT_ITEMS: Json = {
    "responses": {
        "200": {
            "description": "A page of items.",
            "content": _json(
                "ResponseItems",
                example={
                    "object": "list",
                    "data": [
                        {
                            "id": f"in_{RUN}_0",
                            "type": "message",
                            "role": "user",
                            "content": [{"type": "input_text", "text": "Say hello."}],
                        }
                    ],
                    "first_id": f"in_{RUN}_0",
                    "last_id": f"in_{RUN}_0",
                    "has_more": False,
                },
            ),
        },
        "400": _BAD,
        "404": _MISSING,
    }
}
