"""What will happen, and when: all of it drawn from one seed, before anything starts."""

import math
import random
from dataclasses import dataclass
from typing import Literal, get_args

from tests.integration.chaos.story import Story

__all__ = [
    "KILLS_AND_CUTS",
    "Backend",
    "Face",
    "Fault",
    "FaultKind",
    "PlannedReader",
    "PlannedStream",
    "plan_faults",
    "plan_streams",
]

Backend = Literal["sqlite", "redis"]
Face = Literal["sse", "ndjson", "socket", "simple", "completions", "responses"]
FACES: tuple[Face, ...] = get_args(Face)
STARTING_FACES: tuple[Face, ...] = ("sse", "simple", "completions", "responses")

FaultKind = Literal[
    "worker killed",
    "worker restarted",
    "worker frozen",
    "readers cut",
    "upstream cut",
    "upstream ended early",
    "upstream silent",
    "upstream malformed",
    "upstream error",
    "upstream status",
    "redis killed",
    "redis link cut",
    "worker cut off",
    "worker silenced",
]
KILLS_AND_CUTS: frozenset[FaultKind] = frozenset(
    {
        "worker killed",
        "worker restarted",
        "worker frozen",
        "readers cut",
        "upstream cut",
        "redis killed",
        "redis link cut",
        "worker cut off",
        "worker silenced",
    }
)
"""What counts towards the number of faults that was asked for; the others come on top."""

# A run may be taken over twice before it counts as one that kills its workers, so that what costs
# a run its worker stands first in each group, and only there. Groups come one after the other.
_GROUPS: dict[Backend, tuple[tuple[FaultKind, ...], ...]] = {
    "sqlite": (
        ("worker killed", "readers cut", "upstream cut", "readers cut", "upstream silent"),
        ("worker restarted", "upstream cut", "readers cut", "upstream cut", "upstream malformed"),
        ("worker killed", "readers cut", "upstream cut", "readers cut", "upstream status"),
        ("worker killed", "upstream cut", "readers cut", "upstream cut", "upstream error"),
        ("worker frozen", "readers cut", "upstream cut", "readers cut", "upstream ended early"),
    ),
    "redis": (
        ("worker killed", "readers cut", "redis killed", "upstream cut", "upstream silent"),
        ("worker frozen", "upstream cut", "readers cut", "redis killed", "upstream malformed"),
        ("worker restarted", "readers cut", "redis link cut", "upstream cut", "upstream status"),
        ("worker killed", "redis killed", "upstream cut", "readers cut", "upstream error"),
        ("worker cut off", "upstream cut", "readers cut", "redis killed", "upstream ended early"),
        ("worker killed", "redis link cut", "upstream cut", "readers cut", "upstream silent"),
        ("worker silenced", "readers cut", "redis link cut", "upstream cut", "upstream status"),
    ),
}
# Faults that find too few live runs are not counted; so many more are planned.
_SPARE_SHARE = 1.1
# Time at a plan's start in which streams begin undisturbed, as a share of it.
_CALM_SHARE = 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault. `dice` seeds what it chooses among what is there when it comes."""

    at_seconds: float
    kind: FaultKind
    dice: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedReader:
    """One reader. It comes once `at_share` of the answer's time has passed.

    `replays`: it comes back with its Idempotency-Key alone and reads from the start again.
    """

    face: Face
    at_share: float
    replays: bool
    dice: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStream:
    """One stream: what it asks for, who starts and reads it, whether it is stopped.

    Attributes:
        model: What is asked for. `cannot` cannot go on with a broken answer.
        readers: The first one starts the run.
        starts: How many starts are sent at once, to different workers, with one key.
        cancel_share: The share of the answer's time after which it is stopped, or None.
        cancels: How often that is asked for.
    """

    story: Story
    model: str
    at_seconds: float
    readers: tuple[PlannedReader, ...]
    starts: int
    cancel_share: float | None
    cancels: int
    dice: int

    @property
    def number(self) -> int:
        """The stream's number."""
        return self.story.number

    @property
    def can_continue(self) -> bool:
        """Whether its upstream can go on with an answer that broke."""
        return self.model != "cannot"

    @property
    def seconds(self) -> float:
        """About how long the answer takes when nothing happens; pieces have five characters."""
        return len(self.story.text) / 5 / self.story.pieces_per_second


