"""What `/openapi.json` says of embeddings."""

from typing import Any

from potok.server.openapi import CHAT_COMPLETIONS

__all__ = ["CREATE"]

Json = dict[str, Any]


def _json(schema: str, **examples: object) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}, **examples}}


CREATE: Json = {
    "requestBody": {
        "required": True,
        "content": _json(
            "EmbeddingRequest",
            examples={
                "one": {"value": {"model": "demo", "input": "durable streams"}},
                "several": {
                    "value": {
                        "model": "demo",
                        "input": ["durable streams", "a chat"],
                        "encoding_format": "base64",
                        "dimensions": 64,
                    }
                },
            },
        ),
    },
    "responses": {
        "200": {
            "description": "The vectors; as base64 they are little-endian 32-bit floats.",
            "content": _json(
                "Embeddings",
                example={
                    "object": "list",
                    "data": [{"object": "embedding", "index": 0, "embedding": [0.6, -0.8]}],
                    "model": "demo",
                    "usage": {"prompt_tokens": 3, "total_tokens": 3},
                },
            ),
        },
        "400": CHAT_COMPLETIONS["responses"]["400"],
    },
}
