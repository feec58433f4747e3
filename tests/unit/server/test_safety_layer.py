import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from potok import limits
from potok.server.access import Access
from potok.server.principals import LOCAL, KeyedPrincipals
from potok.server.safety_layer import SafetyLayer, principal_of

KEYED = KeyedPrincipals({"secret": LOCAL})
JSON = "application/json"


class Inner:
    """Stands for the rest of the server: notes who got through, and reads the body."""

    def __init__(self) -> None:
        self.principals: list[str] = []
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.principals.append(principal_of(scope))
        if scope["type"] != "http":
            return
        self.bodies.append((await receive()).get("body", b""))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})


class Reply:
    """What a caller got: status, headers, and the error's code if it is one."""

    def __init__(self, sent: list[Message]) -> None:
        self.status: int = sent[0]["status"]
        self.headers = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
        self.body = b"".join(message.get("body", b"") for message in sent[1:])

    @property
    def code(self) -> str:
        code: str = json.loads(self.body)["error"]["code"]
        return code


async def call(
    access: Access | None = None,
    *,
    method: str = "GET",
    path: str = "/api/runs",
    body: bytes = b"",
    inner: Inner | None = None,
    more: Mapping[str, str] = MappingProxyType({}),
    **headers: str,
) -> Reply:
    """Send one request; header names are given with `_` for `-`."""
    sent: list[Message] = []
    given = {"host": "localhost:8000", **headers, **more}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": [
            (name.replace("_", "-").encode(), value.encode()) for name, value in given.items()
        ],
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await SafetyLayer(inner or Inner(), access or Access())(scope, receive, send)
    return Reply(sent)


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:99"])
async def test_loopback_names_get_through(host: str) -> None:
    reply = await call(host=host)

    assert reply.status == 200


@pytest.mark.parametrize("host", ["evil.example", "", "localhost.evil.example"])
async def test_a_foreign_host_is_refused_before_anything_is_read(host: str) -> None:
    inner = Inner()

    reply = await call(inner=inner, host=host, method="POST", content_type=JSON)

    assert (reply.status, reply.code) == (403, "host_refused")
    assert inner.bodies == []


async def test_probes_may_call_by_any_name() -> None:
    reply = await call(path="/healthz", host="10.1.2.3:8000")

    assert reply.status == 200


@pytest.mark.parametrize("site", ["same-origin", "none"])
async def test_a_browsers_word_for_same_origin_passes(site: str) -> None:
    # A proxy of a development server changes the Host header, so the origin cannot match it.
    reply = await call(sec_fetch_site=site, origin="http://localhost:3000")

    assert reply.status == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
@pytest.mark.parametrize("origin", [{}, {"origin": "https://evil.example"}])
async def test_pages_of_other_sites_are_refused(site: str, origin: dict[str, str]) -> None:
    reply = await call(sec_fetch_site=site, more=origin)

    assert (reply.status, reply.code) == (403, "origin_refused")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:3000", "http://127.0.0.1:8000"]
)
async def test_an_origin_that_is_not_the_host_is_refused(origin: str) -> None:
    reply = await call(origin=origin)

    assert (reply.status, reply.code) == (403, "origin_refused")


async def test_no_origin_and_the_own_origin_pass() -> None:
    replies = [await call(), await call(origin="http://localhost:8000")]

    assert [reply.status for reply in replies] == [200, 200]


VISIT = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/api/runs", 403), ("/v1/models", 403)])
async def test_a_link_elsewhere_may_lead_to_a_page_but_not_into_the_api(
    path: str, status: int
) -> None:
    reply = await call(path=path, more=VISIT)

    assert reply.status == status


async def test_a_frame_and_a_form_of_another_site_are_no_visit() -> None:
    frame = await call(path="/", more={**VISIT, "sec_fetch_dest": "iframe"})
    form = await call(path="/", method="POST", more=VISIT)

    assert [frame.status, form.status] == [403, 403]


async def test_an_allowed_origin_passes_and_may_read_the_reply() -> None:
    access = Access(cors_origins=("https://chat.example.com",))

    reply = await call(access, origin="https://chat.example.com", sec_fetch_site="cross-site")

    assert reply.status == 200
    assert reply.headers["access-control-allow-origin"] == "https://chat.example.com"
    assert reply.headers["vary"] == "Origin"
    assert set(reply.headers["access-control-expose-headers"].lower().split(", ")) >= {
        "x-potok-run",
        "x-potok-heartbeat",
        "x-request-id",
        "x-should-retry",
        "retry-after",
    }


async def test_an_allowed_origin_may_read_refusals_too() -> None:
    access = Access(cors_origins=("https://chat.example.com",), principals=KEYED)

    reply = await call(access, origin="https://chat.example.com")

    assert reply.status == 401
    assert reply.headers["access-control-allow-origin"] == "https://chat.example.com"


async def test_without_allowed_origins_no_reply_says_anything_of_origins() -> None:
    reply = await call(origin="http://localhost:8000")

    assert not [name for name in reply.headers if name.startswith("access-control-")]


