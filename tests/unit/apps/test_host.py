"""Apps are built once, when they are first needed, and one that cannot be says why."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from potok.agents.contract import Agent, Turn
from potok.apps.contract import App, AppContext, Route, Start
from potok.apps.host import AppHost
from potok.clock import RunId
from potok.dialects.simple_chat import SimpleChatSse
from potok.errors import AppUnavailable, RequestInvalid
from potok.events.run_request import RunRequest

TURN = Turn(run=RunId("01host0run00000000000000000"), request=RunRequest(agent="a", input=1))


class Silent:
    """An agent that says nothing."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def can_continue(self, turn: Turn) -> str:
        return "replay"

    async def run(self, turn: Turn) -> Any:
        for batch in list[list[Any]]():
            yield batch


def app_of(*agents: str, name: str = "shop", builds: Any = None, **more: Any) -> App:
    async def build(context: AppContext) -> Sequence[Agent]:
        return [cast(Agent, Silent(agent)) for agent in agents]

    return App(name=name, titles={"en": name}, agents=agents, build=builds or build, **more)


class Preparing:
    """Counts how often tables were made ready."""

    def __init__(self) -> None:
        self.prepared: list[str] = []

    async def __call__(self, app: App) -> AppContext:
        self.prepared.append(app.name)
        return cast(AppContext, None)


async def run(host: AppHost, name: str) -> list[Any]:
    (agent,) = [agent for agent in host.agents if agent.name == name]
    return [batch async for batch in agent.run(TURN)]


async def test_an_app_is_built_once_by_the_first_run_of_any_of_its_agents() -> None:
    preparing = Preparing()
    host = AppHost([app_of("a", "b")], prepare=preparing)
    assert preparing.prepared == []

    await run(host, "a")
    await run(host, "b")
    await run(host, "a")

    assert preparing.prepared == ["shop"]


async def test_an_app_whose_modules_are_missing_says_what_to_install() -> None:
    host = AppHost(
        [app_of("a", requires=("no_such_module",), install="pip install it")], prepare=Preparing()
    )

    with pytest.raises(AppUnavailable, match=r"no_such_module.*pip install it"):
        await run(host, "a")
    assert host.apps[0].unavailable is not None


@pytest.mark.parametrize("missing", ["no_such_package.module", "json.no_such_module.deeper"])
async def test_an_app_whose_modules_parent_is_missing_is_unavailable_too(missing: str) -> None:
    host = AppHost([app_of("a", requires=(missing,))], prepare=Preparing())

    assert missing in str(host.apps[0].unavailable)


async def test_an_app_whose_module_breaks_as_it_is_loaded_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "breaks_when_loaded.py").write_text("import no_such_module")
    monkeypatch.syspath_prepend(str(tmp_path))
    host = AppHost([app_of("a", requires=("breaks_when_loaded",))], prepare=Preparing())

    with pytest.raises(AppUnavailable, match="ModuleNotFoundError"):
        await run(host, "a")


async def test_an_app_that_breaks_while_it_is_built_breaks_its_own_runs_only() -> None:
    async def breaks(context: AppContext) -> Sequence[Agent]:
        raise ValueError("the password is 1234")

    host = AppHost([app_of("a", builds=breaks), app_of("b", name="other")], prepare=Preparing())

    with pytest.raises(AppUnavailable) as refused:
        await run(host, "a")
    assert "1234" not in refused.value.message
    assert await run(host, "b") == []


async def test_an_app_that_builds_too_little_is_said() -> None:
    async def forgets(context: AppContext) -> Sequence[Agent]:
        return []

    host = AppHost([app_of("a", builds=forgets)], prepare=Preparing())

    with pytest.raises(AppUnavailable, match="not built a"):
        await run(host, "a")


async def test_a_run_of_an_app_that_is_gone_is_not_gone_on_with() -> None:
    host = AppHost([app_of("a", requires=("no_such_module",))], prepare=Preparing())

    assert await host.agents[0].can_continue(TURN) is None


def test_two_agents_of_one_name_are_refused() -> None:
    with pytest.raises(RequestInvalid, match=r"agent a is given by shop and other"):
        AppHost([app_of("a"), app_of("a", name="other")], prepare=Preparing())


def test_two_routes_of_one_path_are_refused() -> None:
    route = Route(
        path="/api/buy/stream",
        dialect=SimpleChatSse(),
        read=lambda body, path: Start(agent="a", input=body),
        body={},
        example={},
        summary="Buy",
    )
    apps = [app_of("a", routes=(route,)), app_of("b", name="other", routes=(route,))]

    with pytest.raises(RequestInvalid, match=r"route /api/buy/stream is given by shop and other"):
        AppHost(apps, prepare=Preparing())
