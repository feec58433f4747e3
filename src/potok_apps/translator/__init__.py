"""Translates a text as a stream, block by block; code in it is left as it is."""

from collections.abc import Sequence

from potok.apps.contract import Agent, App, AppContext
from potok_apps.translator.request import AGENT, ROUTE

__all__ = ["app"]


async def _build(context: AppContext) -> Sequence[Agent]:
    from potok_apps.translator.graph import translation_graph, translation_input

    return [context.graphs.agent(AGENT, translation_graph(), read=translation_input)]


app = App(
    name="translator",
    titles={"en": "Translator", "ru": "Переводчик"},
    agents=(AGENT,),
    build=_build,
    routes=(ROUTE,),
    requires=("langgraph", "langgraph.checkpoint.sqlite"),
    install="pip install -e '.[agents]' in a checkout of Potok",
)
