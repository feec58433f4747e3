"""Fetches a model over HTTP: goes on where it stopped, follows redirects, checks what came."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, ParamSpec, TypeVar
from urllib.parse import urljoin, urlsplit

import msgspec

from potok.clock import IdSource
from potok.errors import DownloadFailed, ModelFileRefused, UpstreamLost, UpstreamUnreachable
from potok.limits import (
    DOWNLOAD_BACKOFF_SECONDS,
    DOWNLOAD_BACKOFF_SECONDS_MAX,
    DOWNLOAD_CONNECT_SECONDS,
    DOWNLOAD_LIST_BYTES_MAX,
    DOWNLOAD_REDIRECTS_MAX,
    DOWNLOAD_STALL_SECONDS,
    DOWNLOAD_TRIES_MAX,
    DOWNLOAD_WRITE_BYTES,
)
from potok.models.answer import read_body
from potok.models.byte_source import ByteSource, UpstreamCall, UpstreamReply
from potok.models.gguf.address import HubId
from potok.models.gguf.arrival import Arrival
from potok.models.gguf.download_rules import Begun, Verdict, checksum_of, range_headers, weigh
from potok.models.gguf.files import SUFFIX
from potok.models.time_limits import Sleep, time_limit

__all__ = ["Download", "Progress"]

P = ParamSpec("P")
T = TypeVar("T")

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FILES_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far it is; `size_bytes` is None while nobody knows. `note` says why it waits."""

    stage: Literal["fetching", "checking", "waiting"]
    done_bytes: int
    size_bytes: int | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    reply: UpstreamReply
    sha256: str | None


class _Again(Exception):
    """A further try may help; the text ends the sentence "... broke off: "."""


