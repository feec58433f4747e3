import logging
from typing import Any

import pytest

from potok.errors import DataFolderInUse
from potok.server.app import PotokApp
from tests.unit.server.house import HELLO, build_house, open_house


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/v1/chat", "/v1/chat/completions"),
        ("/v1/audio", "/v1/models"),
        ("/api/run", "/api/runs"),
        ("/ollama/api/chat", "/openapi.json"),
        ("/api/runs/", "/api/runs"),
    ],
)
async def test_an_unknown_path_is_a_json_404_that_names_what_exists(path: str, named: str) -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.get(path)

        assert reply.status_code == 404
        assert reply.headers["content-type"] == "application/json"
        assert named in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/api/runs", "GET, POST"),
        ("GET", "/v1/chat/completions", "POST"),
        ("POST", "/v1/models", "GET"),
        ("DELETE", "/api/runs/x/events", "GET"),
    ],
)
async def test_a_wrong_method_is_a_405_that_names_the_right_ones(
    method: str, path: str, allow: str
) -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.request(method, path)

        assert reply.status_code == 405
        assert reply.headers["allow"] == allow
        assert reply.json()["error"]["code"] == "method_not_allowed"


async def test_an_unexpected_error_of_a_route_is_a_500_in_its_faces_shape(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("words of a prompt")

    async with open_house() as house, house.client() as client:
        monkeypatch.setattr(house.services.runs, "start", fail)
        with caplog.at_level(logging.ERROR):
            native = await client.post("/api/runs", json=HELLO)
            openai = await client.post("/v1/chat/completions", json=HELLO)

        assert native.status_code == openai.status_code == 500
        assert native.json()["error"]["code"] == "internal_error"
        assert openai.json()["error"]["type"] == "server_error"
        assert "POST /api/runs failed: RuntimeError" in caplog.text
        assert "words of a prompt" not in caplog.text + native.text + openai.text


async def test_no_route_of_the_framework_loads_scripts_from_elsewhere() -> None:
    async with open_house() as house, house.client() as client:
        statuses = [(await client.get(path)).status_code for path in ("/docs", "/redoc")]

        assert statuses == [404, 404]


async def live(app: PotokApp) -> list[dict[str, Any]]:
    """Play a lifespan from start to end; return what the app said."""
    said: list[dict[str, Any]] = []
    asked = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive() -> dict[str, Any]:
        return asked.pop(0)

    async def send(message: Any) -> None:
        said.append(message)

    await app({"type": "lifespan"}, receive, send)
    return said


async def test_the_lifespan_opens_and_closes_the_runs() -> None:
    house = build_house()

    said = await live(house.app)

    types = [message["type"] for message in said]
    assert types == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert house.app.failure is None


async def test_a_failure_to_open_is_kept_for_whoever_starts_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failure = DataFolderInUse("Another server holds the folder.")
    house = build_house()

    async def fail() -> None:
        raise failure

    monkeypatch.setattr(house.services.runs, "open", fail)
    said = await live(house.app)

    assert said == [{"type": "lifespan.startup.failed"}]
    assert house.app.failure is failure
