"""Routes of apps: which runs are theirs, and which a reader who comes back without an id finds."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import httpx
import msgspec
import pytest

from potok.agents.contract import Turn
from potok.agents.registry import AgentRegistry
from potok.apps.contract import App, AppContext, JsonObject, Route, Start
from potok.apps.host import AppHost
from potok.dialects.simple_chat import SimpleChatSse
from potok.errors import RequestInvalid
from potok.events.kinds import Event, TextDelta, TextEnd, TextStart
from potok.events.run_request import RunRequest
from potok.models.catalogue import Catalogue
from potok.runs.service import RunService
from potok.runs.settings import RunSettings
from potok.server.app import build_app
from potok.testing.fakes import CountingIds
from potok.testing.gates import Gate
from potok.testing.scripted_model import ScriptedProvider
from tests.unit.server.house import BEGIN, REST, House, build_house, serve

ANNA = "/api/greet/anna/stream"


class Greeter:
    """Says who is greeted, and waits before it ends."""

    def __init__(self, gate: Gate) -> None:
        self.name = "greeter"
        self._gate = gate

    async def can_continue(self, turn: Turn) -> None:
        return None

    async def run(self, turn: Turn) -> AsyncGenerator[list[Event], None]:
        asked = turn.request.input
        yield [TextStart(part="t"), TextDelta(part="t", text=f"Hello, {asked['name']}!")]
        await self._gate.wait()
        yield [TextEnd(part="t")]


def read(body: JsonObject, path: Mapping[str, str]) -> Start:
    message = body.get("message")
    if not message:
        raise RequestInvalid("`message` is empty.", param="message")
    return Start(agent="greeter", input={"name": path["name"], "message": message})


def app_of(greeter: Greeter) -> App:
    async def build(context: AppContext) -> list[Any]:
        return [greeter]

    route = Route(
        path="/api/greet/{name}/stream",
        dialect=SimpleChatSse(),
        read=read,
        body={"type": "object"},
        example={"message": "Hi"},
        summary="Greet",
        starts_by_get=True,
    )
    return App(
        name="greeting",
        titles={"en": "Greeting"},
        agents=("greeter",),
        build=build,
        routes=(route,),
    )


async def no_context(app: App) -> AppContext:
    return cast(AppContext, None)


@asynccontextmanager
async def open_greeting(gate: Gate) -> AsyncIterator[House]:
    house = build_house((BEGIN, gate, REST))
    host = AppHost([app_of(Greeter(gate))], prepare=no_context)
    services = house.services
    catalogue = Catalogue([ScriptedProvider([house.model])], clock=services.clock)
    runs = RunService(
        house.log,
        AgentRegistry(catalogue, agents=host.agents),
        clock=services.clock,
        ids=CountingIds(),
        observer=services.observer,
        settings=RunSettings(),
    )
    house.services = replace(services, runs=runs, apps=host)
    house.app = build_app(house.services)
    await runs.open()
    try:
        yield house
    finally:
        gate.open()
        await runs.close()


@pytest.fixture
async def gate() -> Gate:
    return Gate()


@pytest.fixture
async def house(gate: Gate) -> AsyncIterator[House]:
    async with open_greeting(gate) as house:
        yield house


async def begin(house: House, name: str, message: str = "Hi") -> str:
    """Start a run that waits; return its id."""
    asked = RunRequest(
        agent="greeter", input={"name": name, "message": message}, face=SimpleChatSse().name
    )
    record, _ = await house.services.runs.start(asked, principal="local")
    return record.run


async def run_read(house: House, path: str) -> str | None:
    """Return the run that a reader finds who comes back without a word; None for none."""
    async with (
        serve(house) as live,
        httpx.AsyncClient(base_url=live.url, timeout=10) as client,
        client.stream("GET", path) as reply,
    ):
        run: str | None = reply.headers.get("x-potok-run")
        return run


async def test_a_reader_without_an_id_finds_the_live_run_of_its_path(house: House) -> None:
    anna = await begin(house, "anna")
    await begin(house, "boris")

    assert await run_read(house, ANNA) == anna


async def test_the_live_run_is_found_behind_a_page_of_newer_ones(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("potok.limits.LIST_ITEMS_MAX", 2)
    anna = await begin(house, "anna")
    for number in range(3):
        await begin(house, "boris", f"Hi {number}")

    assert await run_read(house, ANNA) == anna


async def test_a_run_of_another_face_of_the_same_dialect_is_not_this_apps(house: House) -> None:
    asked = RunRequest(model="scripted", messages=({"role": "user", "content": "Hello!"},))
    asked = msgspec.structs.replace(asked, face=SimpleChatSse().name)
    chat, _ = await house.services.runs.start(asked, principal="local")

    async with house.client() as client:
        by_name = await client.get(ANNA, params={"run": chat.run})
        by_place = await client.get(ANNA, headers={"Last-Event-ID": f"{chat.run}.1"})
        by_none = await client.get(ANNA)

    assert (by_name.status_code, by_place.status_code, by_none.status_code) == (404, 404, 204)


async def test_a_place_in_the_run_of_another_path_is_not_here(house: House) -> None:
    place = {"Last-Event-ID": f"{await begin(house, 'boris')}.1"}

    async with house.client() as client:
        got = await client.get(ANNA, headers=place)
        posted = await client.post(ANNA, json={"message": "Hi"}, headers=place)

    assert (got.status_code, posted.status_code) == (404, 404)


async def test_an_empty_message_by_get_is_refused_as_by_post(house: House) -> None:
    async with house.client() as client:
        got = await client.get(ANNA, params={"message": ""})
        posted = await client.post(ANNA, json={"message": ""})

    assert (got.status_code, posted.status_code) == (400, 400)
    assert got.json() == posted.json()


async def test_the_document_says_what_a_start_by_get_may_be_refused_for(house: House) -> None:
    async with house.client() as client:
        document = (await client.get("/openapi.json")).json()

    replies = document["paths"]["/api/greet/{name}/stream"]["get"]["responses"]
    assert {"204", "404", "409", "429", "503"} <= set(replies)
