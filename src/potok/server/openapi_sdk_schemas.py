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
    "EmbeddingRequest": {
        "type": "object",
        "required": ["model", "input"],
        "additionalProperties": True,
        "properties": {
            "model": _STRING,
            "input": {
                "description": "One text or several; tokens where the provider knows them.",
                "anyOf": [_STRING, {"type": "array", "items": {}}],
            },
            "encoding_format": {"type": "string", "enum": ["float", "base64"]},
            "dimensions": {"type": "integer", "minimum": 1},
        },
    },
    "Embeddings": {
        "type": "object",
        "required": ["object", "data", "model", "usage"],
        "properties": {
            "object": {"const": "list"},
            "data": {"type": "array", "items": _ANY_OBJECT},
            "model": _STRING,
            "usage": _ANY_OBJECT,
        },
    },
    "ResponseRequest": {
        "type": "object",
        "required": ["model", "input"],
        "additionalProperties": True,
        "properties": {
            "model": {**_STRING, "description": "Bare name or `<provider>/<name>`."},
            "input": {
                "description": "Text, or items: messages, calls of functions, their outputs.",
                "anyOf": [_STRING, {"type": "array", "items": _ANY_OBJECT}],
            },
            "instructions": _STRING,
            "previous_response_id": _STRING,
            "stream": {"type": "boolean", "default": False},
            "background": {"type": "boolean", "default": False},
            "store": {"type": "boolean", "default": True},
            "tools": {"type": "array", "items": _ANY_OBJECT},
            "text": _ANY_OBJECT,
            "reasoning": _ANY_OBJECT,
            "max_output_tokens": {"type": "integer", "minimum": 1},
            "metadata": {"type": "object", "additionalProperties": _STRING},
        },
    },
    "Response": {
        "type": "object",
        "required": ["id", "object", "created_at", "status", "model", "output"],
        "additionalProperties": True,
        "properties": {
            "id": _STRING,
            "object": {"const": "response"},
            "created_at": {"type": "integer"},
            "status": {
                "type": "string",
                "enum": [
                    *("queued", "in_progress", "completed", "incomplete"),
                    *("failed", "cancelled"),
                ],
            },
            "model": _STRING,
            "output": {"type": "array", "items": _ANY_OBJECT},
        },
    },
    "ResponseDeleted": {
        "type": "object",
        "required": ["id", "object", "deleted"],
        "properties": {
            "id": _STRING,
            "object": {"const": "response"},
            "deleted": {"const": True},
        },
    },
    "ResponseItems": {
        "type": "object",
        "required": ["object", "data", "first_id", "last_id", "has_more"],
        "properties": {
            "object": {"const": "list"},
            "data": {"type": "array", "items": _ANY_OBJECT},
            "first_id": _STRING,
            "last_id": _STRING,
            "has_more": {"type": "boolean"},
        },
    },
    "UiChatCancel": {
        "type": "object",
        "properties": {"run": {**_STRING, "description": "Stop this run, or nothing."}},
    },
}
