"""Reads the jewelry house as its clients do."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

import httpx

from potok.wire.sse import SseDecoder

CONSULTATION = "/api/consultation/test_user_123/stream"
ORCHESTRATOR = "/api/orchestrator/test_user_123/stream"

Frame = tuple[str, dict[str, Any]]


async def frames_of(
    client: httpx.AsyncClient,
    path: str,
    message: str,
    *,
    last_id: str | None = None,
    language: str | None = None,
    **more: Any,
) -> AsyncGenerator[Frame, None]:
    """Ask, and yield (id, fields) as they come."""
    headers = {"Last-Event-ID": last_id} if last_id else {}
    if language:
        headers["Accept-Language"] = language
    body = {"message": message, "conversation_history": [], **more}
    async with client.stream("POST", path, json=body, headers=headers) as reply:
        assert reply.status_code == 200, await reply.aread()
        async for frame in read(reply):
            yield frame


async def read(reply: httpx.Response) -> AsyncIterator[Frame]:
    """Yield the frames of a reply."""
    decoder = SseDecoder()
    async for chunk in reply.aiter_raw():
        for frame in decoder.feed(chunk):
            assert frame.event == "message"
            yield frame.id, json.loads(frame.data)


def kinds_in(frames: Sequence[Frame]) -> list[str]:
    """Return the types in their order, tokens in a row once."""
    kinds = [fields["type"] for _, fields in frames]
    return [kind for at, kind in enumerate(kinds) if kind != "token" or kinds[at - 1] != "token"]


def statuses_in(frames: Sequence[Frame]) -> list[str]:
    """Return the words of the statuses."""
    return [fields["message"] for _, fields in frames if fields["type"] == "status"]


def texts_in(frames: Sequence[Frame]) -> dict[str | None, str]:
    """Return what each agent said; None for a face with one voice."""
    texts: dict[str | None, str] = {}
    for _, fields in frames:
        if fields["type"] == "token":
            agent = fields.get("agent")
            texts[agent] = texts.get(agent, "") + fields["content"]
    return texts


def metadata_in(frames: Sequence[Frame]) -> dict[str, Any]:
    """Return the one frame of metadata."""
    (metadata,) = [fields for _, fields in frames if fields["type"] == "metadata"]
    return metadata
