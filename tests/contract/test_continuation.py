"""Two real upstreams behind one answer: the first breaks in every way, the second stands in."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from potok.agents.contract import Turn
from potok.agents.model_agent import Continuing, ModelAgent
from potok.agents.registry import AgentRegistry
from potok.agents.sources import ModelRules
from potok.clock import RunId, SystemClock, SystemIds
from potok.errors import PeerError, UpstreamBusy, UpstreamLost, UpstreamRefused, UpstreamStalled
from potok.events.fold import Fold, Message
from potok.events.kinds import Event, PartDiscard, RunStart, SourceChange, Usage
from potok.events.run_request import RunRequest
from potok.models.answer import Timeouts
from potok.models.catalogue import Catalogue
from potok.models.openai_chat import OpenAiProvider
from potok.models.retrying import RetryRules
from potok.protocol.continuation import Budget
from potok.protocol.production import Production
from potok.testing.gates import Gate
from potok.testing.upstream import Script, ScriptedUpstream, frame_of

TOKENS = tuple(
    "Поток хранит каждое слово. Второй читатель видит то же, что и первый,"
    " and a third one comes back after the cut; nobody loses a word.".replace(" ", " |").split("|")
)
WHOLE = "".join(TOKENS)
CUT = 9
SAID = "".join(TOKENS[:CUT])
EXACT = Script(tokens=TOKENS[CUT:])
RUN = RunId("r" * 16)
REQUEST = RunRequest(
    model="first/m", messages=({"role": "user", "content": "Расскажи"},), face="openai-chat"
)
RULES = {"first/m": ModelRules(fallback=("second/n",), structured="schema")}
BROKEN = Script(tokens=TOKENS[:CUT], then="drop")
CALL: tuple[dict[str, Any], ...] = (
    {"index": 0, "id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"a'}},
    {"index": 0, "function": {"arguments": '": 1}'}},
)


class Told:
    """What an agent yielded, checked as the producer checks it."""

    def __init__(self) -> None:
        self.production = Production()
        self.events: list[Event] = []
        self.ending: Event | None = None

    @property
    def message(self) -> Message:
        return self.production.message

    @property
    def changes(self) -> list[tuple[str, str, str | None]]:
        return [(one.reason, one.how, one.model) for one in self.message.sources]


class House:
    """A registry over two upstreams, with waits that the test sees and nobody waits for."""

    def __init__(self, first: ScriptedUpstream, second: ScriptedUpstream, **more: Any) -> None:
        self.first, self.second = first, second
        self.waits: list[float] = []
        self.providers = [
            OpenAiProvider(
                name,
                upstream.base_url,
                clock=SystemClock(),
                ids=SystemIds(),
                retry=RetryRules(tries_max=1),
                timeouts=Timeouts(first_token=more.get("first_token", 5.0), between_tokens=0.1),
                calls_max=1,
                waiting_max=more.get("waiting_max", 5),
            )
            for name, upstream in (("first", first), ("second", second))
        ]
        self.registry = AgentRegistry(
            Catalogue(self.providers, clock=SystemClock()),
            rules=more.get("rules", RULES),
            continuing=Continuing(
                budget=more.get("budget", Budget()), sleep=self._sleep, fraction=lambda: 1.0
            ),
        )

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def answer(self, request: RunRequest = REQUEST) -> Told:
        told = Told()
        await self.answer_into(told, request)
        return told

    async def answer_into(self, told: Told, request: RunRequest = REQUEST) -> None:
        """Keep what was told where the test finds it after a fault, too."""
        agent = await self.registry.resolve(request)
        told.production.begin(RunStart(run="r", version=1))
        async for events in agent.run(Turn(run=RUN, request=request)):
            told.events += events
            told.ending = told.production.admit(events)


@asynccontextmanager
async def open_house(
    first: Script | tuple[Script, ...], *second: Script, **more: Any
) -> AsyncIterator[House]:
    scripts = first if isinstance(first, tuple) else (first,)
    async with (
        ScriptedUpstream(*scripts, models=("m",)) as one,
        ScriptedUpstream(*second, models=("n",)) as two,
    ):
        house = House(one, two, **more)
        try:
            yield house
        finally:
            for provider in house.providers:
                await provider.close()


def asked_of(upstream: ScriptedUpstream, number: int = 0) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = upstream.calls[number].body["messages"]
    return messages


def text_frames(*texts: str) -> list[bytes]:
    return [frame_of("m", delta={"content": text}) for text in texts]


def call_frames() -> list[bytes]:
    return [frame_of("m", delta={"tool_calls": [piece]}) for piece in CALL]


FINISH = frame_of("m", finish_reason="stop")
CALL_FINISH = frame_of("m", finish_reason="tool_calls")

FAULTS_AFTER = {
    "drop": ("drop", "upstream_lost"),
    "end": ("end", "upstream_lost"),
    "stall": ("stall", "upstream_stalled"),
    "error": ("error", "upstream_refused"),
    "malformed": ("malformed", "upstream_malformed"),
}


@pytest.mark.parametrize("fault", FAULTS_AFTER)
async def test_after_the_first_token_the_answer_goes_on_and_is_whole(fault: str) -> None:
    then, code = FAULTS_AFTER[fault]
    broken = Script(tokens=TOKENS[:CUT], then=then)  # type: ignore[arg-type]
    # The same source again says nothing more: the other one has to go on.
    async with open_house((broken, Script(status=503, body=b"")), EXACT) as house:
        told = await house.answer()

    assert told.message.text == WHOLE
    assert told.changes[0][0] == code
    assert told.changes[-1][1:] == ("prompt", "second/n")
    assert [type(event).__name__ for event in told.events].count("RunEnd") == 1
    assert [type(event).__name__ for event in told.events].count("TextStart") == 1
    assert told.ending == told.events[-1]


@pytest.mark.parametrize(
    "first",
    [
        Script(status=429, body=b"{}"),
        Script(status=503, body=b"{}"),
        Script(status=401, body=b"{}"),
        Script(status=404, body=b"{}"),
        Script(tokens=(), then="drop"),
        Script(tokens=(), then="end"),
        Script(tokens=(), then="error"),
        Script(tokens=(), then="malformed"),
        Script(body=b"<html>", headers={"Content-Type": "text/html"}),
    ],
    ids=["429", "503", "401", "404", "drop", "end", "error", "malformed", "page"],
)
async def test_before_the_first_token_the_next_model_answers(first: Script) -> None:
    async with open_house(first, Script(tokens=TOKENS)) as house:
        told = await house.answer()

        assert told.message.text == WHOLE
        assert [change[1:] for change in told.changes] == [("restart", "second/n")]
        assert asked_of(house.second) == list(REQUEST.messages)
        assert len(house.first.calls) == 1


async def test_an_upstream_that_never_begins_is_not_waited_for_for_ever() -> None:
    silent = Script(tokens=(), then="stall")
    async with open_house(silent, Script(tokens=TOKENS), first_token=0.1) as house:
        told = await house.answer()

        async with asyncio.timeout(5):
            await house.first.calls[0].closed_by_client.wait()
    assert (told.message.text, told.changes[0][:2]) == (WHOLE, ("upstream_stalled", "restart"))


async def test_a_line_that_is_full_is_passed_over_too() -> None:
    async with open_house(Script(), Script(tokens=TOKENS), waiting_max=0) as house:
        taken = house.providers[0].places.ask("somebody")

        told = await house.answer()

        taken.leave()
        assert house.first.calls == []
    assert (told.message.text, told.changes[0][0]) == (WHOLE, "upstream_busy")


@pytest.mark.parametrize("rules", [RULES, {}], ids=["stands in", "alone"])
async def test_a_full_line_refuses_a_start_only_where_nobody_stands_in(rules: Any) -> None:
    async with open_house(Script(), Script(), waiting_max=0, rules=rules) as house:
        taken = house.providers[0].places.ask("somebody")
        agent = await house.registry.resolve(REQUEST)
        assert isinstance(agent, ModelAgent)

        if rules:
            agent.check_room("me")
        else:
            with pytest.raises(UpstreamBusy):
                agent.check_room("me")
        taken.leave()
        agent.check_room("me")


async def test_an_upstream_that_nobody_can_reach_is_passed_over() -> None:
    async with open_house(Script(), Script(tokens=TOKENS)) as house:
        await house.first.stop()

        told = await house.answer()

    assert (told.message.text, told.changes[0][0]) == (WHOLE, "upstream_unreachable")


@pytest.mark.parametrize(
    ("second", "whole"),
    [
        (TOKENS[CUT:], WHOLE),
        (TOKENS[CUT - 3 :], WHOLE),
        (TOKENS, WHOLE),
        (("Иначе", " говоря, ", "всё."), f"{SAID}Иначе говоря, всё."),
    ],
    ids=["exact", "overlap", "everything", "rephrased"],
)
async def test_what_the_next_model_says_again_is_said_once(
    second: tuple[str, ...], whole: str
) -> None:
    async with open_house(
        replace(BROKEN, then="stall"), Script(tokens=second, write_bytes_max=5)
    ) as house:
        told = await house.answer()

        begun, wish = asked_of(house.second)[-2:]
    assert told.message.text == whole
    assert begun == {"role": "assistant", "content": SAID}
    assert wish["role"] == "user"
    assert "оборвался" in wish["content"]


@pytest.mark.parametrize("mark", ["message", "prefix", "final"])
async def test_a_model_that_takes_a_begun_answer_gets_it(mark: Any) -> None:
    rules = {**RULES, "second/n": ModelRules(continues="prefill", prefill=mark)}
    said = "".join(TOKENS[:CUT]).rstrip()
    async with open_house(
        replace(BROKEN, then="stall"),
        Script(tokens=(WHOLE[len(said) :],)),
        rules=rules,
    ) as house:
        told = await house.answer()

        begun = asked_of(house.second)[-1]
        body = house.second.calls[0].body
    assert told.message.text == WHOLE
    assert told.changes[-1][1] == "prefill"
    assert (begun["role"], begun["content"]) == ("assistant", said)
    assert begun.get("prefix") is (True if mark == "prefix" else None)
    assert body.get("continue_final_message") is (True if mark == "final" else None)
    assert body.get("add_generation_prompt") is (False if mark == "final" else None)


async def test_a_model_that_refuses_a_begun_answer_is_asked_in_words() -> None:
    rules = {**RULES, "second/n": ModelRules(continues="prefill")}
    refusal = Script(status=400, body=b'{"error": {"message": "no assistant message prefill"}}')
    async with open_house(replace(BROKEN, then="stall"), refusal, EXACT, rules=rules) as house:
        told = await house.answer()

    assert told.message.text == WHOLE
    assert [change[1] for change in told.changes] == ["prefill", "prompt"]


async def test_a_model_alone_goes_on_with_its_own_answer() -> None:
    async with open_house((BROKEN, EXACT), rules={}) as house:
        told = await house.answer()

        assert house.waits == []
    assert (told.message.text, told.changes) == (WHOLE, [("upstream_lost", "prompt", "first/m")])


async def test_an_answer_survives_fault_after_fault() -> None:
    first = (Script(tokens=TOKENS[:4], then="drop"), Script(tokens=TOKENS[4:8], then="error"))
    last = Script(tokens=TOKENS[8:12], then="malformed")
    async with open_house((*first, last, Script(tokens=TOKENS[12:])), rules={}) as house:
        told = await house.answer()

    assert told.message.text == WHOLE
    assert [change.attempt for change in told.message.sources] == [2, 3, 4]


async def test_a_budget_of_calls_ends_the_answer_with_its_text_kept() -> None:
    async with open_house(
        BROKEN, Script(status=503, body=b""), budget=Budget(calls_max=4)
    ) as house:
        told = Told()
        with pytest.raises(PeerError, match="4 calls were made"):
            await house.answer_into(told)

        assert len(house.first.calls) + len(house.second.calls) == 4
        assert house.waits
    assert told.message.text == SAID
    assert told.message.parts[0].state == "open"


async def test_policy_fail_ends_the_answer_at_its_first_fault() -> None:
    request = replace_policy({"on_upstream_failure": "fail"})
    async with open_house(BROKEN, EXACT) as house:
        with pytest.raises(UpstreamLost):
            await house.answer(request)

        assert (len(house.first.calls), house.second.calls) == (1, [])


def replace_policy(policy: Mapping[str, Any], **more: Any) -> RunRequest:
    return msgspec.structs.replace(REQUEST, policy=dict(policy), **more)


async def test_policy_restart_takes_back_what_was_said_where_readers_can_be_told() -> None:
    request = replace_policy({"on_upstream_failure": "restart"}, face="native")
    async with open_house(replace(BROKEN, then="stall"), Script(tokens=("Anew.",))) as house:
        told = await house.answer(request)

        assert asked_of(house.second) == list(REQUEST.messages)
        with pytest.raises(UpstreamStalled, match="cannot be told to forget it"):
            await house.answer(replace_policy({"on_upstream_failure": "restart"}))
    assert told.message.text == "Anew."
    assert [event.part for event in told.events if isinstance(event, PartDiscard)] == ["text-1"]
    assert told.message.parts[0].id == "text-1@2"


async def test_a_request_names_its_own_fallback() -> None:
    request = replace_policy({"fallback": ["second/n"]})
    async with open_house(replace(BROKEN, then="stall"), EXACT, rules={}) as house:
        told = await house.answer(request)

    assert told.message.text == WHOLE


async def test_an_open_call_is_taken_back_and_made_again() -> None:
    request = replace_policy({}, face="native")
    broken = Script(pieces=(*text_frames("Сейчас ", "посмотрю."), call_frames()[0]), then="drop")
    again = Script(pieces=(*call_frames(), CALL_FINISH, b"data: [DONE]\n\n"))
    async with open_house((broken, again)) as house:
        told = await house.answer(request)

        wish = asked_of(house.first, 1)[-2]
    call = told.message.parts[-1]
    assert [event.part for event in told.events if isinstance(event, PartDiscard)] == ["c1"]
    assert (call.id, call.name, json.loads(call.text)) == ("c1@2", "look", {"a": 1})
    assert told.message.text == "Сейчас посмотрю."
    assert wish == {"role": "assistant", "content": "Сейчас посмотрю."}


async def test_an_open_call_ends_the_answer_where_nothing_can_be_taken_back() -> None:
    async with open_house(Script(pieces=tuple(call_frames()[:1]), then="drop"), EXACT) as house:
        with pytest.raises(UpstreamLost, match="cannot be told to forget it"):
            await house.answer()

        assert house.second.calls == []


async def test_thinking_that_broke_off_is_closed_and_the_answer_asked_for_anew() -> None:
    thinking = Script(thinking=("Надо ", "подум"), tokens=(), then="stall")
    again = Script(thinking=("Ещё раз.",), tokens=TOKENS)
    async with open_house(thinking, again) as house:
        told = await house.answer()

        assert asked_of(house.second) == list(REQUEST.messages)
    assert [(part.id, part.state) for part in told.message.parts[:2]] == [
        ("reasoning-1", "cut"),
        ("reasoning-1@2", "done"),
    ]
    assert (told.message.text, told.changes[0][1]) == (WHOLE, "restart")


async def test_who_goes_on_may_think_first() -> None:
    async with open_house(
        replace(BROKEN, then="stall"), Script(thinking=("Что дальше?",), tokens=TOKENS[CUT:])
    ) as house:
        told = await house.answer()

    assert told.message.text == WHOLE
    assert [part.type for part in told.message.parts] == ["text", "reasoning"]


@pytest.mark.parametrize("parameters", [{"response_format": {"type": "json_object"}}, {"n": 2}])
async def test_what_is_worth_nothing_in_parts_starts_anew_or_fails(
    parameters: dict[str, Any],
) -> None:
    broken = replace(BROKEN, then="stall")
    async with open_house(broken, Script(tokens=("{}",))) as house:
        native = replace_policy({}, face="native", parameters=parameters)
        if "n" not in parameters:
            told = await house.answer(native)
            assert told.message.text == "{}"
        with pytest.raises(UpstreamStalled, match="cannot be told"):
            await house.answer(replace_policy({}, parameters=parameters))


async def test_what_all_calls_used_is_added_up() -> None:
    async with open_house(replace(BROKEN, then="stall"), EXACT) as house:
        told = await house.answer()

    usages = [event for event in told.events if isinstance(event, Usage)]
    assert len(usages) == 1
    assert usages[0].completion_tokens == len(TOKENS)
    assert usages[0].extra is not None
    assert usages[0].extra["estimated_tokens"] == CUT


async def test_a_limit_of_tokens_counts_what_was_said() -> None:
    request = replace_policy({}, parameters={"max_tokens": CUT + 2})
    async with open_house(replace(BROKEN, then="stall"), EXACT) as house:
        await house.answer(request)
        full = await house.answer(replace_policy({}, parameters={"max_tokens": CUT}))

        assert house.second.calls[0].body["max_tokens"] == 2
        assert len(house.second.calls) == 1
    assert full.message.text == SAID
    assert full.ending is not None
    assert full.ending.finish_reason == "length"  # type: ignore[union-attr]


async def test_a_cancel_while_the_next_model_is_waited_for_closes_its_call() -> None:
    gate = Gate()
    async with open_house(replace(BROKEN, then="stall"), Script(headers_gate=gate)) as house:
        task = asyncio.create_task(house.answer())
        call = await house.second.until_call(1)

        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await call.closed_by_client.wait()


@pytest.mark.parametrize("cut", range(1, len(TOKENS)))
@pytest.mark.parametrize("continues", ["prompt", "prefill"])
async def test_after_a_crash_the_stored_text_goes_on_at_every_token(
    cut: int, continues: Any
) -> None:
    rules = {"first/m": ModelRules(continues=continues)}
    text = "".join(TOKENS[:cut])
    shown = text.rstrip() if continues == "prefill" else text
    fold = Fold()
    async with open_house(
        (Script(tokens=TOKENS[:cut], then="drop"), Script(tokens=(WHOLE[len(shown) :],))),
        rules=rules,
        budget=Budget(calls_max=1),
    ) as house:
        agent = await house.registry.resolve(REQUEST)
        told = Told()
        with pytest.raises(UpstreamLost):
            await house.answer_into(told)
        for event in told.events:
            fold.feed(event)
        turn = Turn(run=RUN, request=REQUEST, attempt=2, said=fold.message)

        assert await agent.can_continue(turn) == continues
        rest = [event async for events in agent.run(turn) for event in events]
    for event in rest:
        fold.feed(event)
    assert fold.message.text == WHOLE
    assert not any(isinstance(event, SourceChange) for event in rest)


async def test_after_a_crash_a_model_whose_policy_is_fail_does_not_go_on() -> None:
    rules = {"first/m": ModelRules(policy="fail")}
    async with open_house(Script(), rules=rules) as house:
        agent = await house.registry.resolve(REQUEST)

        said = Message(parts=[])
        assert await agent.can_continue(Turn(run=RunId("r"), request=REQUEST, said=said)) is None


async def test_the_last_fault_is_the_answers_fault() -> None:
    async with open_house(Script(status=401, body=b"{}"), Script(status=404, body=b"{}")) as house:
        with pytest.raises(UpstreamRefused) as caught:
            await house.answer()

    assert caught.value.status == 404
