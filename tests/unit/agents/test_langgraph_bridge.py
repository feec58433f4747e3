"""The bridge to LangGraph: what nodes say as it comes, and after a crash each token once."""

import asyncio
import operator
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, TypedDict

import msgspec
import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy, Send

from potok.agents.checkpoints import Checkpoints
from potok.agents.contract import Agent, Turn
from potok.agents.graphs import Graphs
from potok.agents.node import branch, current_node
from potok.agents.registry import AgentRegistry
from potok.clock import RunId
from potok.errors import AgentFailed, PeerError
from potok.events.closing import closing_events
from potok.events.fold import Fold, Message
from potok.events.grammar import GrammarChecker
from potok.events.kinds import (
    GRAMMAR_VERSION,
    Data,
    Event,
    RunStart,
    SourceChange,
    StageStart,
    Status,
    TextDelta,
    TextStart,
)
from potok.events.run_request import RunRequest
from potok.models.catalogue import Catalogue
from potok.models.demo import DemoProvider
from potok.testing.fakes import FakeClock
from potok.testing.gates import Gate
from potok.testing.scripted_model import ScriptedModel, ScriptedProvider

RUN = RunId("01bridge0run0000000000000")
START_OF_RUN = RunStart(run=RUN, version=GRAMMAR_VERSION, agent="crew")


class State(TypedDict, total=False):
    message: str
    who: str
    answers: Annotated[list[str], operator.add]


