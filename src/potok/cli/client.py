"""One Potok server as the commands see it: short requests, and the lines of a run's stream.

Blocking, on the standard library alone, so that `potok tail` starts at once. Reconnecting is
`following`'s business.
"""

import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from potok import limits
from potok.errors import ServerRefused, ServerUnreachable, SettingInvalid
from potok.events.json_form import decode_event
from potok.events.kinds import Event, RunEnd
from potok.wire.ndjson import NdjsonDecoder

__all__ = ["Line", "Server", "may_come_back"]

_RETRYABLE_STATUSES = frozenset({408, 429, 502, 503, 504})


class _Place(msgspec.Struct):
    id: str


class Line(msgspec.Struct, frozen=True):
    """One event of a run as it came: its offset, itself, and its JSON."""

    offset: str
    event: Event
    json: bytes


class Server:
    """A server by its address. Every call makes its own connection.

    Args:
        url: `http://127.0.0.1:8000`, or longer where a proxy serves Potok below a path.
        api_key: Sent as a Bearer key.

    Raises:
        SettingInvalid: `url` is no such address.
    """

    def __init__(self, url: str, *, api_key: str | None = None) -> None:
        try:
            parts = urlsplit(url if "://" in url else f"http://{url}")
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise SettingInvalid(
                f"{url!r} is no address of a server. Write one like http://127.0.0.1:8000."
            )
        self._is_secure = parts.scheme == "https"
        self._host = parts.hostname
        self._port = port
        self._path = parts.path.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        place = f"[{self._host}]" if ":" in self._host else self._host
        shown_port = "" if port is None else f":{port}"
        self.url = f"{parts.scheme}://{place}{shown_port}{self._path}"

    def get(self, path: str, *, reply_seconds: float = limits.CLI_REPLY_SECONDS) -> Any:
        """Return the JSON at a path.

        Raises:
            ServerUnreachable: nobody answers, or not as a Potok server does.
            ServerRefused: it answered with an error.
        """
        with self._call("GET", path, None, {}, silence_seconds=reply_seconds) as response:
            return self._read_json(response)

    def post(self, path: str, body: object, *, headers: Mapping[str, str] | None = None) -> Any:
        """Send JSON and return the JSON that comes back; raises as `get`."""
        with self._call("POST", path, body, headers or {}) as response:
            return self._read_json(response)

    def start(self, body: Mapping[str, object], *, idempotency_key: str) -> str:
        """Start a run and return its id; with the same key it can be sent again."""
        answer = self.post("/api/runs", body, headers={"Idempotency-Key": idempotency_key})
        return str(answer["id"])

    def cancel(self, run: str) -> str:
        """Ask for a run's end and return its status then; `queued` or `running` = not yet over."""
        return str(self.post(f"/api/runs/{quote(run, safe='')}/cancel", {})["status"])

    def status(self, run: str) -> dict[str, Any]:
        """Return a run's state with its text so far."""
        state: dict[str, Any] = self.get(f"/api/runs/{quote(run, safe='')}")
        return state

    def read_events(self, run: str, *, after: str) -> Iterator[Line]:
        """Yield a run's events after an offset as they come, over one connection.

        It stops after `run-end`, or at once if nothing follows `after` any more. Raises as `get`;
        `ServerUnreachable` also when the connection ends before the run does.
        """
        path = f"/api/runs/{quote(run, safe='')}/events?after={quote(after, safe='')}"
        headers, seconds = {"Accept": "application/x-ndjson"}, limits.CLI_SILENCE_SECONDS
        with self._call("GET", path, None, headers, silence_seconds=seconds) as response:
            if response.status == http.client.NO_CONTENT:
                return
            decoder, is_over = NdjsonDecoder(), False
            while chunk := response.read1(limits.CLI_READ_BYTES):
                for raw in decoder.feed(chunk):
                    line = _read_line(raw.strip())
                    yield line
                    is_over = is_over or isinstance(line.event, RunEnd)
        if is_over:
            return
        raise ServerUnreachable(f"The connection to {self.url} ended before the run did.")

    def _read_json(self, response: http.client.HTTPResponse) -> Any:
        content = response.read(limits.CLI_REPLY_BYTES_MAX)
        try:
            return json.loads(content)
        except ValueError as error:
            raise self._stranger() from error

    @contextmanager
    def _call(
        self,
        method: str,
        path: str,
        body: object,
        headers: Mapping[str, str],
        *,
        silence_seconds: float = limits.CLI_REPLY_SECONDS,
    ) -> Iterator[http.client.HTTPResponse]:
        connection = self._connection()
        sent = {**self._headers, **headers, "User-Agent": "potok-cli"}
        content = None if body is None else json.dumps(body).encode()
        if content is not None:
            sent["Content-Type"] = "application/json"
        try:
            connection.connect()
            assert connection.sock is not None, "connect makes a socket"
            connection.sock.settimeout(silence_seconds)
            connection.request(method, f"{self._path}{path}", body=content, headers=sent)
            response = connection.getresponse()
            if response.status >= http.client.MULTIPLE_CHOICES:
                raise self._refusal(response)
            yield response
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        seconds = limits.CLI_CONNECT_SECONDS
        if not self._is_secure:
            return http.client.HTTPConnection(self._host, self._port, timeout=seconds)
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(self._host, self._port, timeout=seconds, context=context)

    def _refusal(self, response: http.client.HTTPResponse) -> ServerRefused | ServerUnreachable:
        answer = self._read_json(response)
        error = answer.get("error") if isinstance(answer, dict) else None
        if not isinstance(error, dict):
            return self._stranger()
        return ServerRefused(
            str(error.get("message", "The server refused the request.")),
            status=response.status,
            server_code=str(error.get("code", "")),
        )

    def _stranger(self) -> ServerUnreachable:
        return ServerUnreachable(
            f"Something answers at {self.url}, but it is no Potok server. Start one with"
            " `potok serve`, or give its address with --url."
        )

    def _unreachable(self, error: Exception) -> ServerUnreachable:
        why = _words_for(error)
        return ServerUnreachable(
            f"No Potok server answers at {self.url} ({why}). Start one with `potok serve`, or give"
            " its address with --url."
        )


def may_come_back(error: ServerRefused | ServerUnreachable) -> bool:
    """Whether the same request may succeed when the server has restarted or has room again."""
    return isinstance(error, ServerUnreachable) or error.status in _RETRYABLE_STATUSES


def _read_line(raw: bytes) -> Line:
    return Line(offset=msgspec.json.decode(raw, type=_Place).id, event=decode_event(raw), json=raw)


def _words_for(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
