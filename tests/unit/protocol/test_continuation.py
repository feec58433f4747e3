from dataclasses import replace
from itertools import product

import pytest

from potok.protocol.continuation import (
    POLICIES,
    Ask,
    Budget,
    Continues,
    Fault,
    Finish,
    GiveUp,
    How,
    Policy,
    Said,
    Situation,
    Source,
    TakeBack,
    decide,
)

PROMPT = Source(continues="prompt")
PREFILL = Source(continues="prefill")
REPLAY = Source(continues="replay", spoke_alone=True)
MUTE = Source(continues="no")
BEGUN = Situation(
    policy="continue",
    budget=Budget(calls_max=5, seconds_max=60),
    fault="broken",
    said="words",
    sources=(replace(PROMPT, calls=1), replace(PREFILL)),
    gained=True,
)


def step(situation: Situation = BEGUN, **more: object) -> Ask | Finish | GiveUp:
    return decide(replace(situation, **more))  # type: ignore[arg-type]


def test_a_source_that_broke_in_its_middle_is_asked_once_more_at_once() -> None:
    assert step() == Ask(source=0, how="prompt")


@pytest.mark.parametrize("fault", ["silent", "busy", "refused"])
def test_after_other_faults_the_next_source_goes_on(fault: Fault) -> None:
    assert step(fault=fault) == Ask(source=1, how="prefill")


def test_a_source_that_broke_without_a_word_comes_after_all_others() -> None:
    assert step(gained=False) == Ask(source=1, how="prefill")


def test_the_last_source_is_asked_again_after_a_wait() -> None:
    alone = (replace(PROMPT, calls=2),)

    assert step(sources=alone, gained=False, calls=2) == Ask(
        source=0, how="prompt", wait_seconds=1.0
    )
    assert step(sources=alone, gained=False, calls=4) == Ask(
        source=0, how="prompt", wait_seconds=4.0
    )


def test_a_source_that_refused_is_not_asked_again() -> None:
    out = replace(PROMPT, calls=1, is_out=True)

    assert step(sources=(out, PREFILL)) == Ask(source=1, how="prefill")
    assert isinstance(step(sources=(out,)), GiveUp)


@pytest.mark.parametrize(
    ("source", "how"),
    [
        (PROMPT, "prompt"),
        (PREFILL, "prefill"),
        (replace(PREFILL, refuses_prefill=True), "prompt"),
        (REPLAY, "replay"),
        (replace(REPLAY, spoke_alone=False), None),
        (MUTE, None),
    ],
)
def test_how_words_go_on_depends_on_the_source(source: Source, how: How | None) -> None:
    decided = step(sources=(source,))

    assert (decided.how if isinstance(decided, Ask) else None) == how


def test_a_source_that_cannot_go_on_is_passed_over() -> None:
    assert step(sources=(MUTE, replace(REPLAY, spoke_alone=False), PROMPT)) == Ask(
        source=2, how="prompt"
    )


def test_a_refused_beginning_is_asked_for_in_words_of_the_same_source() -> None:
    sources = (replace(PREFILL, calls=1, refuses_prefill=True), PROMPT)

    assert step(sources=sources, fault="prefill_refused", gained=False) == Ask(
        source=0, how="prompt"
    )


def test_before_the_first_token_the_next_source_is_asked_anew_and_nobody_twice() -> None:
    assert step(said="nothing", gained=False) == Ask(source=1, how="restart")
    assert step(said="nothing", gained=False, current=1) == GiveUp()


def test_thinking_is_not_continued_and_not_taken_back() -> None:
    assert step(said="thinking") == Ask(source=0, how="restart")
    assert step(said="thinking", policy="restart") == Ask(source=0, how="restart")
    assert step(said="thinking", sources=(REPLAY,)) == Ask(source=0, how="replay")


@pytest.mark.parametrize(
    ("said", "has_words", "policy", "how", "take_back"),
    [
        ("call", False, "continue", "restart", "calls"),
        ("call", True, "continue", "prompt", "calls"),
        ("call", True, "restart", "restart", "all"),
        ("words", True, "restart", "restart", "all"),
        ("part_of_whole", True, "continue", "restart", "all"),
        ("part_of_whole", True, "restart", "restart", "all"),
    ],
)
def test_what_cannot_go_on_is_taken_back_where_readers_can_be_told_so(
    said: Said, has_words: bool, policy: Policy, how: How, take_back: TakeBack
) -> None:
    situation = replace(BEGUN, said=said, has_words_before=has_words, policy=policy)

    assert step(situation, can_retract=True) == Ask(source=0, how=how, take_back=take_back)
    refused = step(situation, can_retract=False)
    assert isinstance(refused, GiveUp)
    assert "cannot be told to forget it" in refused.why


def test_a_call_after_words_is_not_replayed_in_its_middle() -> None:
    said = replace(BEGUN, said="call", has_words_before=True, can_retract=True)

    assert step(said, sources=(REPLAY, PROMPT)) == Ask(source=1, how="prompt", take_back="calls")


def test_a_budget_ends_it() -> None:
    calls, seconds = step(calls=5), step(seconds=60.0)

    assert isinstance(calls, GiveUp)
    assert calls.why.startswith("5 calls")
    assert isinstance(seconds, GiveUp)
    assert "time" in seconds.why
    assert step(calls=1, budget=Budget(calls_max=1)) == GiveUp()


def test_after_a_crash_the_same_source_goes_on_whatever_the_calls_have_cost() -> None:
    assert step(fault="worker_lost", calls=7) == Ask(source=0, how="prompt")
    assert step(fault="worker_lost", said="nothing") == Ask(source=0, how="restart")
    assert step(fault="worker_lost", sources=(REPLAY,)) == Ask(source=0, how="replay")


def test_an_answer_that_lacks_only_its_end_gets_it_under_every_policy() -> None:
    assert {type(step(said="all", policy=policy, calls=9)) for policy in POLICIES} == {Finish}


def test_policy_fail_gives_up_whatever_happened() -> None:
    faults: tuple[Fault, ...] = ("broken", "silent", "busy", "refused", "worker_lost")

    assert {step(policy="fail", fault=fault) for fault in faults} == {GiveUp()}


def test_nothing_is_ever_taken_back_or_called_where_it_may_not_be() -> None:
    said: tuple[Said, ...] = ("nothing", "thinking", "words", "call", "part_of_whole", "all")
    faults: tuple[Fault, ...] = ("broken", "silent", "busy", "refused", "prefill_refused")
    ways: tuple[Continues, ...] = ("replay", "prefill", "prompt", "no")
    for what, fault, policy, way, out, can_retract, gained in product(
        said, faults, POLICIES, ways, (False, True), (False, True), (False, True)
    ):
        sources = (Source(continues=way, calls=1, is_out=out), Source(continues="no"))
        decided = step(
            said=what,
            fault=fault,
            policy=policy,
            sources=sources,
            can_retract=can_retract,
            gained=gained,
            has_words_before=what == "call",
        )
        if isinstance(decided, Ask):
            assert not sources[decided.source].is_out
            assert can_retract or decided.take_back == "nothing"
            assert policy != "fail"
            assert what not in ("call", "part_of_whole") or decided.take_back != "nothing"
            assert what != "words" or decided.how != "restart" or decided.take_back == "all"
