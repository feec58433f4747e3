"""A server that plays one run by script: pauses, cuts, errors. Real sockets on loopback.

It does not imitate: a log, other runs, principals, heartbeats, anything that Potok decides.
"""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

WAIT_SECONDS_MAX = 10.0

RUN = "run-00000000000000000007"


def deltas(*words: str) -> list[dict[str, Any]]:
    """Return the events of a run that says words and finishes."""
    said = [{"event": "text-delta", "part": "t", "text": word} for word in words]
    return [
        {"event": "run-start", "run": RUN, "version": 1, "model": "demo"},
        {"event": "text-start", "part": "t"},
        *said,
        {"event": "text-end", "part": "t"},
        {"event": "run-end", "outcome": "finished", "finish_reason": "stop"},
    ]


@dataclass(slots=True, kw_only=True)
class Script:
    """What the server does. Each connection to the events takes the next of `cuts`.

    `cuts`: after so many events of a connection its socket is closed, without a last chunk.
    `waits_after`: with so many events sent, it waits for a cancel; then the run ends cancelled.
    `hears_cancel`: without it a cancel changes nothing.
    `refusals`: (status, code, sentence) for the first requests, of whatever kind; None for one
    that is answered as usual.
    """

    events: list[dict[str, Any]] = field(default_factory=lambda: deltas("Hello", " there"))
    cuts: list[int] = field(default_factory=list)
    waits_after: int | None = None
    hears_cancel: bool = True
    status: str = "finished"
    cancelled: threading.Event = field(default_factory=threading.Event)
    cancel_came: threading.Event = field(default_factory=threading.Event)
    refusals: Sequence[tuple[int, str, str] | None] = field(default_factory=list)
    is_potok: bool = True
    requests: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: ClassVar[Script]

    def log_message(self, format: str, *args: Any) -> None:
        return

    def do_GET(self) -> None:
        path = self._note()
        if self._refuses():
            return
        if path == "/healthz":
            known = {"status": "ok", "version": "0.1.0", "live_runs": 0}
            self._answer(200, known if self.script.is_potok else {"hello": "world"})
        elif path == "/v1/models":
            self._answer(200, {"object": "list", "data": [{"id": "demo"}]})
        elif path == f"/api/runs/{RUN}":
            self._answer(200, self._state())
        elif path.startswith(f"/api/runs/{RUN}/events?after="):
            self._stream(int(path.rpartition("=")[2]))
        else:
            self._answer(404, {"error": {"code": "run_not_found", "message": "There is no run."}})

    def do_POST(self) -> None:
        path = self._note()
        if self._refuses():
            return
        if path == "/api/runs":
            self._answer(201, {"id": RUN, "status": "queued"})
        elif path == f"/api/runs/{RUN}/cancel":
            if self.script.hears_cancel:
                self.script.cancelled.set()
            if self.script.waits_after is not None:
                self.script.status = "cancelled"
            self.script.cancel_came.set()
            self._answer(200, self._state())
        else:
            self._answer(404, {"error": {"code": "run_not_found", "message": "There is no run."}})

    def _note(self) -> str:
        self.script.requests.append((self.command, self.path))
        self.script.headers.append(dict(self.headers))
        length = int(self.headers.get("Content-Length", 0))
        self.script.bodies.append(json.loads(self.rfile.read(length)) if length else None)
        return self.path

    def _refuses(self) -> bool:
        first, self.script.refusals = self.script.refusals[:1], self.script.refusals[1:]
        if not first or first[0] is None:
            return False
        status, code, sentence = first[0]
        self._answer(status, {"error": {"code": code, "message": sentence}})
        return True

    def _answer(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _state(self) -> dict[str, Any]:
        said = (event.get("text", "") for event in self.script.events)
        failed = {"code": "upstream_lost", "message": "The provider left."}
        return {
            "id": RUN,
            "status": self.script.status,
            "offset": str(len(self.script.events)),
            "message": {"role": "assistant", "parts": [], "text": "".join(said)},
            "error": failed if self.script.status == "failed" else None,
        }

    def _stream(self, after: int) -> None:
        if after == len(self.script.events):
            self.send_response(204)
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        left = self.script.cuts.pop(0) if self.script.cuts else len(self.script.events)
        for offset, event in enumerate(self.script.events[after:], start=after + 1):
            if self.script.waits_after == offset - 1:
                self.script.cancelled.wait(WAIT_SECONDS_MAX)
                event = {"event": "run-end", "outcome": "cancelled", "code": "cancelled"}
            if left == 0:
                self.close_connection = True
                return
            left -= 1
            self._chunk(offset, event)
            if event["event"] == "run-end":
                break
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, offset: int, event: dict[str, Any]) -> None:
        # The blank in front is a heartbeat, as the real server writes one.
        line = b" " + json.dumps({"id": str(offset), **event}).encode() + b"\n"
        self.wfile.write(b"%x\r\n%b\r\n" % (len(line), line))


@contextmanager
def playing(script: Script) -> Iterator[str]:
    """Serve a script; gives the address."""
    handler = type("Handler", (_Handler,), {"script": script})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            script.cancelled.set()
            server.shutdown()
            thread.join()
