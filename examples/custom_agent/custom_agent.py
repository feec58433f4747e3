"""An agent of your own: two nodes of a LangGraph graph, streamed, resumable, stoppable.

    pip install -e examples/custom_agent    # its pyproject.toml registers `app`
    potok serve
    curl -N localhost:8000/api/tutor/stream -H 'Content-Type: application/json' \\
      -d '{"topic": "durable streams"}'
"""

from typing import Any, TypedDict

from potok.apps.contract import App, AppContext, RequestInvalid, Route, Start, current_node
from potok.dialects.simple_chat import SimpleChatSse


class State(TypedDict, total=False):
    topic: str
    plan: str


async def make_plan(state: State) -> State:
    node = current_node("planner")
    await node.status({"en": "Planning...", "ru": "Планирую..."}, code="planning")
    said = await node.ask([{"role": "user", "content": f"Two questions on {state['topic']}?"}])
    await node.data("plan", said.text)
    return {"plan": said.text}


async def teach(state: State) -> State:
    prompt = f"Explain {state['topic']}. Answer these questions: {state['plan']}"
    await current_node("teacher").say([{"role": "user", "content": prompt}])
    return {}


async def build(context: AppContext) -> list[Any]:
    from langgraph.graph import END, START, StateGraph

    graph = StateGraph(State)
    graph.add_node("make_plan", make_plan)
    graph.add_node("teach", teach)
    graph.add_edge(START, "make_plan")
    graph.add_edge("make_plan", "teach")
    graph.add_edge("teach", END)
    return [context.graphs.agent("tutor", graph, read=lambda request: dict(request.input))]


def read(body: dict[str, Any], path: Any) -> Start:
    if not isinstance(body.get("topic"), str):
        raise RequestInvalid("`topic` must be a text.", param="topic")
    return Start(agent="tutor", input={"topic": body["topic"]})


route = Route(
    path="/api/tutor/stream", dialect=SimpleChatSse(), read=read, summary="Teach",
    body={"type": "object", "required": ["topic"]}, example={"topic": "streams"},
)  # fmt: skip
app = App(
    name="tutor", titles={"en": "Tutor", "ru": "Репетитор"}, agents=("tutor",), build=build,
    routes=(route,), requires=("langgraph",),
)  # fmt: skip
