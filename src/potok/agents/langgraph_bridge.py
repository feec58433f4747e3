"""LangGraph's stream -> our events: the only module of the kind that knows LangGraph.

Nodes speak by `current_node()`, by LangGraph's own stream writer, or by a chat model of LangChain:

- What a `Node` says goes straight to the run, as it comes, and is journaled.
- What the writer is given is data of the name `custom`, or one of our events as its JSON.
- The tokens of a chat model are text of the run. A node that a crash interrupted makes its model
  say them again: what readers have is passed over while it is the same. Where it is not, the rest
  is taken back if the face that began the run can say so; else the run fails.

A run's state is kept under its id, written before the next step begins (`durability="sync"`).
"""

import hashlib
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import msgspec
from langchain_core.messages import AIMessageChunk
from langchain_core.runnables import RunnableConfig
from langgraph.config import get_config
from langgraph.errors import GraphRecursionError
from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import get_runtime

from potok.agents.chat_model_text import ChatModelText
from potok.agents.checkpoints import Checkpoints
from potok.agents.coded_agent import CodedAgent
from potok.agents.session import AgentFinder, Session
from potok.errors import AgentFailed, PeerError
from potok.events.json_form import decode_event
from potok.events.kinds import Data, Event, StageEnd, StageStart, Status
from potok.events.run_request import RunRequest
from potok.limits import AGENT_STEPS_MAX

__all__ = ["LangGraphAgent"]

_OWN_EVENTS = ("status", "stage-start", "stage-end", "data")


class LangGraphAgent(CodedAgent):
    """Runs a graph.

    Args:
        graph: Not compiled: it is compiled with the server's checkpoints.
        read: From what was asked to the graph's input.
        steps_max: After so many steps of one run it fails.
    """

    def __init__(
        self,
        name: str,
        graph: StateGraph[Any, Any, Any, Any],
        *,
        read: Callable[[RunRequest], dict[str, Any]],
        models: AgentFinder,
        checkpoints: Checkpoints,
        steps_max: int = AGENT_STEPS_MAX,
        events_per_second_max: float | None = None,
    ) -> None:
        super().__init__(name, models=models, events_per_second_max=events_per_second_max)
        self._graph = graph
        self._read = read
        self._checkpoints = checkpoints
        self._steps_max = steps_max
        self._compiled: CompiledStateGraph[Any, Any, Any, Any] | None = None

    async def _drive(self, session: Session) -> None:
        graph = await self._compile()
        config: RunnableConfig = {
            "configurable": {"thread_id": session.turn.run},
            "recursion_limit": self._steps_max,
        }
        # The first steps of a graph are work without a pause: of many at once, few a time.
        async with self._checkpoints.turn_to_start() as started:
            session.on_first_word(started)
            known = await graph.aget_state(config)
            if known.created_at is None:
                if session.journal.has_calls:
                    # Its tasks would get other names, and say all of it a second time.
                    raise PeerError(
                        "The answer cannot go on here: the state of its graph is not on this"
                        " machine. Workers on several need one POTOK_DATABASE_URL."
                    )
                given: dict[str, Any] | None = self._read(session.turn.request)
            elif known.next:
                given = None
            else:
                # Only the run's end was not written any more.
                return
            try:
                await self._stream(graph, given, config, session)
            except GraphRecursionError as error:
                raise AgentFailed(self.name) from error

    async def _stream(
        self,
        graph: CompiledStateGraph[Any, Any, Any, Any],
        given: dict[str, Any] | None,
        config: RunnableConfig,
        session: Session,
    ) -> None:
        texts = ChatModelText(session)
        stream: Any = graph.astream(
            given,
            config,
            stream_mode=["custom", "messages"],
            subgraphs=True,
            version="v2",
            durability="sync",
        )
        async with aclosing(stream) as chunks:
            async for chunk in chunks:
                if chunk["type"] == "custom":
                    await session.put(_event_of(chunk["data"]))
                elif isinstance(chunk["data"][0], AIMessageChunk):
                    message, about = chunk["data"]
                    agent = about.get("agent") or about.get("langgraph_node")
                    await texts.take(
                        _place_of(about), agent=agent, id=message.id or "", text=message.text
                    )
        await texts.close()

    async def _compile(self) -> CompiledStateGraph[Any, Any, Any, Any]:
        if self._compiled is None:
            saver = await self._checkpoints.saver()
            self._compiled = self._graph.compile(checkpointer=saver)
        return self._compiled

    def _locate(self) -> str:
        place = _place_of(get_config().get("metadata") or {})
        runtime = get_runtime()
        info = runtime.execution_info if runtime is not None else None
        # A node that LangGraph tries again asks its first question anew: that is no second call of
        # the try before.
        attempt = info.node_attempt if info is not None else 1
        return place if attempt == 1 else f"{place}-r{attempt}"


def _place_of(about: dict[str, Any]) -> str:
    # LangGraph derives the task's name in it from the step's checkpoint, so that a task that is
    # run again has the same one.
    place = str(about.get("langgraph_checkpoint_ns") or about.get("langgraph_node") or "")
    digest = hashlib.sha256(place.encode()).hexdigest()[:8]
    return f"{about.get('langgraph_node', 'graph')}-{digest}".replace("/", "_")


def _event_of(given: Any) -> Event:
    if isinstance(given, Status | StageStart | StageEnd | Data):
        return given
    if isinstance(given, dict) and given.get("event") in _OWN_EVENTS:
        return decode_event(msgspec.json.encode(given))
    return Data(name="custom", data=msgspec.to_builtins(given, enc_hook=str))
