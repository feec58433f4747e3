"""Writes one reader's stream to ASGI: the only module that does.

It pulls page after page of a run's events, so a slow client holds one page and never the run. A
stream that stops before its run's end is left without its last chunk: uvicorn then closes the
connection, and no client takes the half answer for the whole.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import aclosing
from itertools import chain
from typing import Any, cast

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from potok import limits
from potok.dialects.dialect import Encoder
from potok.errors import OurBug, PotokError, ServerDraining
from potok.events.coalesce import coalesce_stored
from potok.events.envelope import StoredEvent
from potok.server.body import settle_tasks, until_gone
from potok.server.problems import report
from potok.telemetry import Observer, SilentObserver

__all__ = ["StreamResponse", "join_frames", "stream_headers"]

_logger = logging.getLogger("potok.server")

Pages = AsyncIterator[Sequence[StoredEvent] | None]


def stream_headers(media_type: str, *, run: str, heartbeat_seconds: float) -> dict[str, str]:
    """Return the headers that make every proxy pass a stream on as it comes.

    A client that hears nothing for well over `heartbeat_seconds` knows that its line is dead.
    """
    is_text = media_type.startswith("text/")
    return {
        "content-type": f"{media_type}; charset=utf-8" if is_text else media_type,
        "cache-control": "no-cache, no-transform",
        "x-accel-buffering": "no",
        "x-potok-run": run,
        "x-potok-heartbeat": f"{heartbeat_seconds:g}",
        "x-request-id": run,
    }


def join_frames(frames: Iterable[bytes], *, bytes_max: int) -> Iterator[bytes]:
    """Yield the frames joined into writes of at most `bytes_max`; a larger frame goes alone.

    No frame is ever cut: simple clients parse each read by itself.
    """
    joined: list[bytes] = []
    size = 0
    for frame in frames:
        if joined and size + len(frame) > bytes_max:
            yield b"".join(joined)
            joined.clear()
            size = 0
        joined.append(frame)
        size += len(frame)
    if joined:
        yield b"".join(joined)


class StreamResponse(Response):
    """Streams a run to one client.

    Args:
        pages: `RunService.follow`, nothing of it read yet. It is closed in every case.
        encoder: Turns its events into frames.
        first_frames: Frames that come before those of `pages`.
        headers: See `stream_headers`.
        joins: Whether a client that lags gets neighbouring deltas as one frame. Only where frames
            are not counted, and a jump of their ids is no loss.
        write_seconds_max: A client that takes nothing for this long is put off; its run goes on.

    Errors before the first page become the request's status; later ones cut the body.
    """

    def __init__(
        self,
        pages: Pages,
        encoder: Encoder,
        *,
        run: str,
        headers: dict[str, str],
        first_frames: Sequence[bytes] = (),
        joins: bool = False,
        observer: Observer | None = None,
        write_seconds_max: float = limits.WRITE_SECONDS_MAX,
        first_page_seconds_max: float = limits.FIRST_PAGE_SECONDS_MAX,
    ) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers(headers)
        self._pages = pages
        self._encoder = encoder
        self._run = run
        self._first_frames = first_frames
        self._joins = joins
        self._lags = False
        self._observer = observer or SilentObserver()
        self._write_seconds_max = write_seconds_max
        self._first_page_seconds_max = first_page_seconds_max
        self._beginning: asyncio.Future[None] | None = None
        self._writing_since: float | None = None
        # Both tasks write; nothing may follow the end.
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._send = send
        writing = asyncio.create_task(self._write_pages(), name=f"reader-{self._run}")
        gone = asyncio.create_task(until_gone(receive))
        try:
            await self._watch(writing, gone)
        except PotokError as error:
            if self._beginning is None:
                raise
            if isinstance(error, OurBug):
                report(error, doing=f"streaming run {self._run}")
            # At the server's end that is everybody, and no news.
            level = logging.DEBUG if isinstance(error, ServerDraining) else logging.INFO
            _logger.log(level, "run %s: a reader was cut off: %s", self._run, error.code)
            self._observer.counted("server.readers_cut")
        except Exception as error:
            if self._beginning is None:
                raise
            report(error, doing=f"streaming run {self._run}")
        finally:
            await settle_tasks(writing, gone)

    async def _watch(self, writing: asyncio.Task[None], gone: asyncio.Task[None]) -> None:
        """Return at the stream's end, when the client is gone, or when it takes nothing."""
        loop = asyncio.get_running_loop()
        seconds = self._first_page_seconds_max
        while True:
            await asyncio.wait(
                (writing, gone), timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if writing.done():
                writing.result()
                return
            if gone.done():
                return
            if self._beginning is None:
                # Headers go out before the first token, and bytes behind them: some proxies and
                # browsers hold an answer back until its body begins.
                await self._begin()
                await self._write(self._encoder.heartbeat(), is_news=False)
            since = self._writing_since
            if since is not None and loop.time() - since >= self._write_seconds_max:
                _logger.info("run %s: a reader took nothing and was put off", self._run)
                self._observer.counted("server.readers_stalled")
                return
            seconds = self._write_seconds_max / 4

    async def _write_pages(self) -> None:
        async with aclosing(cast(Any, self._pages)):
            is_first = True
            async for page in self._pages:
                if is_first:
                    await self._begin()
                frames = chain(self._first_frames if is_first else (), self._frames_of(page))
                is_first = False
                for block in join_frames(frames, bytes_max=limits.WRITE_BYTES_MAX):
                    await self._write(block)
                if self._encoder.is_ended:
                    break
        if self._encoder.is_ended and self._encoder.ends_cleanly:
            async with self._turn:
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def _frames_of(self, page: Sequence[StoredEvent] | None) -> Iterator[bytes]:
        if page is None:
            yield self._encoder.heartbeat()
            return
        if self._joins and self._lags:
            page = coalesce_stored(page)
        # A few at a time: a client that takes nothing must not hold a page's frames as well.
        for start in range(0, len(page), limits.ENCODE_EVENTS_MAX):
            yield from self._encoder.encode(page[start : start + limits.ENCODE_EVENTS_MAX])

    async def _begin(self) -> None:
        # Both tasks may get here; whoever is second waits until the headers are out.
        if self._beginning is None:
            start = {
                "type": "http.response.start",
                "status": self.status_code,
                "headers": self.raw_headers,
            }
            self._beginning = asyncio.ensure_future(self._send(start))
        await self._beginning

    async def _write(self, block: bytes, *, is_news: bool = True) -> None:
        if not block:
            # Some dialects have no heartbeat; an empty write would end some servers' body.
            return
        loop = asyncio.get_running_loop()
        self._writing_since = since = loop.time()
        async with self._turn:
            if not is_news and self._encoder.is_ended:
                # The first page came meanwhile, and was the whole run.
                self._writing_since = None
                return
            await self._send({"type": "http.response.body", "body": block, "more_body": True})
        self._writing_since = None
        self._lags = loop.time() - since >= limits.WRITE_SECONDS_SLOW
