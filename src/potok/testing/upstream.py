"""A provider for tests: an HTTP server on loopback that speaks by a script, in two APIs.

Chat Completions, and Ollama's own below `/api`.

It counts what was asked, what was written and who went away, and misbehaves where the script says
so. `python -m potok.testing.upstream --port 9000 --tokens 500 --interval-ms 20` runs it alone;
`GET /stats` then tells the counts.

It does not imitate: TLS, HTTP/2, request bodies in chunks, pipelined requests, keys that are
checked, parameters that change the answer (`n`, `stop`, tools), the time a model takes, or an
upstream that notices a closed connection late: this one stops writing at once.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from potok.testing.upstream_ollama import OLLAMA, tags_of
from potok.testing.upstream_script import CHAT_COMPLETIONS, Script, Speech, frame_of

__all__ = ["Script", "ScriptedUpstream", "SeenCall", "frame_of"]


@dataclass(slots=True, kw_only=True)
class SeenCall:
    """One request as it came, and what became of it.

    `closed_by_client` is set when the client goes away before the reply is over; `tokens_at_close`
    is what had been written by then. `over` is set when the reply has ended, in any way.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    tokens_written: int = 0
    tokens_at_close: int | None = None
    closed_by_client: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def tokens_after_close(self) -> int:
        """Tokens written although the client was known to be gone."""
        return 0 if self.tokens_at_close is None else self.tokens_written - self.tokens_at_close


