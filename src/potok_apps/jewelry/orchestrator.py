"""The graph of the orchestrator: who is asked, all of them at once, and what they found."""

import operator
from typing import Annotated, Any, TypedDict

import msgspec
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

from potok.apps.contract import Node, RequestInvalid, RunRequest, branch, current_node
from potok_apps.jewelry.advisers import ADVISERS
from potok_apps.jewelry.bounds import AGENTS_MAX
from potok_apps.jewelry.dialect import METADATA
from potok_apps.jewelry.failure import NobodyAnswered
from potok_apps.jewelry.house import Asked, House
from potok_apps.jewelry.request import AGENTS, read_task
from potok_apps.jewelry.routing import route_message
from potok_apps.jewelry.taste_store import read_state

__all__ = ["orchestrator_graph", "orchestrator_input"]

_AT_WORK = {
    "consultant": {"ru": "Подбираю рекомендации...", "en": "Choosing recommendations..."},
    "girlfriend": {"ru": "Дружелюбно отвечаю ❤️", "en": "Answering as a friend ❤️"},
    "analysis": {"ru": "Анализирую данные клиентов...", "en": "Analyzing customer data..."},
    "trend": {"ru": "Анализирую модные тенденции...", "en": "Analyzing fashion trends..."},
    "taste": {"ru": "Определяю ваши предпочтения...", "en": "Finding out your preferences..."},
}
_CHOICE: dict[str, Any] = {
    "type": "json_schema",
    "json_schema": {
        "name": "routing",
        "strict": True,
        "schema": {
            "type": "object",
            "required": ["agents", "reason"],
            "additionalProperties": False,
            "properties": {
                "agents": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": 3,
                    "items": {"type": "string", "enum": list(AGENTS)},
                },
                "reason": {"type": "string"},
            },
        },
    },
}
_CHOOSING = (
    "Choose who answers a customer of a jewelry house, as JSON: consultant (finds pieces to buy),"
    " girlfriend (a friend: mood, style, signs of the zodiac), analysis (numbers on customers and"
    " sales), trend (fashion), taste (a questionnaire on one's own taste). Usually one; several"
    " only where several things are asked. Give the reason in the language of the message."
)


class _State(TypedDict, total=False):
    user_id: str
    message: str
    history: list[dict[str, Any]]
    model: str | None
    task: str | None
    agent: str
    agents: list[str]
    routing: dict[str, Any]
    found: Annotated[list[dict[str, Any]], operator.add]


def _asked(state: _State) -> Asked:
    return Asked(
        user_id=state["user_id"],
        message=state["message"],
        history=state["history"],
        model=state["model"],
    )


def orchestrator_graph(house: House) -> "StateGraph[Any, Any, Any, Any]":
    """Return the graph, not compiled."""

    async def receive(state: _State) -> _State:
        await current_node().status(
            {"ru": "Обрабатываю запрос...", "en": "Processing your request..."}, code="received"
        )
        return {}

    async def choose(state: _State) -> _State:
        node, asked = current_node(), _asked(state)
        await node.status(
            {"ru": "Анализирую ваш запрос...", "en": "Analyzing your request..."}, code="routing"
        )
        routing = await _route(house, node, asked, task=state.get("task"))
        return {"agents": list(routing["selected_agents"]), "routing": routing}

    async def advise(state: _State) -> _State:
        agent = state["agent"]
        async with branch(agent) as mine:
            await mine.node.status(_AT_WORK[agent], code=f"{agent}_at_work")
            metadata = await ADVISERS[agent](mine.node, house, _asked(state))
            return {"found": [{"agent": agent, "metadata": metadata}]}
        error = mine.error
        assert error is not None, "a branch ends with its answer or an error"
        return {"found": [{"agent": agent, "code": error.code, "message": error.message}]}

    async def finish(state: _State) -> _State:
        # In the order of the choice, whoever was first.
        found = {one["agent"]: one for one in state["found"]}
        done = [one for one in state["agents"] if "metadata" in found[one]]
        errors = {
            one: {"code": found[one]["code"], "message": found[one]["message"]}
            for one in state["agents"]
            if "code" in found[one]
        }
        if not done:
            raise NobodyAnswered(next(iter(errors.values()))["message"])
        data = {one: found[one]["metadata"] for one in done}
        metadata = {"data": data, "completed_agents": done, **state["routing"]}
        await current_node().data(METADATA, {**metadata, "errors": errors})
        return {}

    graph = StateGraph(_State)
    for step in (receive, choose, advise, finish):
        graph.add_node(step.__name__, step)
    graph.add_edge(START, "receive")
    graph.add_edge("receive", "choose")
    graph.add_conditional_edges("choose", _fan_out, ["advise"])
    graph.add_edge("advise", "finish")
    graph.add_edge("finish", END)
    return graph


def _fan_out(state: _State) -> list[Send]:
    common = {name: state[name] for name in ("user_id", "message", "history", "model")}
    return [Send("advise", {**common, "agent": agent}) for agent in state["agents"]]


async def _route(house: House, node: Node, asked: Asked, *, task: str | None) -> dict[str, Any]:
    """Return who answers and why; a model is asked where rules find too little."""
    state = await read_state(house.engine, **asked.owner_of(node))
    routing = route_message(
        asked.message,
        [(str(turn["role"]), str(turn["content"])) for turn in asked.history],
        is_test_open=state is not None and state.is_open,
        explicit=task,
    )
    by_rules = {
        "selected_agents": list(routing.agents),
        "reason": routing.reason.within(asked.language),
        "method": "rules" if task is None else "explicit",
    }
    if not routing.is_unsure or await node.model_kind(asked.model) == "demo":
        return by_rules
    said = await node.ask(
        [
            {"role": "system", "content": _CHOOSING},
            *asked.history,
            {"role": "user", "content": asked.message},
        ],
        model=asked.model,
        response_format=_CHOICE,
    )
    return _chosen(said.text) or by_rules


def _chosen(text: str) -> dict[str, Any] | None:
    try:
        given = msgspec.json.decode(text, type=_Choice)
    except msgspec.DecodeError:
        return None
    agents = list(dict.fromkeys(agent for agent in given.agents if agent in AGENTS))[:AGENTS_MAX]
    if not agents:
        return None
    return {"selected_agents": agents, "reason": given.reason, "method": "model"}


class _Choice(msgspec.Struct):
    agents: list[str]
    reason: str = ""


def orchestrator_input(request: RunRequest) -> dict[str, Any]:
    """Return the graph's input; a run that was started natively is checked here."""
    given = request.input
    if not isinstance(given, dict):
        raise RequestInvalid("`input` must be an object with `user_id` and `message`.")
    # Under the names of the route's body, or of what the route makes of it.
    body = {
        "conversation_history": given.get("history"),
        "explicit_task_type": given.get("task"),
        **given,
    }
    checked: dict[str, Any] = read_task(body, {}).input
    return checked
