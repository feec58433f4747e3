"""What becomes of an answer whose source broke: who is asked next, and in which way. Pure.

The driver says what happened; `decide` answers with one call to make, or with the end.

Rules, in their order:

0. An answer that lacks nothing but its end gets it, and nobody is asked.
1. Policy `fail`, or a budget that is used up, ends the answer; what was said is kept.
2. As long as nothing was said, the next source is asked anew. The adapter has tried its own one
   several times by then, so the same one is not asked again.
3. Words are continued: exactly by a source that is a pure function and was the only one to speak
   (`replay`), from a begun message where the source takes one (`prefill`), else by asking for the
   rest (`prompt`).
4. Thinking is never continued: it is closed as cut, and the answer asked for anew, or continued
   if it had begun.
5. A call of a tool is never continued: half of its arguments mean nothing. It is taken back and
   the answer goes on from the words before it. The same holds for an answer that is only worth
   something whole (JSON, several choices); of that one, all is taken back.
6. Only a starting face whose readers can be told so lets anything be taken back.
7. A source that broke in its middle is asked once more; one that was silent, or that broke
   without a word, only after all others. One that refused is not asked again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from potok.limits import (
    CONTINUATION_BACKOFF_SECONDS,
    CONTINUATION_BACKOFF_SECONDS_MAX,
    CONTINUATION_CALLS_MAX,
    CONTINUATION_SECONDS_MAX,
)

__all__ = [
    "POLICIES",
    "Ask",
    "Budget",
    "Continues",
    "Fault",
    "Finish",
    "GiveUp",
    "How",
    "Policy",
    "Said",
    "Situation",
    "Source",
    "TakeBack",
    "decide",
]

Policy = Literal["continue", "restart", "fail"]
POLICIES: tuple[Policy, ...] = get_args(Policy)

Continues = Literal["replay", "prefill", "prompt", "no"]
How = Literal["replay", "prefill", "prompt", "restart"]

Fault = Literal["broken", "silent", "busy", "refused", "prefill_refused", "worker_lost"]
"""`broken`: the line or the answer broke, or the provider failed for now. `silent`: its time ran
out. `busy`: no place for the call. `refused`: the same call would be refused again.
`prefill_refused`: it was refused for its begun message. `worker_lost`: the source is not to
blame."""

Said = Literal["nothing", "thinking", "words", "call", "part_of_whole", "all"]
"""The most that readers have seen: a call outweighs words, words outweigh thinking.
`part_of_whole`: words or calls of an answer that is worth nothing in parts. `all`: the answer's
last part was closed by its model, so that only its end is missing."""

TakeBack = Literal["nothing", "calls", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one answer may cost in calls, and how long after its first fault they may begin."""

    calls_max: int = CONTINUATION_CALLS_MAX
    seconds_max: float = CONTINUATION_SECONDS_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What the rules know of one source.

    `spoke_alone` says that all that was said, if anything, is its own. `is_out`: it refused, or
    cannot be found.
    """

    continues: Continues
    calls: int = 0
    is_out: bool = False
    refuses_prefill: bool = False
    spoke_alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What happened. `current` is the source that broke; `gained` whether its call said anything.

    `has_words_before` tells whether words stand before the calls, where `said` is `call`.
    `calls` and `seconds` are what the budget bounds.
    """

    policy: Policy
    budget: Budget
    fault: Fault
    said: Said
    sources: Sequence[Source]
    current: int = 0
    gained: bool = False
    has_words_before: bool = False
    calls: int = 1
    seconds: float = 0.0
    can_retract: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Call `sources[source]` after `wait_seconds`, once `take_back` is done."""

    source: int
    how: How
    take_back: TakeBack = "nothing"
    wait_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The answer ends as failed. `why` is a sentence for people, empty if the fault says it all."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class Finish:
    """The answer is whole; only its end has to be told."""


def decide(situation: Situation) -> Ask | GiveUp | Finish:
    """Return the next step."""
    if situation.said == "all":
        return Finish()
    over = _budget_left(situation)
    if over is not None:
        return over
    if situation.said not in ("nothing", "thinking"):
        refused = _refused_by_policy(situation)
        if refused is not None:
            return refused
    for place in _order(situation):
        step = _way(situation, place)
        if step is not None:
            return step
    return GiveUp(_no_one(situation))


def _budget_left(situation: Situation) -> GiveUp | None:
    budget, calls = situation.budget, situation.calls
    if situation.policy == "fail":
        return GiveUp()
    if situation.fault == "worker_lost":
        # How often a run may lose its worker is bounded elsewhere.
        return None
    if calls >= budget.calls_max:
        told = f"{calls} calls were made for this answer, which is the limit." if calls > 1 else ""
        return GiveUp(told)
    if situation.seconds >= budget.seconds_max:
        return GiveUp("The time to go on with this answer is over.")
    return None


def _refused_by_policy(situation: Situation) -> GiveUp | None:
    if situation.can_retract:
        return None
    if situation.policy == "restart":
        return GiveUp("It may only start anew, and its readers cannot be told to forget it.")
    if situation.said in ("call", "part_of_whole"):
        return GiveUp(
            "It broke where nobody can go on, and its readers cannot be told to forget it."
        )
    return None


def _order(situation: Situation) -> list[int]:
    """Return which sources may be asked, the best first."""
    count, current = len(situation.sources), situation.current
    after = [(current + step) % count for step in range(1, count)]
    fault = situation.fault
    if fault in ("worker_lost", "prefill_refused"):
        order = [current, *after]
    elif situation.said == "nothing":
        order = list(range(current + 1, count))
    elif fault == "broken" and situation.gained:
        order = [current, *after]
    else:
        order = [*after, current]
    return [place for place in order if not situation.sources[place].is_out]


def _way(situation: Situation, place: int) -> Ask | None:
    """Return how one source would be asked; None if it cannot help."""
    source, said = situation.sources[place], situation.said
    how: How | None = "restart"
    take_back: TakeBack = "nothing"
    if said == "part_of_whole" or (situation.policy == "restart" and said in ("words", "call")):
        take_back = "all"
    elif said == "words":
        how = _continuing(source)
    elif said == "call":
        take_back = "calls"
        if situation.has_words_before:
            how = _continuing(source, replays=False)
    elif source.continues == "replay" and source.spoke_alone:
        how = "replay"
    if how is None:
        return None
    wait = _wait_seconds(situation, place)
    return Ask(source=place, how=how, take_back=take_back, wait_seconds=wait)


def _continuing(source: Source, *, replays: bool = True) -> How | None:
    if source.continues == "replay":
        return "replay" if source.spoke_alone and replays else None
    if source.continues == "prefill" and not source.refuses_prefill:
        return "prefill"
    return None if source.continues == "no" else "prompt"


def _wait_seconds(situation: Situation, place: int) -> float:
    source, is_current = situation.sources[place], place == situation.current
    is_well = situation.fault in ("worker_lost", "prefill_refused")
    if not source.calls or (is_current and (situation.gained or is_well)):
        return 0.0
    wait = CONTINUATION_BACKOFF_SECONDS * 2.0 ** min(max(situation.calls - 2, 0), 30)
    return min(wait, CONTINUATION_BACKOFF_SECONDS_MAX)


def _no_one(situation: Situation) -> str:
    if situation.said in ("nothing", "thinking") or len(situation.sources) == 1:
        return ""
    return "No other model can go on with it."