class ScriptedUpstream:
    """The server; use it as an async context manager.

    Args:
        scripts: One per chat call; the last one also answers every further call.
        models: What `GET /v1/models` and `GET /api/tags` list.
        models_script: Answers these instead: another status, body or a gate.

    Attributes:
        calls: Chat calls, oldest first. `lists` counts the calls for models.
        connections: Connections accepted so far.
    """

    def __init__(
        self,
        *scripts: Script,
        models: Sequence[str] = ("scripted-1",),
        models_script: Script | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.calls: list[SeenCall] = []
        self.lists = 0
        self.connections = 0
        self._scripts = scripts or (Script(),)
        self._models = models
        self._models_script = models_script
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self._came = asyncio.Event()

    @property
    def base_url(self) -> str:
        """What a provider is given as its base URL."""
        return f"{self.ollama_url}/v1"

    @property
    def ollama_url(self) -> str:
        """What a provider of the kind `ollama` is given."""
        return f"http://{self._host}:{self._port}"

    async def start(self) -> None:
        """Listen; from now on `base_url` is true."""
        self._server = await asyncio.start_server(self._serve, self._host, self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Break all connections and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        links = list(self._links)
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def until_call(self, number: int) -> SeenCall:
        """Return the chat call of that number, from 1, once it has come."""
        while len(self.calls) < number:
            self._came.clear()
            await self._came.wait()
        return self.calls[number - 1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "a connection is served in a task"
        self._links.add(task)
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                ahead: bytes | None = b""
                while ahead is not None:
                    ahead = await self._serve_one(ahead, reader, writer)
        finally:
            self._links.discard(task)
            writer.transport.abort()

    async def _serve_one(
        self, ahead: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes | None:
        # Returns what was already read of the next request, None once the connection is over.
        head = (ahead + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        pairs = (line.partition(":") for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        raw = await reader.readexactly(int(headers.get("content-length", "0")))
        call = SeenCall(
            method=method, path=path, headers=headers, body=json.loads(raw) if raw else None
        )
        link = _Link(reader, writer, call)
        if path == "/stats":
            await link.send_whole(200, {}, json.dumps(self._stats()).encode())
        elif path.endswith(("/models", "/api/tags")):
            self.lists += 1
            if not await self._list(link, path):
                return None
        elif speech := _speech_of(path):
            script = self._scripts[min(len(self.calls), len(self._scripts) - 1)]
            self.calls.append(call)
            self._came.set()
            try:
                if not await link.play(script, speech):
                    return None
            finally:
                call.over.set()
        else:
            await link.send_whole(404, {}, b'{"error": {"message": "no such path"}}')
        return link.ahead

    async def _list(self, link: "_Link", path: str) -> bool:
        if self._models_script is not None:
            return await link.play(self._models_script, CHAT_COMPLETIONS)
        if path.endswith("/tags"):
            await link.send_whole(200, {}, tags_of(self._models))
            return True
        entries = [{"id": name, "object": "model", "created": 1} for name in self._models]
        await link.send_whole(200, {}, json.dumps({"object": "list", "data": entries}).encode())
        return True

    def _stats(self) -> dict[str, Any]:
        return {
            "calls": len(self.calls),
            "connections": self.connections,
            "live": sum(not call.over.is_set() for call in self.calls),
            "tokens_written": [call.tokens_written for call in self.calls],
            "closed_by_client": [call.closed_by_client.is_set() for call in self.calls],
        }


class _Link:
    """One connection while one request is answered."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, call: SeenCall
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._call = call
        self.ahead = b""

    async def send_whole(self, status: int, headers: dict[str, str], body: bytes) -> None:
        headers = {"Content-Type": "application/json", **headers, "Content-Length": str(len(body))}
        self._writer.write(_head(status, headers) + body)
        await self._writer.drain()

    async def play(self, script: Script, speech: Speech) -> bool:
        """Play a script; return whether the connection can serve another call."""
        playing = asyncio.ensure_future(self._play(script, speech))
        leaving = asyncio.ensure_future(self._until_client_leaves(playing))
        try:
            await asyncio.wait({playing})
            if playing.cancelled():
                return False
            with suppress(ConnectionError):
                return playing.result()
            await leaving
            return False
        finally:
            playing.cancel()
            leaving.cancel()
            await asyncio.gather(playing, leaving, return_exceptions=True)

    async def _until_client_leaves(self, playing: asyncio.Future[bool]) -> None:
        with suppress(ConnectionError):
            self.ahead = await self._reader.read(1)
        if self.ahead:
            # Not the end but the next request: its first byte is kept for it.
            return
        playing.cancel()
        self._call.tokens_at_close = self._call.tokens_written
        self._call.closed_by_client.set()

    async def _play(self, script: Script, speech: Speech) -> bool:
        if script.headers_gate is not None:
            await script.headers_gate.wait()
        if script.status != 200 or script.body is not None:
            await self.send_whole(script.status, dict(script.headers), script.body or b"")
            return True
        headers = {"Content-Type": speech.content_type, **script.headers}
        self._writer.write(_head(200, {**headers, "Transfer-Encoding": "chunked"}))
        asked = self._call.body or {}
        for frame, is_token in speech.before(script, asked):
            if is_token:
                await self._wait_for_token(script)
            await self._write(frame, script)
            self._call.tokens_written += is_token
        for frame in speech.after(script, asked):
            await self._write(frame, script)
        return await self._end(script, speech)

    async def _wait_for_token(self, script: Script) -> None:
        if script.gate is not None:
            await script.gate.wait()
        if script.interval_seconds:
            await asyncio.sleep(script.interval_seconds)

    async def _end(self, script: Script, speech: Speech) -> bool:
        if script.then == "drop":
            self._writer.transport.abort()
            return False
        while script.then == "stall":
            await (script.gate.wait() if script.gate is not None else asyncio.Event().wait())
            await self._write(speech.sign_of_life, script)
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()
        return True

    async def _write(self, frame: bytes, script: Script) -> None:
        size = script.write_bytes_max or len(frame)
        for at in range(0, len(frame), size):
            piece = frame[at : at + size]
            self._writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await self._writer.drain()
            if script.write_bytes_max:
                # The client's turn, so that it reads each piece by itself.
                await asyncio.sleep(0)


def _speech_of(path: str) -> Speech | None:
    if path.endswith("/chat/completions"):
        return CHAT_COMPLETIONS
    return OLLAMA if path.endswith(("/api/chat", "/api/generate")) else None


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{n}: {v}" for n, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _tokens(text: str) -> tuple[str, ...]:
    if text.isdigit():
        return tuple(f"token{number} " for number in range(int(text)))
    return tuple(f"{word} " for word in text.split())


async def _run(arguments: argparse.Namespace) -> None:
    script = Script(
        tokens=_tokens(arguments.tokens),
        then=arguments.then,
        status=arguments.status,
        interval_seconds=arguments.interval_ms / 1000,
    )
    async with ScriptedUpstream(script, models=arguments.models, port=arguments.port) as upstream:
        sys.stdout.write(f"listening on {upstream.base_url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main(words: Sequence[str] | None = None) -> None:
    """Run one upstream until it is interrupted; its address is the first line of the output."""
    parser = argparse.ArgumentParser(prog="python -m potok.testing.upstream", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--tokens", default="100", help="how many tokens, or the words themselves")
    parser.add_argument("--interval-ms", type=float, default=0.0, help="pause before each token")
    parser.add_argument("--then", default="finish", help="finish, drop, end, stall, error, ...")
    parser.add_argument("--status", type=int, default=200, help="answer with this status instead")
    parser.add_argument("--models", nargs="+", default=["scripted-1"], help="names to list")
    with suppress(KeyboardInterrupt):
        asyncio.run(_run(parser.parse_args(words)))


if __name__ == "__main__":
    main()
