"""The provider, in a process of its own: tells stories in Chat Completions, and fails on command.

Each piece is timed by the machine's monotonic clock, which all processes share, and is only
written while the kernel says that the other side has not closed. So the count of pieces taken
after a moment is exact, however late this process hears of a closed connection.

It is two providers: that below `/spare` gives no refusals of its own accord.
`/chaos/...` is for the engine: `live` (who is being answered), `fault`, `after` (pieces since).
"""

import asyncio
import json
import random
import socket
import sys
import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import uvloop
from aiohttp import web

from potok.limits import OVERLAP_WHOLE_CHARACTERS_MIN
from potok.testing.upstream_script import frame_of
from tests.integration.chaos.story import Story, pieces_of

__all__ = ["MODELS", "Misdeed"]

MODELS = ("begun", "words", "refuses", "leaves", "thinks", "cannot")
Misdeed = Literal["cut", "end", "silent", "malformed", "error", "status"]

_ESTABLISHED = 1  # TCP_ESTABLISHED in Linux's tcp_states.h
_THOUGHTS = 12
_LOOK_SECONDS = 0.1
_STATUSES = (429, 500, 502, 503)


@dataclass(slots=True, kw_only=True)
class Call:
    """One request for a story.

    `worker` is the key it came with. `times` has the moment of each piece that was taken.
    """

    number: int
    worker: str
    model: str
    transport: asyncio.Transport
    misdeed: Misdeed | None = None
    times: "array[float]" = field(default_factory=lambda: array("d"))
    struck: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_open(self) -> bool:
        """Whether the other side still has its end open."""
        if self.transport.is_closing():
            return False
        sock = self.transport.get_extra_info("socket")
        if sock is None or sys.platform != "linux":
            return sock is not None
        state: int = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
        return state == _ESTABLISHED


