"""The graphs of the coding agent: an answer, or planner, coder and critic in a bounded loop."""

import json
from typing import Any, TypedDict

from langgraph.graph import END, START, StateGraph

from potok.apps.contract import Node, RequestInvalid, RunRequest, current_node
from potok_apps.coding import prompts, sketch
from potok_apps.coding.dialect import METADATA
from potok_apps.coding.files import find_files
from potok_apps.coding.request import read_wish

__all__ = ["ROUNDS_MAX", "coding_graph", "coding_input"]

ROUNDS_MAX = 3
"""Times that the coder writes: once, and twice after the critic."""
_CODE_CHARACTERS_MAX = 60_000
"""Of code that is sent back to a model."""


class _State(TypedDict, total=False):
    message: str
    history: list[dict[str, Any]]
    mode: str
    model: str | None
    temperature: float | None
    steps: list[str]
    code: str
    attempt: int
    verdict: str
    issues: list[str]


async def _chat(state: _State) -> _State:
    node = current_node()
    await node.say(prompts.chatting(state["message"], state["history"]), **_wishes(state))
    return {}


async def _plan(state: _State) -> _State:
    node, language = current_node("planner"), _language(current_node())
    async with node.stage(
        "planner", text={"ru": "Планирую решение...", "en": "Planning a solution..."}
    ):
        if await _is_demo(node, state):
            return {"steps": sketch.plan_for(state["message"], language), "attempt": 0}
        messages = prompts.planning(state["message"], state["history"], language)
        said = await node.ask(messages, **_wishes(state), response_format=prompts.PLAN)
        steps = [str(step) for step in _object_in(said.text).get("steps", [])]
        return {"steps": steps or [state["message"]], "attempt": 0}


async def _code(state: _State) -> _State:
    node, language = current_node("coder"), _language(current_node())
    attempt = state["attempt"] + 1
    async with node.stage(
        "coder",
        attempt=attempt,
        text={"ru": "Пишу код...", "en": "Writing code..."}
        if attempt == 1
        else {"ru": "Исправляю код...", "en": "Mending the code..."},
    ):
        facts = ""
        if await _is_demo(node, state):
            facts = sketch.code_facts(state["message"], language, attempt=attempt)
        messages = prompts.coding(
            state["message"],
            state["history"],
            language,
            steps=state["steps"],
            before=state.get("code", "")[:_CODE_CHARACTERS_MAX],
            issues=state.get("issues", []),
            facts=facts,
        )
        said = await node.say(messages, channel="code", stage="coder", **_wishes(state))
    return {"code": said.text, "attempt": attempt}


async def _review(state: _State) -> _State:
    node, language = current_node("critic"), _language(current_node())
    attempt, is_demo = state["attempt"], await _is_demo(node, state)
    async with node.stage(
        "critic", attempt=attempt, text={"ru": "Проверяю код...", "en": "Reviewing the code..."}
    ):
        code = state["code"][:_CODE_CHARACTERS_MAX]
        verdict, issues = "ok", list[str]()
        if not is_demo:
            said = await node.ask(
                prompts.reviewing(state["message"], code, language),
                **_wishes(state),
                response_format=prompts.CRITIQUE,
            )
            verdict, issues = _verdict_in(said.text)
        if verdict == "fix" and attempt < ROUNDS_MAX:
            return {"verdict": verdict, "issues": issues}
        facts = sketch.answer_facts(language) if is_demo else ""
        await node.say(
            prompts.answering(state["message"], code, language, issues=issues, facts=facts),
            stage="critic",
            **_wishes(state),
        )
    await node.data(METADATA, _metadata({**state, "verdict": verdict, "issues": issues}))
    return {"verdict": "ok", "issues": issues}


def _metadata(state: _State) -> dict[str, Any]:
    return {
        "plan": state["steps"],
        "files": [file._asdict() for file in find_files(state["code"])],
        "critique": {"verdict": state["verdict"], "issues": state["issues"]},
        "iterations": state["attempt"],
    }


def _verdict_in(text: str) -> tuple[str, list[str]]:
    given = _object_in(text)
    issues = [str(issue) for issue in given.get("issues", []) if str(issue).strip()]
    # A wish to mend nothing is none.
    return ("fix", issues) if given.get("verdict") == "fix" and issues else ("ok", issues)


def _object_in(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


async def _is_demo(node: Node, state: _State) -> bool:
    return await node.model_kind(state["model"]) == "demo"


def _wishes(state: _State) -> dict[str, Any]:
    temperature = state["temperature"]
    heat = {} if temperature is None else {"temperature": temperature}
    return {"model": state["model"], **heat}


def _language(node: Node) -> str:
    return "ru" if node.language.startswith("ru") else "en"


def coding_input(request: RunRequest) -> dict[str, Any]:
    """Return the graph's input; a run that was started natively is checked here."""
    given = request.input
    if not isinstance(given, dict):
        raise RequestInvalid("`input` must be an object with `message`.", param="input")
    # Under the names of the route's body, or of what the route makes of it.
    body = {"conversation_history": given.get("history"), **given}
    checked: dict[str, Any] = read_wish(body, {}).input
    return checked


def coding_graph() -> "StateGraph[Any, Any, Any, Any]":
    """Return the graph, not compiled."""
    graph = StateGraph(_State)
    for name, node in (("chat", _chat), ("plan", _plan), ("code", _code), ("review", _review)):
        graph.add_node(name, node)
    graph.add_conditional_edges(
        START, lambda state: "plan" if state["mode"] == "code" else "chat", ["plan", "chat"]
    )
    graph.add_edge("chat", END)
    graph.add_edge("plan", "code")
    graph.add_edge("code", "review")
    graph.add_conditional_edges(
        "review", lambda state: "code" if state["verdict"] == "fix" else END, ["code", END]
    )
    return graph