async def test_a_preflight_of_an_allowed_origin_needs_no_key_and_gets_what_it_asks() -> None:
    access = Access(cors_origins=("https://chat.example.com",), principals=KEYED)
    inner = Inner()

    reply = await call(
        access,
        inner=inner,
        method="OPTIONS",
        path="/v1/chat/completions",
        origin="https://chat.example.com",
        sec_fetch_site="cross-site",
        access_control_request_method="POST",
        access_control_request_headers=(
            "authorization,content-type,idempotency-key,last-event-id,x-potok-on-disconnect,"
            "x-stainless-os"
        ),
    )

    assert reply.status == 204
    assert reply.headers["access-control-allow-origin"] == "https://chat.example.com"
    assert reply.headers["access-control-allow-headers"] == (
        "authorization,content-type,idempotency-key,last-event-id,x-potok-on-disconnect,"
        "x-stainless-os"
    )
    assert "POST" in reply.headers["access-control-allow-methods"]
    assert inner.principals == []


async def test_a_preflight_of_another_origin_is_refused() -> None:
    reply = await call(
        method="OPTIONS", origin="https://evil.example", access_control_request_method="POST"
    )

    assert (reply.status, reply.code) == (403, "origin_refused")
    assert "access-control-allow-origin" not in reply.headers


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        'APPLICATION/JSON;charset="UTF-8"',
        "application/json; profile=x",
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_json_bodies_pass(content_type: str, method: str) -> None:
    reply = await call(method=method, body=b"{}", content_length="2", content_type=content_type)

    assert reply.status == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain; application/json",
        "application/jsonp",
        "application/json; charset=utf-16",
    ],
)
@pytest.mark.parametrize("size", [{"content_length": "2"}, {"transfer_encoding": "chunked"}])
async def test_what_a_form_can_send_is_no_body_of_ours(
    content_type: str, size: dict[str, str]
) -> None:
    inner = Inner()

    reply = await call(inner=inner, method="POST", body=b"{}", content_type=content_type, more=size)

    assert (reply.status, reply.code) == (415, "content_type_refused")
    assert inner.bodies == []


@pytest.mark.parametrize("size", [{}, {"content_length": "0"}])
async def test_a_request_without_a_body_needs_no_content_type(size: dict[str, str]) -> None:
    reply = await call(method="POST", path="/api/runs/x/cancel", more=size)

    assert reply.status == 200


async def test_a_body_over_the_limit_is_refused_by_its_length() -> None:
    inner = Inner()
    length = str(limits.BODY_BYTES_MAX + 1)

    reply = await call(inner=inner, method="POST", content_type=JSON, content_length=length)

    assert (reply.status, reply.code) == (413, "too_large")
    assert reply.headers["connection"] == "close"
    assert inner.bodies == []


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "²"])
async def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    reply = await call(method="POST", content_type=JSON, content_length=length)

    assert reply.status == 400


async def test_a_key_is_asked_for_everywhere_but_on_open_paths() -> None:
    access = Access(principals=KEYED)

    statuses = {
        path: (await call(access, path=path)).status
        for path in ("/", "/healthz", "/openapi.json", "/api/runs", "/v1/models", "/metrics")
    }

    assert statuses == {
        "/": 200,
        "/healthz": 200,
        "/openapi.json": 200,
        "/api/runs": 401,
        "/v1/models": 401,
        "/metrics": 401,
    }


async def test_a_refusal_tells_how_to_show_the_key() -> None:
    reply = await call(Access(principals=KEYED), path="/v1/models", authorization="Bearer wrong")

    assert (reply.status, reply.code) == (401, "unauthorized")
    assert reply.headers["www-authenticate"] == "Bearer"


async def test_the_right_key_gets_through_as_its_principal() -> None:
    inner = Inner()
    access = Access(principals=KeyedPrincipals({"a": "anna", "b": "boris"}))

    await call(access, inner=inner, authorization="Bearer b")

    assert inner.principals == ["boris"]


async def test_every_reply_carries_the_safety_headers() -> None:
    replies = [await call(), await call(host="evil.example"), await call(path="/nothing")]

    for reply in replies:
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
        assert "default-src 'none'" in reply.headers["content-security-policy"]


async def call_socket(access: Access, extensions: dict[str, Any], **headers: str) -> list[Message]:
    sent: list[Message] = []
    given = {"host": "localhost:8000", **headers}
    scope = {
        "type": "websocket",
        "path": "/ws",
        "headers": [(name.replace("_", "-").encode(), v.encode()) for name, v in given.items()],
        "extensions": extensions,
    }

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await SafetyLayer(Inner(), access)(scope, receive, send)
    return sent


async def test_sockets_of_foreign_pages_are_closed_before_the_handshake() -> None:
    plain = await call_socket(Access(), {}, origin="https://evil.example")
    with_reply = await call_socket(
        Access(), {"websocket.http.response": {}}, origin="https://evil.example"
    )

    assert plain == [{"type": "websocket.close", "code": 1008}]
    assert with_reply[0]["type"] == "websocket.http.response.start"
    assert with_reply[0]["status"] == 403


async def test_sockets_need_the_key_on_every_path() -> None:
    refused = await call_socket(Access(principals=KEYED), {})
    passed = await call_socket(Access(principals=KEYED), {}, authorization="Bearer secret")

    assert [message["type"] for message in refused] == ["websocket.close"]
    assert passed == []
