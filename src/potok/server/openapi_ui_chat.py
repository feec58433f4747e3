"""What `/openapi.json` says of the AI SDK's chat."""

from typing import Any

from potok.server.openapi import CANCEL_RUN, START_RUN
from potok.server.openapi_examples import RUN

__all__ = ["CANCEL", "RESUME", "START"]

Json = dict[str, Any]

_CHUNKS = "".join(
    f"data: {chunk}\nid: {RUN}.{place}\n\n"
    for chunk, place in (
        (f'{{"type":"start","messageId":"msg_{RUN}"}}', "1.1"),
        ('{"type":"start-step"}', "1.2"),
        ('{"type":"text-start","id":"t0"}', "2"),
        ('{"type":"text-delta","id":"t0","delta":"Hello!"}', "3"),
        ('{"type":"text-end","id":"t0"}', "4"),
        ('{"type":"finish-step"}', "6.1"),
        ('{"type":"finish","finishReason":"stop"}', "6.2"),
        ("[DONE]", "6.3"),
    )
)
_STREAM: Json = {
    "description": "The answer as a UI message stream, from its start.",
    "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _CHUNKS}},
}
_ASKED: Json = {
    "id": "chat-1",
    "trigger": "submit-message",
    "messages": [
        {"id": "m1", "role": "user", "parts": [{"type": "text", "text": "Say hello."}]},
    ],
}
_NOTHING: Json = {"description": "The chat has no live answer."}
_BAD: Json = START_RUN["responses"]["400"]

START: Json = {
    "parameters": START_RUN["parameters"],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/UiChatRequest"},
                "examples": {
                    "plain": {"value": _ASKED},
                    "chosen": {"value": {**_ASKED, "model": "demo", "temperature": 0.3}},
                },
            }
        },
    },
    "responses": {
        "200": _STREAM,
        "204": {"description": "The run has ended, and the reader has all of it."},
        "400": _BAD,
        "409": START_RUN["responses"]["409"],
    },
}
RESUME: Json = {"responses": {"200": _STREAM, "204": _NOTHING, "400": _BAD}}
CANCEL: Json = {
    "requestBody": {
        "required": False,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/UiChatCancel"},
                "examples": {"any": {"value": {}}, "this run": {"value": {"run": RUN}}},
            }
        },
    },
    "responses": {
        "200": CANCEL_RUN["responses"]["200"],
        "202": CANCEL_RUN["responses"]["202"],
        "204": _NOTHING,
        "400": _BAD,
    },
}
