"""An agent's `sources` as the source chunks of the AI SDK."""

from typing import Any

__all__ = ["source_chunks"]

_DOCUMENT_TYPE = "text/plain"


def source_chunks(data: object) -> list[dict[str, Any]]:
    """Return one chunk per source that has an address or a title; anything else is no source.

    Args:
        data: A list of objects with `url` or `title`, and, where known, `id`, `media_type` and
            `filename`.
    """
    if not isinstance(data, list):
        return []
    return [chunk for one in data if isinstance(one, dict) if (chunk := _chunk(one)) is not None]


def _chunk(source: dict[str, Any]) -> dict[str, Any] | None:
    url, title = _text(source, "url"), _text(source, "title")
    name = _text(source, "id") or url or title
    if url is not None:
        named = {} if title is None else {"title": title}
        return {"type": "source-url", "sourceId": name, "url": url, **named}
    if title is None:
        return None
    chunk = {
        "type": "source-document",
        "sourceId": name,
        "mediaType": _text(source, "media_type") or _DOCUMENT_TYPE,
        "title": title,
    }
    filename = _text(source, "filename")
    return chunk if filename is None else {**chunk, "filename": filename}


def _text(source: dict[str, Any], field: str) -> str | None:
    value = source.get(field)
    return value if isinstance(value, str) and value else None
