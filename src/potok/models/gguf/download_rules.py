"""What a server's reply means for a download that may have begun before. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

__all__ = ["Begun", "Verdict", "checksum_of", "range_headers", "weigh"]

_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


class Begun(msgspec.Struct, frozen=True):
    """What is known of a download that is not finished; stands beside its part as JSON.

    `etag` names the very bytes that were given, None where the server names none that may be
    trusted. `size_bytes` is the whole file's, None if the server does not say.
    """

    url: str
    etag: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to do: write from `offset`, be done, or answer `fault`.

    `wrong` is a reply that no further try will mend, `again` one that a try might.
    """

    kind: Literal["write", "done", "wrong", "again"]
    offset: int = 0
    size_bytes: int | None = None
    etag: str | None = None
    fault: str = ""


def range_headers(begun: Begun, *, have_bytes: int) -> dict[str, str]:
    """Return what asks for the rest of a file, empty where it has to be fetched from its start.

    Without a name for its bytes only a known checksum makes sure, later, that both parts belong
    together (RFC 9110, 13.1.5 and 14.2).
    """
    if not have_bytes or (begun.etag is None and begun.sha256 is None):
        return {}
    headers = {"Range": f"bytes={have_bytes}-"}
    if begun.etag is not None:
        headers["If-Range"] = begun.etag
    return headers


def weigh(
    begun: Begun, *, status: int, headers: Mapping[str, str], have_bytes: int, asked_bytes: int
) -> Verdict:
    """Return what a reply means.

    Args:
        headers: Names in lower case.
        have_bytes: What is on the disk.
        asked_bytes: Where the range that was asked for begins, 0 for none.
    """
    etag = _strong_etag(headers)
    if status == 200:
        # Ranges are not known there, or the file is another one now: from its start.
        size = _number(headers.get("content-length"))
        return _checked(begun, Verdict(kind="write", size_bytes=size, etag=etag))
    if status == 206:
        found = _CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
        if found is None or found[1] is None or int(found[1]) != asked_bytes:
            return Verdict(kind="wrong", fault="it answered with another part than was asked for")
        if None not in (etag, begun.etag) and etag != begun.etag:
            return Verdict(kind="again", fault="the file has changed since it was begun")
        size = _number(found[2])
        return _checked(
            begun,
            Verdict(kind="write", offset=asked_bytes, size_bytes=size, etag=etag or begun.etag),
        )
    if status == 416:
        found = _CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
        size = _number(found[2]) if found else begun.size_bytes
        if size is not None and size == have_bytes:
            return Verdict(kind="done", size_bytes=size, etag=begun.etag)
        return Verdict(kind="again", fault="it has less than what came before")
    if status in (408, 425, 429) or status >= 500:
        return Verdict(kind="again", fault=f"it answered with status {status}")
    return Verdict(kind="wrong", fault=_words(status))


def checksum_of(headers: Mapping[str, str]) -> str | None:
    """Return the SHA-256 that a hub gives in its redirect, None if it gives none."""
    linked = headers.get("x-linked-etag", "").removeprefix("W/").strip('"')
    return linked.lower() if _SHA256.fullmatch(linked) else None


def _checked(begun: Begun, verdict: Verdict) -> Verdict:
    known, said = begun.size_bytes, verdict.size_bytes
    if verdict.offset and None not in (known, said) and known != said:
        return Verdict(kind="again", fault=f"it speaks of {said} bytes now, and of {known} before")
    return verdict


def _strong_etag(headers: Mapping[str, str]) -> str | None:
    etag = headers.get("etag", "")
    return etag if etag.startswith('"') and etag.endswith('"') and len(etag) > 2 else None


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


def _words(status: int) -> str:
    if status in (401, 403):
        return "it asks for a permission: set HF_TOKEN, or accept its terms on its page"
    if status in (404, 410):
        return "it has no such file"
    return f"it answered with status {status}"
