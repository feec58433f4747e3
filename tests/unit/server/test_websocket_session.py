import asyncio
import base64
from collections.abc import Mapping
from typing import Any

import pytest
from starlette.applications import Starlette

from potok.errors import PotokError
from potok.events.run_request import JsonObject
from potok.server.access import Access
from potok.server.principals import KeyedPrincipals
from potok.server.websocket_session import Closing, Socket, SocketEndpoint, Sockets
from tests.unit.server.house import House, build_house, open_house
from tests.unit.server.socket_client import Closed, Refused, open_socket

KEYED = Access(principals=KeyedPrincipals({"ключ+/=": "anna"}))
PATHS = ["/ws", "/", "/api/ws", "/api/runs/run-1/ws"]


class Recorder:
    """A session that notes its messages; `work` does what it is given."""

    def __init__(self, socket: Socket, work: Any) -> None:
        self.socket = socket
        self.taken: list[tuple[JsonObject, int]] = []
        self.is_closed = False
        self._work = work

    async def take(self, message: JsonObject, *, size_bytes: int) -> None:
        self.taken.append((message, size_bytes))

    async def work(self) -> None:
        await self._work(self)

    def encode_error(self, error: PotokError, message: JsonObject | None) -> bytes:
        return b'{"refused":"%b"}' % error.code.encode()

    async def close(self) -> None:
        self.is_closed = True


class Hall:
    """An app of one endpoint whose sessions do `work`."""

    def __init__(self, work: Any, **limits: Any) -> None:
        self.sessions: list[Recorder] = []
        self.house: House = build_house()
        self.sockets = limits.pop("sockets", Sockets())
        self.endpoint = SocketEndpoint(
            self.house.services, self.sockets, lambda _, socket: self._open(socket, work), **limits
        )

    def _open(self, socket: Socket, work: Any) -> Recorder:
        self.sessions.append(Recorder(socket, work))
        return self.sessions[-1]


async def forever(_: Recorder) -> None:
    await asyncio.Event().wait()


async def talk(session: Recorder) -> None:
    while True:
        await session.socket.send(b'{"a":1}')
        await asyncio.sleep(0)


async def test_a_message_is_taken_with_its_size() -> None:
    hall = Hall(forever)
    async with open_socket(hall.endpoint, "/") as client:
        client.send({"a": 1})
        client.send_text("not json")
        refused = await client.receive()

    assert hall.sessions[0].taken == [({"a": 1}, 8)]
    assert refused == {"refused": "message_malformed"}
    assert hall.sessions[0].is_closed


@pytest.mark.parametrize(
    ("failure", "code"),
    [(Closing(4321, "why"), 4321), (RuntimeError("secret"), 1011), (None, 1000)],
)
async def test_the_session_says_how_the_socket_is_closed(failure: Any, code: int) -> None:
    async def work(_: Recorder) -> None:
        if failure is not None:
            raise failure

    hall = Hall(work)
    async with open_socket(hall.endpoint, "/") as client:
        with pytest.raises(Closed) as closed:
            await client.receive()

    assert closed.value.code == code
    assert "secret" not in closed.value.reason
    assert hall.sessions[0].is_closed


async def test_a_client_that_takes_nothing_is_put_off_without_a_word() -> None:
    hall = Hall(talk, write_seconds_max=0.02)
    async with open_socket(hall.endpoint, "/") as client:
        await client.receive()
        client.pause()
        await client.serving

    assert hall.sockets.count == 0
    assert hall.house.observer.counts["server.readers_stalled"] == 1


async def test_a_slow_client_that_takes_something_now_and_then_is_kept() -> None:
    hall = Hall(talk, write_seconds_max=0.2)
    async with open_socket(hall.endpoint, "/") as client:
        client.pause()
        for _ in range(4):
            await asyncio.wait([client.serving], timeout=0.08)
            client.resume()
            await client.receive()
            client.pause()

        assert not client.serving.done()


async def test_sockets_are_counted_and_one_too_many_is_refused_before_its_handshake() -> None:
    hall = Hall(forever, sockets=Sockets(count_max=1))
    async with open_socket(hall.endpoint, "/"):
        with pytest.raises(Refused) as refused:
            async with open_socket(hall.endpoint, "/"):
                pass

    assert refused.value.status == 503
    assert refused.value.body["error"]["code"] == "try_again"
    assert hall.sockets.count == 0
    async with open_socket(hall.endpoint, "/"):
        assert hall.sockets.count == 1


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"origin": "https://evil.example"}, "origin_refused"),
        ({"origin": "http://localhost:3000"}, "origin_refused"),
        ({"sec-fetch-site": "cross-site"}, "origin_refused"),
        ({"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:8000"}, "origin_refused"),
        ({"host": "evil.example"}, "host_refused"),
    ],
)
async def test_foreign_pages_and_hosts_are_refused_before_the_handshake(
    path: str, headers: dict[str, str], code: str
) -> None:
    async with open_house() as house:
        with pytest.raises(Refused) as refused:
            async with open_socket(house.app, path, headers=headers):
                pass

    assert refused.value.status == 403
    assert refused.value.body["error"]["code"] == code


async def test_a_socket_on_an_unknown_path_is_a_404_that_names_the_others() -> None:
    async with open_house() as house, house.client() as client:
        with pytest.raises(Refused) as refused:
            async with open_socket(house.app, "/api/wss"):
                pass
        over_http = await client.get("/api/wss")

    assert refused.value.status == over_http.status_code == 404
    assert refused.value.body["error"]["code"] == "path_unknown"
    assert "/api/ws" in refused.value.body["error"]["message"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://127.0.0.1:8000"},
        {"origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-origin"},
        {"host": "localhost:3000", "origin": "http://localhost:3000"},
    ],
)
async def test_our_own_pages_and_programs_get_their_socket(headers: dict[str, str]) -> None:
    async with open_house() as house, open_socket(house.app, "/ws", headers=headers):
        pass


def spoken(key: str) -> str:
    return "bearer." + base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("headers", "subprotocols"),
    [
        ({}, []),
        ({}, ["potok"]),
        ({}, ["potok", spoken("another")]),
        ({}, ["potok", "bearer."]),
        ({}, ["potok", "bearer.%%%"]),
        ({}, ["potok", "bearer.ключ"]),
        ({"authorization": "Bearer another"}, []),
    ],
)
async def test_where_a_key_is_needed_a_socket_without_it_is_refused(
    path: str, headers: Mapping[str, str], subprotocols: list[str]
) -> None:
    async with open_house(access=KEYED) as house:
        with pytest.raises(Refused) as refused:
            async with open_socket(house.app, path, headers=headers, subprotocols=subprotocols):
                pass

    assert refused.value.status == 401


async def test_a_browser_says_its_key_as_a_subprotocol_and_never_hears_it_back() -> None:
    offered = ["potok", spoken("ключ+/=")]
    async with (
        open_house(access=KEYED) as house,
        open_socket(house.app, "/ws", subprotocols=offered) as client,
    ):
        assert client.subprotocol == "potok"


async def test_a_socket_that_offers_no_subprotocol_gets_none() -> None:
    async with open_house() as house, open_socket(house.app, "/ws") as client:
        assert client.subprotocol is None


async def test_the_endpoint_stands_in_any_asgi_app() -> None:
    hall = Hall(forever)
    app = Starlette()
    app.router.add_websocket_route("/mine", hall.endpoint)  # type: ignore[arg-type]
    async with open_socket(app, "/mine") as client:
        client.send({})

    assert len(hall.sessions) == 1
