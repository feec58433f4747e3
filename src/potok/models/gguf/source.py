"""The byte source over an engine: each call goes to the child that is alive, wherever it listens.

`Line` above knows nothing of processes: for it this is one upstream, whose connections may break.
"""

import itertools
from collections.abc import Mapping
from dataclasses import replace

import msgspec

from potok.errors import PeerError
from potok.limits import GGUF_PROBE_SECONDS, UPSTREAM_ERROR_BYTES_MAX
from potok.models.answer import read_body
from potok.models.byte_source import ByteSource, UpstreamCall, UpstreamReply
from potok.models.gguf.engine import Child, Engine
from potok.models.gguf.process import Process
from potok.models.gguf.refusals import refusal_of
from potok.models.time_limits import Sleep, time_limit

__all__ = ["BASE_URL", "LABEL", "GgufSource", "ServingChild"]

BASE_URL = "http://127.0.0.1:1/v1"
"""What stands in calls for the child's address, which changes with each child."""

LABEL = "n_discard"
"""The parameter of llama.cpp that carries a call's label: its list of slots shows it, and without
context shift, which is off, it means nothing."""

_DONE = b"[DONE]"
# The first piece of a stream names the role, before anything is computed.
_READS_BEFORE_ANSWER = 1


class ServingChild:
    """A child process with the way to talk to it; see `engine.Child`."""

    def __init__(self, process: Process, source: ByteSource, *, key: str, sleep: Sleep) -> None:
        self.pid = process.pid
        self.ended = process.ended
        self.key = key
        self._process = process
        self._source = source
        self._sleep = sleep

    @property
    def is_alive(self) -> bool:
        return self._process.is_alive

    def addressed(self, call: UpstreamCall) -> UpstreamCall:
        """Return a call as this child takes it."""
        headers = {
            **call.headers,
            "Authorization": f"Bearer {self.key}",
            # After a stream it closes its connection without having said so.
            "Connection": "close",
        }
        address = self._process.address
        url = call.url.replace(BASE_URL.removesuffix("/v1"), address, 1)
        return replace(call, url=url, headers=headers)

    async def busy_with(self) -> frozenset[int] | None:
        body = await self._get("/slots")
        try:
            slots = msgspec.json.decode(body or b"null")
            return frozenset(
                slot.get("params", {}).get(LABEL, 0) for slot in slots if slot["is_processing"]
            )
        except (msgspec.DecodeError, TypeError, KeyError, AttributeError):
            return None

    async def is_healthy(self) -> bool:
        """Whether it says so itself."""
        return await self._get("/health") is not None

    async def kill(self) -> None:
        await self._process.kill()

    async def _get(self, path: str) -> bytes | None:
        call = UpstreamCall(
            provider="gguf",
            method="GET",
            url=BASE_URL.removesuffix("/v1") + path,
            headers={},
            connect_seconds=GGUF_PROBE_SECONDS,
        )
        body = bytearray()
        try:
            async with time_limit(GGUF_PROBE_SECONDS, sleep=self._sleep):
                reply = await self._source.open(self.addressed(call))
                try:
                    await read_body(reply, into=body, bytes_max=UPSTREAM_ERROR_BYTES_MAX)
                finally:
                    await reply.close()
        except (PeerError, TimeoutError):
            return None
        return bytes(body) if reply.status == 200 else None


class GgufSource:
    """Calls to one file's model. Closing it closes the engine.

    Args:
        model: The model's full name, for errors.
        source: Carries the bytes; closed by whoever made it.
    """

    def __init__(self, model: str, engine: Engine, source: ByteSource) -> None:
        self._model = model
        self._engine = engine
        self._source = source
        self._labels = itertools.count(1)

    async def open(self, call: UpstreamCall) -> UpstreamReply:
        """Send a call to the child, which is started if none runs.

        Raises:
            ModelUnusable, UpstreamBusy: see `Engine.enter`.
            PromptTooLong, UpstreamRefused: what the child says of a conversation that it refuses.
            UpstreamUnreachable, UpstreamLost: as any source.
        """
        child = await self._engine.enter()
        assert isinstance(child, ServingChild), "an engine of files serves files"
        label = next(self._labels)
        try:
            reply = await self._source.open(child.addressed(_labelled(call, label)))
        except BaseException:
            await self._engine.abandon(child, label)
            raise
        own = _GgufReply(reply, self._engine, child, label)
        if reply.status >= 400:
            await self._refuse(own)
        return own

    async def close(self) -> None:
        await self._engine.close()

    async def _refuse(self, reply: "_GgufReply") -> None:
        # Only what means more than its status; everything else is the line's to read.
        try:
            await read_body(reply, into=reply.held, bytes_max=UPSTREAM_ERROR_BYTES_MAX)
            refusal = refusal_of(bytes(reply.held), model=self._model)
            if refusal is not None:
                raise refusal
        except BaseException:
            await reply.close()
            raise


class _GgufReply:
    """A child's reply. Closed before its end, its call is abandoned."""

    def __init__(self, reply: UpstreamReply, engine: Engine, child: Child, label: int) -> None:
        self.held = bytearray()
        self._reply = reply
        self._engine = engine
        self._child = child
        self._label = label
        self._tail = b""
        self._reads = 0
        self._is_whole = False
        self._is_closed = False

    @property
    def status(self) -> int:
        return self._reply.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._reply.headers

    async def read(self) -> bytes:
        if self.held and self._is_whole:
            chunk = bytes(self.held)
            self.held.clear()
            return chunk
        chunk = await self._reply.read()
        self._reads += 1
        if self._reads == _READS_BEFORE_ANSWER + 1:
            self._engine.note_begun(self._label)
        self._tail = (self._tail + chunk[-len(_DONE) * 2 :])[-len(_DONE) * 2 :]
        self._is_whole = self._is_whole or not chunk or _DONE in self._tail
        return chunk

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        await self._reply.close()
        if self._is_whole:
            self._engine.leave(self._label)
        else:
            await self._engine.abandon(self._child, self._label)


def _labelled(call: UpstreamCall, label: int) -> UpstreamCall:
    # Bodies are JSON objects that were made here, with at least one field.
    if call.body is None or not call.body.startswith(b"{"):
        return call
    return replace(call, body=b'{"%s":%d,%s' % (LABEL.encode(), label, call.body[1:]))
