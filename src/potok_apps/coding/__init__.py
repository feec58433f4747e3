"""A coding agent: it chats, or plans, writes and reviews code. Nothing of it is executed."""

from collections.abc import Sequence

from potok.apps.contract import Agent, App, AppContext
from potok_apps.coding.request import AGENT, ROUTE

__all__ = ["app"]

EVENTS_PER_SECOND_MAX = 100.0
"""More than a page can draw; faster tokens are joined."""


async def _build(context: AppContext) -> Sequence[Agent]:
    from potok_apps.coding.graph import coding_graph, coding_input

    return [
        context.graphs.agent(
            AGENT, coding_graph(), read=coding_input, events_per_second_max=EVENTS_PER_SECOND_MAX
        )
    ]


app = App(
    name="coding",
    titles={"en": "Coding agent", "ru": "Агент-программист"},
    agents=(AGENT,),
    build=_build,
    routes=(ROUTE,),
    requires=("langgraph", "langgraph.checkpoint.sqlite"),
    install="pip install -e '.[agents]' in a checkout of Potok",
)
