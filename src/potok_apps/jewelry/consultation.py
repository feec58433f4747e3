"""The graph of a consultation: profile, wishes, pieces, answer; each step says what it does."""

from itertools import pairwise
from typing import Any, TypedDict

from langgraph.graph import END, START, StateGraph

from potok.apps.contract import RequestInvalid, RunRequest, current_node
from potok_apps.jewelry.advisers import consultation_metadata, look_for_pieces, piece_facts
from potok_apps.jewelry.dialect import METADATA
from potok_apps.jewelry.house import Asked, House, instructions
from potok_apps.jewelry.request import read_consultation
from potok_apps.jewelry.taste_store import read_profile
from potok_apps.jewelry.texts import language_of
from potok_apps.jewelry.wishes import parse_wishes

__all__ = ["consultation_graph", "consultation_input"]

_ROLE = {
    "ru": "Ты консультант ювелирного дома. Посоветуй изделия из фактов и скажи, чем они хороши.",
    "en": "You are the consultant of a jewelry house. Recommend the pieces of the facts.",
}


class _State(TypedDict, total=False):
    user_id: str
    message: str
    history: list[dict[str, Any]]
    model: str | None
    profile: str
    facts: list[str]
    metadata: dict[str, Any]


def _asked(state: _State) -> Asked:
    return Asked(
        user_id=state["user_id"],
        message=state["message"],
        history=state["history"],
        model=state["model"],
    )


def consultation_graph(house: House) -> "StateGraph[Any, Any, Any, Any]":
    """Return the graph, not compiled."""

    async def begin(state: _State) -> _State:
        await current_node().status(
            {"ru": "Начинаю консультацию...", "en": "Starting consultation..."}, code="start"
        )
        return {}

    async def load_profile(state: _State) -> _State:
        node = current_node()
        await node.status(
            {"ru": "Загружаю ваш профиль...", "en": "Loading profile..."}, code="profile"
        )
        profile = await read_profile(house.engine, **_asked(state).owner_of(node))
        if profile is None or not profile.weights:
            return {"profile": ""}
        return {"profile": profile.text.within(_asked(state).language)}

    async def understand(state: _State) -> _State:
        await current_node().status(
            {"ru": "Анализирую предпочтения...", "en": "Analyzing preferences..."},
            code="preferences",
        )
        said = [(str(turn["role"]), str(turn["content"])) for turn in state["history"]]
        wishes = parse_wishes(state["message"], said)
        return {"metadata": {"extracted_preferences": wishes.as_metadata()}}

    async def search(state: _State) -> _State:
        node, asked = current_node(), _asked(state)
        await node.status(
            {"ru": "Подбираю украшения...", "en": "Searching products..."}, code="search"
        )
        wishes, found = await look_for_pieces(house, asked, asked.owner_of(node))
        facts = [state["profile"], *piece_facts(wishes, found, asked.language)]
        return {"facts": facts, "metadata": consultation_metadata(wishes, found, asked.language)}

    async def answer(state: _State) -> _State:
        node, language = current_node(), language_of(state["message"])
        await node.status(
            {"ru": "Формирую ответ...", "en": "Generating response..."}, code="answer"
        )
        prompt = instructions(_ROLE[language], state["facts"], language)
        await node.say(
            [
                {"role": "system", "content": prompt},
                *state["history"],
                {"role": "user", "content": state["message"]},
            ],
            model=state["model"],
        )
        await node.data(METADATA, state["metadata"])
        return {}

    graph = StateGraph(_State)
    steps = (begin, load_profile, understand, search, answer)
    for step in steps:
        graph.add_node(step.__name__, step)
    graph.add_edge(START, steps[0].__name__)
    for before, after in pairwise(steps):
        graph.add_edge(before.__name__, after.__name__)
    graph.add_edge(steps[-1].__name__, END)
    return graph


def consultation_input(request: RunRequest) -> dict[str, Any]:
    """Return the graph's input; a run that was started natively is checked here."""
    given = request.input
    if not isinstance(given, dict):
        raise RequestInvalid("`input` must be an object with `user_id` and `message`.")
    # Under the names of the route's body, or of what the route makes of it.
    body = {"conversation_history": given.get("history"), **given}
    checked: dict[str, Any] = read_consultation(body, {}).input
    return checked