class Upstream:
    """All calls, those under way by their number, and what new ones meet."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.live: set[int] = set()
        self.wrong_joins: list[str] = []
        self._status_until = 0.0
        self._dice = random.Random(0)

    def routes(self) -> list[web.RouteDef]:
        """The paths that are served."""
        return [
            web.get("/v1/models", self.list_models),
            web.post("/v1/chat/completions", self.answer),
            web.get("/spare/models", self.list_models),
            web.post("/spare/chat/completions", self.answer),
            web.get("/chaos/live", self.tell_live),
            web.post("/chaos/fault", self.strike),
            web.post("/chaos/after", self.tell_after),
            web.get("/chaos/wrong", self.tell_wrong_joins),
        ]

    async def list_models(self, request: web.Request) -> web.Response:
        """List the models, of which each goes on in a way of its own."""
        data = [{"id": name, "object": "model", "created": 1} for name in MODELS]
        return web.json_response({"object": "list", "data": data})

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Tell a story from where the request says that it stopped."""
        body = await request.json()
        messages: list[dict[str, Any]] = body["messages"]
        story = Story.asked_in(str(messages[0]["content"]))
        if story is None:
            return _refusal(400, "no story is asked for")
        if time.monotonic() < self._status_until and not request.path.startswith("/spare"):
            return _refusal(self._dice.choice(_STATUSES), "out of order")
        model = body["model"]
        is_begun = messages[-1]["role"] == "assistant"
        if model == "refuses" and is_begun:
            return _refusal(400, "This model does not support assistant message prefill.")
        if model == "leaves" and len(messages) > 1:
            return _refusal(500, "gone for good")
        try:
            rest = rest_of(story, messages)
        except ValueError as error:
            self.wrong_joins.append(str(error))
            return _refusal(400, str(error))
        call = Call(
            number=story.number,
            worker=request.headers["Authorization"].removeprefix("Bearer "),
            model=model,
            transport=cast(asyncio.Transport, request.transport),
        )
        place = len(self.calls)
        self.calls.append(call)
        self.live.add(place)
        try:
            return await self._tell(request, call, story, rest)
        finally:
            self.live.discard(place)

    async def _tell(
        self, request: web.Request, call: Call, story: Story, rest: str
    ) -> web.StreamResponse:
        headers = {"Content-Type": "text/event-stream"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        frames = _frames(call, story, rest)
        pause = story.first_piece_ms / 1000 + 1 / story.pieces_per_second
        for frame, is_piece in frames:
            await _wait(call, pause if is_piece else 0.0)
            if call.misdeed is not None:
                await self._misbehave(call, response)
                return response
            now = time.monotonic()
            if not call.is_open:
                call.transport.abort()
                return response
            if is_piece:
                call.times.append(now)
                pause = 1 / story.pieces_per_second
            await response.write(frame)
        return response

    async def _misbehave(self, call: Call, response: web.StreamResponse) -> None:
        match call.misdeed:
            case "silent":
                await _until_closed(call)
            case "malformed":
                await response.write(b'data: {"choices": [{"index": 0, "delta": {"content"\n\n')
            case "error":
                await response.write(b'data: {"error": {"message": "out of order"}}\n\n')
            case "end":
                # A body that ends well, without a word about the answer's end.
                return
            case _:
                pass
        call.transport.abort()

    async def tell_live(self, request: web.Request) -> web.Response:
        """Say whose answers are under way: stories by the key of the worker that asked."""
        by_worker: dict[str, list[int]] = {}
        for place in self.live:
            call = self.calls[place]
            if call.is_open and call.misdeed is None:
                by_worker.setdefault(call.worker, []).append(call.number)
        return web.json_response(by_worker)

    async def strike(self, request: web.Request) -> web.Response:
        """Let a share of the live calls end badly; answer with their stories."""
        asked = await request.json()
        misdeed, dice = asked["misdeed"], random.Random(asked["dice"])
        if misdeed == "status":
            self._status_until = time.monotonic() + asked["seconds"]
        live = [self.calls[place] for place in sorted(self.live)]
        open_calls = [call for call in live if call.is_open and call.misdeed is None]
        count = max(round(len(open_calls) * asked["share"]), asked["at_least"])
        chosen = dice.sample(open_calls, min(count, len(open_calls)))
        for call in chosen:
            call.misdeed = misdeed
            call.struck.set()
        return web.json_response([call.number for call in chosen])

    async def tell_wrong_joins(self, request: web.Request) -> web.Response:
        """Say what was shown as the beginning of a story that is none."""
        return web.json_response(self.wrong_joins)

    async def tell_after(self, request: web.Request) -> web.Response:
        """List the pieces taken since moments: `[[story, moment]]` to `[[[worker, moment]]]`."""
        asked = await request.json()
        by_number: dict[int, list[Call]] = {}
        for call in self.calls:
            by_number.setdefault(call.number, []).append(call)
        return web.json_response(
            [
                [
                    [call.worker, moment]
                    for call in by_number.get(number, ())
                    for moment in call.times
                    if moment > since
                ]
                for number, since in asked
            ]
        )


async def _until_closed(call: Call) -> None:
    while True:
        if not call.is_open:
            return
        await asyncio.sleep(_LOOK_SECONDS)


async def _wait(call: Call, seconds: float) -> None:
    if seconds and call.misdeed is None:
        try:
            async with asyncio.timeout(seconds):
                await call.struck.wait()
        except TimeoutError:
            return


def _frames(call: Call, story: Story, rest: str) -> Iterator[tuple[bytes, bool]]:
    """Yield frames, and whether each is a piece of the answer."""
    yield frame_of(call.model, delta={"role": "assistant", "content": ""}), False
    if call.model == "thinks" and rest == story.text:
        for thought in range(_THOUGHTS):
            said = f"thought {thought}, "
            yield frame_of(call.model, delta={"reasoning_content": said}), True
    for piece in pieces_of(rest, seed=f"{call.number} {len(rest)}"):
        yield frame_of(call.model, delta={"content": piece}), True
    yield frame_of(call.model, finish_reason="stop"), False
    yield b"data: [DONE]\n\n", False


def rest_of(story: Story, messages: list[dict[str, Any]]) -> str:
    """Return what is still to be said, in the manner of this story's model.

    A begun answer goes on exactly. Asked in words, one model repeats the words that it is shown,
    another goes on exactly, a third begins anew, where that can be told from going on.

    Raises:
        ValueError: what was said is no beginning of the story: the join before was wrong.
    """
    answers = [str(one["content"]) for one in messages if one["role"] == "assistant"]
    if not answers:
        return story.text
    said = answers[-1]
    if not story.text.startswith(said):
        raise ValueError(f"story {story.number} was not told so: ...{said[-80:]!r}")
    if messages[-1]["role"] == "assistant":
        return story.text[len(said) :]
    manner: tuple[Callable[[], int], ...] = (
        lambda: _anchor_at(story.text, str(messages[-1]["content"]), len(said)),
        lambda: len(said),
        lambda: 0 if len(said.strip()) >= OVERLAP_WHOLE_CHARACTERS_MIN else len(said),
    )
    return story.text[manner[story.number % len(manner)]() :]


def _anchor_at(text: str, wish: str, end: int) -> int:
    """Return where the words begin that a wish names; where it names none, the end."""
    before = text[:end].rstrip()
    for start in range(max(len(before) - 200, 0), len(before)):
        if f"\n{before[start:]}\n" in wish:
            return start
    return end


def _refusal(status: int, why: str) -> web.Response:
    return web.json_response(
        {"error": {"message": why, "type": "server_error"}},
        status=status,
        headers={"Retry-After": "1"} if status in (429, 503) else {},
    )


async def _serve() -> None:
    app = web.Application()
    app.add_routes(Upstream().routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    sys.stdout.write(json.dumps({"port": port}) + "\n")
    sys.stdout.flush()
    # Ends with the process that started it.
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(_serve())