class Download:
    """Fetches files into a folder.

    Args:
        source: Carries the bytes; closed by whoever made it.
        hub: The hub's address, and `token` what it asks for; sent to no other host.
        tell: Is told how far it is, often.
    """

    def __init__(
        self,
        folder: Path,
        *,
        source: ByteSource,
        ids: IdSource,
        hub: str,
        token: str | None = None,
        tell: Callable[[Progress], None] = lambda _: None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._folder = folder
        self._source = source
        self._ids = ids
        self._hub = hub
        self._token = token
        self._tell = tell
        self._sleep = sleep

    async def fetch(self, url: str, *, name: str, sha256: str | None = None) -> Path:
        """Fetch a file, going on with what an earlier call left; return where it is.

        Raises:
            ModelFileRefused: it is no GGUF, has another checksum, finds no room or a taken name.
            DownloadFailed: the server cannot be reached, breaks off again and again, or refuses.
        Cancelling keeps what came.
        """
        with closing(await _in_thread(Arrival.open, self._folder, name)) as arrival:
            begun = await _in_thread(arrival.begun, url)
            begun = await self._fetch_whole(arrival, begun, sha256)

            def advance(done: int) -> None:
                size = arrival.have_bytes
                self._tell(Progress(stage="checking", done_bytes=done, size_bytes=size))

            expected = sha256 or begun.sha256
            await _in_thread(partial(arrival.finish, sha256=expected, advance=advance))
        return arrival.target

    async def find_file(self, wanted: HubId) -> str:
        """Return the one model file that a hub's repository has.

        Raises:
            ModelFileRefused: it has none, or several: they are named.
            DownloadFailed: the hub does not say.
        """
        url = wanted.list_url(self._hub)
        body = bytearray()
        async with self._opened(url, {}) as found:
            if found.reply.status != 200:
                fault = _refused(found.reply)
                raise DownloadFailed(f"{_host(url)} does not list {wanted.repository}: {fault}.")
            async with self._in_time():
                await read_body(found.reply, into=body, bytes_max=DOWNLOAD_LIST_BYTES_MAX)
        files = _files_in(bytes(body))
        if len(files) == 1:
            return files[0]
        if not files:
            raise ModelFileRefused(f"{wanted.repository} has no GGUF file at {_host(url)}.")
        listed = "\n".join(f"  {wanted.repository}:{file}" for file in files[:_FILES_SHOWN])
        raise ModelFileRefused(f"{wanted.repository} has several files. Name one:\n{listed}")

    async def _fetch_whole(self, arrival: Arrival, begun: Begun, sha256: str | None) -> Begun:
        tries = 0
        while True:
            before = arrival.have_bytes
            try:
                return await self._fetch_once(arrival, begun, sha256)
            except (_Again, UpstreamLost, UpstreamUnreachable, TimeoutError) as error:
                why = _why(error)
            begun = await _in_thread(arrival.begun, begun.url)
            tries = 1 if arrival.have_bytes > before else tries + 1
            if tries >= DOWNLOAD_TRIES_MAX:
                raise DownloadFailed(
                    f"{_host(begun.url)} broke off {tries} times: {why}. What came is kept: the"
                    " same command goes on with it."
                )
            await self._wait(tries, arrival, begun, why)

    async def _wait(self, tries: int, arrival: Arrival, begun: Begun, why: str) -> None:
        wait = min(DOWNLOAD_BACKOFF_SECONDS * 2.0 ** (tries - 1), DOWNLOAD_BACKOFF_SECONDS_MAX)
        self._tell(
            Progress(
                stage="waiting",
                done_bytes=arrival.have_bytes,
                size_bytes=begun.size_bytes,
                note=why,
            )
        )
        await self._sleep(wait * (0.5 + 0.5 * self._ids.fraction()))

    async def _fetch_once(self, arrival: Arrival, begun: Begun, sha256: str | None) -> Begun:
        known = msgspec.structs.replace(begun, sha256=sha256 or begun.sha256)
        headers = range_headers(known, have_bytes=arrival.have_bytes)
        asked = arrival.have_bytes if headers else 0
        async with self._opened(begun.url, headers) as found:
            _compare(sha256, found.sha256, begun.url)
            verdict = weigh(
                begun,
                status=found.reply.status,
                headers=found.reply.headers,
                have_bytes=arrival.have_bytes,
                asked_bytes=asked,
            )
            if verdict.kind == "wrong":
                raise DownloadFailed(f"{_host(begun.url)} gives no model: {verdict.fault}.")
            if verdict.kind == "again":
                if found.reply.status in (206, 416):
                    await _in_thread(arrival.cut, 0)
                raise _Again(verdict.fault)
            has_changed = None not in (begun.sha256, found.sha256) and begun.sha256 != found.sha256
            if has_changed and verdict.offset:
                await _in_thread(arrival.cut, 0)
                await _in_thread(arrival.note, Begun(url=begun.url))
                raise _Again("the file has changed since it was begun")
            begun = Begun(
                url=begun.url,
                etag=verdict.etag,
                size_bytes=verdict.size_bytes,
                sha256=found.sha256,
            )
            if verdict.kind == "write":
                await self._write(arrival, found.reply, begun, verdict)
        return begun

    async def _write(
        self, arrival: Arrival, reply: UpstreamReply, begun: Begun, verdict: Verdict
    ) -> None:
        await _in_thread(arrival.cut, verdict.offset)
        await _in_thread(arrival.note, begun)
        if begun.size_bytes is not None:
            missing = max(begun.size_bytes - arrival.have_bytes, 0)
            await _in_thread(arrival.make_room, missing)
        held = bytearray()
        try:
            while chunk := await self._read(reply):
                held += chunk
                if len(held) >= DOWNLOAD_WRITE_BYTES:
                    whole, held = held, bytearray()
                    await _in_thread(arrival.write, whole)
                self._tell(
                    Progress(
                        stage="fetching",
                        done_bytes=arrival.have_bytes + len(held),
                        size_bytes=begun.size_bytes,
                    )
                )
        finally:
            if held:
                # What came is kept, whatever ended it.
                await _in_thread(arrival.write, held)
        if begun.size_bytes is not None and arrival.have_bytes < begun.size_bytes:
            raise _Again(f"it ended after {arrival.have_bytes} of {begun.size_bytes} bytes")

    async def _read(self, reply: UpstreamReply) -> bytes:
        async with self._in_time():
            return await reply.read()

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        async with time_limit(DOWNLOAD_STALL_SECONDS, sleep=self._sleep):
            yield

    @asynccontextmanager
    async def _opened(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[_Found]:
        sha256: str | None = None
        for _ in range(DOWNLOAD_REDIRECTS_MAX):
            async with self._in_time():
                reply = await self._source.open(self._call(url, headers))
            try:
                if _is_same_place(url, self._hub):
                    sha256 = sha256 or checksum_of(reply.headers)
                location = reply.headers.get("location", "")
                if reply.status not in _REDIRECTS or not location:
                    yield _Found(reply=reply, sha256=sha256)
                    return
                url = _next_url(url, location)
            finally:
                await reply.close()
        raise DownloadFailed(f"{_host(url)} sends from one address to the next without end.")

    def _call(self, url: str, headers: Mapping[str, str]) -> UpstreamCall:
        own = {"User-Agent": "potok", "Accept-Encoding": "identity", **headers}
        if self._token is not None and _is_same_place(url, self._hub):
            own["Authorization"] = f"Bearer {self._token}"
        return UpstreamCall(
            provider=_host(url),
            method="GET",
            url=url,
            headers=own,
            connect_seconds=DOWNLOAD_CONNECT_SECONDS,
        )


async def _in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run what blocks. A cancelled caller still waits for it: two must not write at once."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _compare(wanted: str | None, said: str | None, url: str) -> None:
    if None not in (wanted, said) and wanted != said:
        raise ModelFileRefused(
            f"{_host(url)} says that the file's checksum is {said}, and you asked for {wanted}."
            " Nothing was fetched."
        )


def _next_url(url: str, location: str) -> str:
    there = urljoin(url, location)
    before, after = urlsplit(url), urlsplit(there)
    if after.scheme not in ("http", "https") or (before.scheme, after.scheme) == ("https", "http"):
        raise DownloadFailed(f"{_host(url)} sends to an address that is not safe to follow.")
    return there


def _is_same_place(url: str, hub: str) -> bool:
    one, other = urlsplit(url), urlsplit(hub)
    return (one.scheme, one.netloc) == (other.scheme, other.netloc)


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _why(error: Exception) -> str:
    if isinstance(error, _Again):
        return str(error)
    if isinstance(error, UpstreamUnreachable):
        return "it cannot be reached"
    if isinstance(error, TimeoutError):
        return f"it sent nothing for {DOWNLOAD_STALL_SECONDS:.0f} seconds"
    return "the connection broke"


def _refused(reply: UpstreamReply) -> str:
    verdict = weigh(
        Begun(url=""), status=reply.status, headers=reply.headers, have_bytes=0, asked_bytes=0
    )
    return verdict.fault or f"it answered with status {reply.status}"


def _files_in(body: bytes) -> list[str]:
    try:
        siblings = msgspec.json.decode(body)["siblings"]
        names = [one["rfilename"] for one in siblings]
    except (msgspec.DecodeError, RecursionError, KeyError, TypeError):
        return []
    return sorted(name for name in names if isinstance(name, str) and name.endswith(SUFFIX))
