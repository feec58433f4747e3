"""A jewelry house: its catalogue and customers, and the rules by which its agents advise."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from potok.apps.contract import Agent, App, AppContext
from potok_apps.jewelry.migrations import MIGRATIONS
from potok_apps.jewelry.request import CONSULTATION, ORCHESTRATOR, ROUTES

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

__all__ = ["app"]


async def _build(context: AppContext) -> Sequence[Agent]:
    from potok_apps.jewelry.analysis import Analyst
    from potok_apps.jewelry.consultation import consultation_graph, consultation_input
    from potok_apps.jewelry.house import House
    from potok_apps.jewelry.orchestrator import orchestrator_graph, orchestrator_input

    house = House(engine=context.engine, analyst=Analyst(context.engine), clock=context.clock)
    return [
        context.graphs.agent(CONSULTATION, consultation_graph(house), read=consultation_input),
        context.graphs.agent(ORCHESTRATOR, orchestrator_graph(house), read=orchestrator_input),
    ]


async def _seed(engine: "AsyncEngine") -> None:
    from potok_apps.jewelry.seed import seed

    await seed(engine)


app = App(
    name="jewelry",
    titles={"en": "Jewelry house", "ru": "Ювелирный дом"},
    agents=(CONSULTATION, ORCHESTRATOR),
    build=_build,
    routes=ROUTES,
    requires=("langgraph", "langgraph.checkpoint.sqlite"),
    install="pip install -e '.[agents]' in a checkout of Potok",
    migrations=MIGRATIONS,
    seed=_seed,
)