_MODELS = (
    *(("begun", 30), ("words", 26), ("refuses", 12), ("leaves", 12), ("thinks", 10)),
    *(("demo", 5), ("cannot", 3)),
)


def plan_streams(
    *, streams: int, seconds: float, run_seconds: float, seed: int
) -> list[PlannedStream]:
    """Return streams that begin evenly spread over the time, each some `run_seconds` long."""
    dice = random.Random(f"streams {seed}")
    every = max(seconds - run_seconds, 1.0) / streams
    return [
        _plan_stream(number, number * every + dice.random() * every, run_seconds, dice)
        for number in range(streams)
    ]


def _plan_stream(
    number: int, at_seconds: float, run_seconds: float, dice: random.Random
) -> PlannedStream:
    pace = dice.choice((8, 12, 20))
    story = Story(
        number=number,
        # A word and the gap behind it have some seven characters, a piece five.
        words=round(run_seconds * dice.uniform(0.7, 1.2) * pace * 5 / 7),
        pieces_per_second=pace,
        first_piece_ms=dice.choice((0, 0, 200, 1500)),
    )
    names, weights = zip(*_MODELS, strict=True)
    [model] = dice.choices(names, weights)
    starter = dice.choice(STARTING_FACES)
    readers = [_plan_reader(starter, starter, 0.0, dice)]
    for _ in range(dice.choice((2, 3, 3, 4))):
        # Early, in the middle, about the end, and after it.
        at_share = dice.choice((0.0, dice.random(), dice.uniform(0.9, 1.3)))
        readers.append(_plan_reader(starter, _further_face(starter, dice), at_share, dice))
    return PlannedStream(
        story=story,
        model=model,
        at_seconds=at_seconds,
        readers=tuple(readers),
        starts=2 if dice.random() < 0.15 else 1,
        cancel_share=dice.choice((0.0, dice.random(), dice.random()))
        if dice.random() < 0.07
        else None,
        cancels=dice.choice((1, 1, 2)),
        dice=dice.getrandbits(32),
    )


def _further_face(starter: Face, dice: random.Random) -> Face:
    # A response is only one if it was started as one.
    return dice.choice([face for face in FACES if face != "responses" or starter == "responses"])


def _plan_reader(starter: Face, face: Face, at_share: float, dice: random.Random) -> PlannedReader:
    # A response is asked for in words of its own, so that other faces do not find it by its key.
    has_same_words = face in ("simple", "completions") and starter != "responses"
    return PlannedReader(
        face=face,
        at_share=at_share,
        replays=has_same_words and dice.random() < 0.3,
        dice=dice.getrandbits(32),
    )


def plan_faults(*, backend: Backend, faults: int, seconds: float, seed: int) -> list[Fault]:
    """Return faults spread over the time: `faults` kills and cuts, and the others with them."""
    dice = random.Random(f"faults {seed} {backend}")
    kinds: list[FaultKind] = []
    wanted = math.ceil(faults * _SPARE_SHARE)
    groups = _GROUPS[backend]
    while sum(kind in KILLS_AND_CUTS for kind in kinds) < wanted:
        first, *others = groups[len(kinds) // 5 % len(groups)]
        dice.shuffle(others)
        kinds += [first, *others]
    calm = seconds * _CALM_SHARE
    every = (seconds - calm) / max(len(kinds), 1)
    return [
        Fault(
            at_seconds=calm + place * every + dice.uniform(0, every / 4),
            kind=kind,
            dice=dice.getrandbits(32),
        )
        for place, kind in enumerate(kinds)
    ]
