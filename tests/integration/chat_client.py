"""A client of requirement 001, as its own front end would be: frames by their `type`."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from potok.wire.sse import SseDecoder

BASE = "/api/web/v1"
Json = dict[str, Any]


@dataclass
class Answer:
    """What a reader was shown of one answer."""

    status: int = 0
    run: str = ""
    frames: list[Json] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    error: Json = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The answer's text, from its deltas."""
        deltas = [one for one in self.frames if one["type"] == "message_delta"]
        return "".join(one["delta"] for one in deltas if "channel" not in one)

    @property
    def message(self) -> Json:
        """The message in the last frame."""
        message: Json = self.frames[-1]["message"]
        return message


async def read_frames(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    answer: Answer,
    *,
    body: Json | None = None,
    headers: dict[str, str] | None = None,
) -> AsyncIterator[Json]:
    """Yield an answer's frames as they come, and keep them; ends where the body does or breaks."""
    decoder = SseDecoder()
    try:
        async with client.stream(method, BASE + path, json=body, headers=headers) as reply:
            answer.status = reply.status_code
            answer.run = reply.headers.get("x-potok-run", "")
            if reply.status_code != 200:
                content = await reply.aread()
                answer.error = json.loads(content)["error"] if content else {}
                return
            async for chunk in reply.aiter_raw():
                for event in decoder.feed(chunk):
                    assert event.event == "message"
                    answer.frames.append(json.loads(event.data))
                    answer.ids.append(event.id)
                    yield answer.frames[-1]
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.ConnectError):
        return


async def stream(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    body: Json | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """Read an answer to its end."""
    answer = Answer()
    async for _ in read_frames(client, method, path, answer, body=body, headers=headers):
        continue
    return answer


async def get(client: httpx.AsyncClient, path: str, **query: Any) -> Any:
    """Return the JSON at a path."""
    reply = await client.get(BASE + path, params=query)
    assert reply.status_code == 200, reply.text
    return reply.json()


async def new_chat(client: httpx.AsyncClient, **fields: Any) -> int:
    """Make a chat; return its id."""
    reply = await client.post(f"{BASE}/chats", json=fields)
    assert reply.status_code == 201, reply.text
    id: int = reply.json()["id"]
    return id


async def messages_of(client: httpx.AsyncClient, chat: int) -> list[Json]:
    """Return a chat's shown messages."""
    items: list[Json] = (await get(client, f"/chats/{chat}/messages"))["items"]
    return items
