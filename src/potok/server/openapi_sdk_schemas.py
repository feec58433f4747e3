"""The JSON shapes of the SDKs' own routes that `/openapi.json` names, as data."""

from typing import Any

__all__ = ["SDK_SCHEMAS"]

Json = dict[str, Any]

_STRING: Json = {"type": "string"}
_ANY_OBJECT: Json = {"type": "object", "additionalProperties": True}

SDK_SCHEMAS: dict[str, Json] = {
    "UiChatRequest": {
        "type": "object",
        "required": ["id", "messages"],
        "additionalProperties": True,
        "properties": {
            "id": {**_STRING, "description": "The chat's id, chosen by the client."},
            "messages": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["role", "parts"],
                    "properties": {
                        "id": _STRING,
                        "role": {"type": "string", "enum": ["system", "user", "assistant"]},
                        "parts": {"type": "array", "items": _ANY_OBJECT},
                    },
                },
            },
            "trigger": {"type": "string", "enum": ["submit-message", "regenerate-message"]},
            "messageId": _STRING,
            "model": {**_STRING, "description": "Left out, the server's default model answers."},
        },
    },
    "UiChatCancel": {
        "type": "object",
        "properties": {"run": {**_STRING, "description": "Stop this run, or nothing."}},
    },
}
