"""The built web page: its files as replies, read once. Without them `home_page` stands in."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.responses import Response
from starlette.types import Scope

from potok import limits
from potok.server.headers import header_of

__all__ = ["AGENTS_PAGE", "ASSETS_BELOW", "UI_FOLDER", "StaticUi", "UiFile", "load_static_ui"]

UI_FOLDER = Path(__file__).parent / "ui"
"""Where `scripts/web-build` puts the page; a wheel carries it."""

AGENTS_PAGE = "/agents"
"""Where the page shows the agents instead of the chat."""

ASSETS_BELOW = "/assets/"
"""Scripts, styles and pictures. Their names change with their contents, so they never expire."""

_PAGE = "index.html"
_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
# Nothing inline, nothing from elsewhere, no text that becomes code. `data:` is for the marks that
# the style sheet itself draws.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UiFile:
    """One file, ready to be sent. `zipped` is None where that saves nothing."""

    body: bytes
    zipped: bytes | None
    media_type: str
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticUi:
    """The page and its assets by name. No path of a request ever reaches the file system."""

    page: UiFile
    assets: Mapping[str, UiFile]

    def answer_page(self, scope: Scope) -> Response:
        """Return the page, which is asked for anew each time: it names the assets."""
        return _answer(
            self.page,
            scope,
            {
                "cache-control": "no-cache",
                "content-security-policy": _POLICY,
                "cross-origin-opener-policy": "same-origin",
            },
        )

    def answer_asset(self, name: str, scope: Scope) -> Response | None:
        """Return an asset, or None if there is none of that name."""
        file = self.assets.get(name)
        if file is None:
            return None
        kept = f"public, max-age={limits.ASSET_KEPT_SECONDS}, immutable"
        return _answer(file, scope, {"cache-control": kept})


def load_static_ui(folder: Path = UI_FOLDER) -> StaticUi | None:
    """Read the built page; None if it was not built here."""
    try:
        page = _read(folder / _PAGE)
        assets = {
            path.name: _read(path)
            for path in sorted((folder / ASSETS_BELOW.strip("/")).iterdir())
            if path.suffix in _MEDIA_TYPES
        }
    except (FileNotFoundError, NotADirectoryError):
        return None
    return StaticUi(page=page, assets=assets)


def _read(path: Path) -> UiFile:
    body = path.read_bytes()
    zipped = gzip.compress(body, compresslevel=6, mtime=0)
    return UiFile(
        body=body,
        zipped=zipped if len(zipped) < len(body) else None,
        media_type=_MEDIA_TYPES[path.suffix],
        etag=f'W/"{hashlib.sha256(body).hexdigest()[:32]}"',
    )


def _answer(file: UiFile, scope: Scope, headers: dict[str, str]) -> Response:
    headers = {**headers, "etag": file.etag, "vary": "Accept-Encoding"}
    if header_of(scope, "if-none-match") == file.etag:
        return Response(status_code=304, headers=headers)
    if file.zipped is not None and _takes_gzip(scope):
        headers["content-encoding"] = "gzip"
        return Response(file.zipped, headers=headers, media_type=file.media_type)
    return Response(file.body, headers=headers, media_type=file.media_type)


def _takes_gzip(scope: Scope) -> bool:
    for choice in (header_of(scope, "accept-encoding") or "")[:1_000].split(","):
        name, _, weight = choice.strip().lower().partition(";")
        if name.strip() == "gzip":
            return weight.strip() not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