def asked(words: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": words}]


async def plan(state: State) -> State:
    node = current_node("planner")
    async with node.stage("planner", text={"ru": "Планирую", "en": "Planning"}):
        await node.status({"ru": "Считаю...", "en": "Counting..."}, code="counting")
        numbers = await node.ask(asked("Count to 3"))
    return {"answers": [numbers.text]}


def fan_out(state: State) -> list[Send]:
    return [Send("work", {"who": who}) for who in ("anna", "boris", "vera")]


async def work(state: State) -> State:
    who = state["who"]
    async with branch(who) as mine:
        if who == "vera":
            raise ValueError("a secret")
        said = await mine.node.say(asked(f"Repeat: a few words from {who}"))
        return {"answers": [said.text]}
    return {"answers": [f"{who}: {mine.error.code if mine.error else ''}"]}


async def finish(state: State) -> State:
    node = current_node()
    await node.say(asked("Repeat: and all of them together"))
    await node.data("answers", sorted(state["answers"]))
    return {}


def crew() -> StateGraph[Any, Any, Any, Any]:
    graph = StateGraph(State)
    graph.add_node("plan", plan)
    graph.add_node("work", work)
    graph.add_node("finish", finish)
    graph.add_edge(START, "plan")
    graph.add_conditional_edges("plan", fan_out, ["work"])
    graph.add_edge("work", "finish")
    graph.add_edge("finish", END)
    return graph


def one_node(function: Any) -> StateGraph[Any, Any, Any, Any]:
    graph = StateGraph(State)
    graph.add_node("only", function)
    graph.add_edge(START, "only")
    graph.add_edge("only", END)
    return graph


@pytest.fixture
async def checkpoints(tmp_path: Path) -> AsyncIterator[Checkpoints]:
    kept = Checkpoints(tmp_path / "checkpoints.sqlite3")
    yield kept
    await kept.close()


def agent_of(
    graph: StateGraph[Any, Any, Any, Any],
    checkpoints: Checkpoints,
    model: ScriptedModel | None = None,
) -> Agent:
    clock = FakeClock()
    demo = DemoProvider(clock, tokens_per_second=0)
    providers = [demo] if model is None else [ScriptedProvider([model])]
    registry = AgentRegistry(Catalogue(providers, clock=clock))
    graphs = Graphs(models=registry, checkpoints=checkpoints)
    return graphs.agent("crew", graph, read=lambda request: {"message": str(request.input)})


def turn(run: str = RUN, *, face: str = "native") -> Turn:
    request = RunRequest(agent="crew", input="hello", language="ru", face=face)
    return Turn(run=RunId(run), request=request)


async def batches_of(agent: Agent, turn: Turn) -> list[list[Event]]:
    return [list(batch) async for batch in agent.run(turn)]


def message_of(events: list[Event]) -> Message:
    """Fold what keeps to the grammar, closed as a producer closes it."""
    checker, fold = GrammarChecker(), Fold()
    for event in [START_OF_RUN, *events]:
        checker.admit(event)
        fold.feed(event)
    for event in closing_events(checker, outcome="finished"):
        fold.feed(event)
    return fold.message


def said_by(events: list[Event]) -> dict[str | None, str]:
    """The words of each agent."""
    message = message_of(events)
    texts = [part for part in message.parts if part.type == "text"]
    return {part.agent: part.text for part in texts}


async def test_nodes_speak_side_by_side_each_under_its_agents_name(
    checkpoints: Checkpoints,
) -> None:
    events = [
        event
        for batch in await batches_of(agent_of(crew(), checkpoints), turn())
        for event in batch
    ]

    assert said_by(events) == {
        "anna": "a few words from anna",
        "boris": "a few words from boris",
        None: "and all of them together",
    }
    stages = [event.text for event in events if isinstance(event, StageStart)]
    assert stages == ["Планирую"]


async def test_a_branch_that_fails_says_so_without_its_words_and_sinks_no_other(
    checkpoints: Checkpoints,
) -> None:
    events = [
        event
        for batch in await batches_of(agent_of(crew(), checkpoints), turn())
        for event in batch
    ]

    told = [event for event in events if isinstance(event, Status) and event.agent == "vera"]
    assert [status.code for status in told] == ["agent_failed"]
    assert "secret" not in told[0].text
    answers = [
        event.data for event in events if isinstance(event, Data) and event.name == "answers"
    ]
    assert "vera: agent_failed" in answers[0]


async def whole_run(checkpoints: Checkpoints) -> list[Event]:
    return [
        event
        for batch in await batches_of(agent_of(crew(), checkpoints), turn("01uncut0run00000000"))
        for event in batch
    ]


async def test_a_run_that_a_crash_cut_anywhere_says_every_token_once(
    checkpoints: Checkpoints,
) -> None:
    uncut = said_by(await whole_run(checkpoints))
    for cut in range(1, 60):
        agent, heard = agent_of(crew(), checkpoints), list[Event]()
        first = turn(f"01cut{cut:03}0run0000000000")
        async with asyncio.timeout(10):
            running = agent.run(first)
            async for batch in running:
                heard += batch
                if len(heard) >= cut:
                    break
            # What a dead process leaves: the log to here, and the checkpoints that were allowed.
            await running.aclose()
            said = Fold()
            for event in [START_OF_RUN, *heard]:
                said.feed(event)
            change = SourceChange(reason="worker_lost", attempt=2, how="prompt")
            again = msgspec.structs.replace(first, attempt=2, said=said.message)
            rest = [event for batch in await batches_of(agent, again) for event in batch]

        assert said_by([*heard, change, *rest]) == uncut, f"cut after {cut} events"
        starts = [e.part for e in [*heard, *rest] if isinstance(e, TextStart)]
        assert len(starts) == len(set(starts))


async def test_finished_nodes_do_not_run_again(checkpoints: Checkpoints) -> None:
    ran: list[str] = []
    gate = Gate()

    async def first(state: State) -> State:
        ran.append("first")
        await current_node().say(asked("Repeat: one"))
        return {}

    async def second(state: State) -> State:
        ran.append("second")
        await current_node().status("Waiting", code="waiting")
        if len(ran) == 2:
            await gate.wait()
        await current_node().say(asked("Repeat: two"))
        return {}

    graph = StateGraph(State)
    graph.add_node("first", first)
    graph.add_node("second", second)
    graph.add_edge(START, "first")
    graph.add_edge("first", "second")
    graph.add_edge("second", END)
    agent, heard = agent_of(graph, checkpoints), list[Event]()
    running = agent.run(turn())
    async for batch in running:
        heard += batch
        if any(isinstance(event, Status) for event in heard):
            break
    await running.aclose()

    again = msgspec.structs.replace(turn(), attempt=2, said=message_of_open(heard))
    rest = [event for batch in await batches_of(agent, again) for event in batch]

    assert ran == ["first", "second", "second"]
    assert "".join(e.text for e in [*heard, *rest] if isinstance(e, TextDelta)) == "onetwo"
    assert not [event for event in rest if isinstance(event, Status)]


def message_of_open(events: list[Event]) -> Message:
    fold = Fold()
    for event in [START_OF_RUN, *events]:
        fold.feed(event)
    return fold.message


async def test_no_checkpoint_is_written_before_the_log_has_what_was_said(
    checkpoints: Checkpoints,
) -> None:
    gate, stored = Gate(), list[int]()
    heard: list[Event] = []

    async def is_stored() -> None:
        stored.append(len(heard))
        await gate.wait()

    async def speak(state: State) -> State:
        await current_node().say(asked("Repeat: words"))
        return {"answers": ["done"]}

    agent = agent_of(one_node(speak), checkpoints)
    first = msgspec.structs.replace(turn(), stored=is_stored)
    running = agent.run(first)
    reading = asyncio.create_task(_read(running, heard))
    await gate.until_waited_for()
    for _ in range(100):
        await asyncio.sleep(0)
    assert heard == [], "what names its calls is not stored yet"
    saver = await checkpoints.saver()
    config: Any = {"configurable": {"thread_id": RUN}}
    before = await saver.aget_tuple(config)
    gate.open()
    await reading

    assert before is None
    after = await saver.aget_tuple(config)
    assert after is not None
    assert after.checkpoint["channel_values"]["answers"] == ["done"]


async def _read(running: AsyncIterator[list[Event]], heard: list[Event]) -> None:
    async for batch in running:
        heard += batch


async def test_cancelling_closes_the_model_of_every_branch(checkpoints: Checkpoints) -> None:
    gate = Gate()
    model = ScriptedModel([[TextStart(part="t")], [TextDelta(part="t", text="a")], gate])

    async def speak(state: State) -> State:
        await asyncio.gather(
            *(current_node(f"agent{number}").say(asked("hello")) for number in range(5))
        )
        return {}

    running = agent_of(one_node(speak), checkpoints, model).run(turn())
    heard: list[Event] = []
    async for batch in running:
        heard += batch
        if sum(isinstance(event, TextDelta) for event in heard) == 5:
            break
    assert model.live == 5
    await running.aclose()

    assert (model.live, model.closed) == (0, 5)


async def test_an_agent_that_gives_nothing_is_stopped_and_the_others_go_on(
    checkpoints: Checkpoints,
) -> None:
    gate = Gate()
    model = ScriptedModel([[TextStart(part="t")], [TextDelta(part="t", text="a")], gate])

    async def speak(state: State) -> State:
        async with branch("slow", idle_seconds=0.05) as mine:
            await mine.node.say(asked("hello"))
        return {"answers": [mine.error.code if mine.error else ""]}

    agent = agent_of(one_node(speak), checkpoints, model)
    events = [event for batch in await batches_of(agent, turn()) for event in batch]

    message = message_of(events)
    assert [(part.text, part.state) for part in message.parts] == [("a", "cut")]
    assert [event.code for event in events if isinstance(event, Status)] == ["agent_stalled"]
    assert model.live == 0


async def test_the_stream_writer_of_langgraph_gives_data_and_events(
    checkpoints: Checkpoints,
) -> None:
    async def speak(state: State) -> State:
        write = get_stream_writer()
        write({"progress": 50})
        write({"event": "status", "text": "Half way", "code": "half"})
        return {}

    agent = agent_of(one_node(speak), checkpoints)
    events = [event for batch in await batches_of(agent, turn()) for event in batch]

    assert events == [
        Data(name="custom", data={"progress": 50}),
        Status(text="Half way", code="half"),
    ]


def chat_model_node(*answers: str) -> Any:
    replies = iter([AIMessage(content=answer) for answer in answers])
    model = GenericFakeChatModel(messages=replies)

    async def speak(state: State) -> State:
        answer = await model.ainvoke("hello")
        return {"answers": [str(answer.content)]}

    return speak


async def test_tokens_of_a_chat_model_of_langchain_are_text_of_its_node(
    checkpoints: Checkpoints,
) -> None:
    agent = agent_of(one_node(chat_model_node("three plain words")), checkpoints)
    events = [event for batch in await batches_of(agent, turn()) for event in batch]

    assert said_by(events) == {"only": "three plain words"}
    assert sum(isinstance(event, TextDelta) for event in events) > 2


async def cut_after(agent: Agent, cut: int, *, face: str = "native") -> list[Event]:
    """Run an agent until its process dies after so many events; return what the log holds."""
    running, heard = agent.run(turn(face=face)), list[Event]()
    async for batch in running:
        heard += batch
        if len(heard) >= cut:
            break
    await running.aclose()
    return heard[:cut]


def text_of(events: list[Event]) -> str:
    return "".join(part.text for part in message_of(events).parts if part.type == "text")


@pytest.mark.parametrize("cut", range(1, 7))
async def test_a_chat_model_that_says_the_same_again_is_heard_once(
    checkpoints: Checkpoints, cut: int
) -> None:
    words = "three plain words"
    agent = agent_of(one_node(chat_model_node(words, words)), checkpoints)
    heard = await cut_after(agent, cut)

    again = msgspec.structs.replace(turn(), attempt=2, said=message_of_open(heard))
    rest = [event for batch in await batches_of(agent, again) for event in batch]

    assert text_of([*heard, *rest]) == words


async def test_what_a_chat_model_says_otherwise_is_taken_back_where_it_can_be(
    checkpoints: Checkpoints,
) -> None:
    node = chat_model_node("three plain words", "three other words")
    agent = agent_of(one_node(node), checkpoints)
    heard = await cut_after(agent, 4)
    assert text_of(heard) == "three plain"

    again = msgspec.structs.replace(turn(), attempt=2, said=message_of_open(heard))
    rest = [event for batch in await batches_of(agent, again) for event in batch]

    assert text_of([*heard, *rest]) == "three other words"


async def test_what_a_chat_model_says_otherwise_fails_the_run_where_nothing_can_be_taken_back(
    checkpoints: Checkpoints,
) -> None:
    node = chat_model_node("three plain words", "three other words")
    agent = agent_of(one_node(node), checkpoints)
    heard = await cut_after(agent, 4, face="simple-chat")

    again = msgspec.structs.replace(
        turn(face="simple-chat"), attempt=2, said=message_of_open(heard)
    )
    with pytest.raises(PeerError, match="something else"):
        await batches_of(agent, again)


async def test_a_run_whose_state_is_not_here_fails_and_says_nothing_twice(
    checkpoints: Checkpoints, tmp_path: Path
) -> None:
    heard = await cut_after(agent_of(crew(), checkpoints), 12)
    elsewhere = Checkpoints(tmp_path / "elsewhere.sqlite3")

    again = msgspec.structs.replace(turn(), attempt=2, said=message_of_open(heard))
    with pytest.raises(PeerError, match="POTOK_DATABASE_URL"):
        await batches_of(agent_of(crew(), elsewhere), again)
    await elsewhere.close()


async def test_a_node_that_is_tried_again_and_then_cut_asks_all_its_questions(
    checkpoints: Checkpoints,
) -> None:
    tries: list[str] = []

    async def fails_once(state: State) -> State:
        node = current_node()
        tries.append("try")
        await node.say(asked("Repeat: one."))
        if len(tries) == 1:
            raise ConnectionError
        await node.say(asked("Repeat: two."))
        return {}

    graph = StateGraph(State)
    retries = RetryPolicy(initial_interval=0.001, jitter=False)
    graph.add_node("only", fails_once, retry_policy=retries)
    graph.add_edge(START, "only")
    graph.add_edge("only", END)
    agent, heard = agent_of(graph, checkpoints), list[Event]()
    running = agent.run(turn())
    async for batch in running:
        heard += batch
        if text_of(heard) == "one.one.":
            break
    await running.aclose()

    again = msgspec.structs.replace(turn(), attempt=2, said=message_of_open(heard))
    rest = [event for batch in await batches_of(agent, again) for event in batch]

    assert text_of([*heard, *rest]) == "one.one.two."


async def test_a_graph_without_end_fails_with_a_sentence(checkpoints: Checkpoints) -> None:
    async def again(state: State) -> State:
        return {}

    graph = StateGraph(State)
    graph.add_node("again", again)
    graph.add_edge(START, "again")
    graph.add_edge("again", "again")

    with pytest.raises(AgentFailed):
        await batches_of(agent_of(graph, checkpoints), turn())
