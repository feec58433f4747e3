"""Which event may come when: the rules as one table, and the checker that walks it.

A rule names the field that tells which thing an event is about, the state that thing must be in,
and the state it is in afterwards. The checker holds one state per thing and knows nothing else.
"""

from enum import Enum
from typing import NamedTuple

from potok.errors import GrammarViolation
from potok.events.kinds import Event, PartDiscard, StageStart, Unknown, kind_of

__all__ = ["RULES", "GrammarChecker", "Rule", "State"]


class State(Enum):
    """What a run, a part, a call or a stage can be in."""

    UNSEEN = "unseen"
    OPEN = "open"
    ENDED = "ended"
    GONE = "gone"


class Rule(NamedTuple):
    """One row: the thing `thing` named by `field` goes from one of `before` to `after`."""

    thing: str
    field: str | None
    before: tuple[State, ...]
    after: State | None


_UNSEEN, _OPEN, _ENDED, _GONE = State.UNSEEN, State.OPEN, State.ENDED, State.GONE

RULES: dict[str, Rule] = {
    "run-start": Rule("run", None, (_UNSEEN,), _OPEN),
    "run-end": Rule("run", None, (_OPEN,), _ENDED),
    "text-start": Rule("text", "part", (_UNSEEN,), _OPEN),
    "text-delta": Rule("text", "part", (_OPEN,), _OPEN),
    "text-end": Rule("text", "part", (_OPEN,), _ENDED),
    "reasoning-start": Rule("reasoning", "part", (_UNSEEN,), _OPEN),
    "reasoning-delta": Rule("reasoning", "part", (_OPEN,), _OPEN),
    "reasoning-end": Rule("reasoning", "part", (_OPEN,), _ENDED),
    "tool-start": Rule("tool", "call", (_UNSEEN,), _OPEN),
    "tool-delta": Rule("tool", "call", (_OPEN,), _OPEN),
    "tool-end": Rule("tool", "call", (_OPEN,), _ENDED),
    "tool-result": Rule("tool", "call", (_ENDED,), _ENDED),
    # A stage may begin again with its next attempt.
    "stage-start": Rule("stage", "stage", (_UNSEEN, _ENDED), _OPEN),
    "stage-end": Rule("stage", "stage", (_OPEN,), _ENDED),
    "part-discard": Rule("part", "part", (_OPEN, _ENDED), None),
    "status": Rule("run", None, (_OPEN,), _OPEN),
    "data": Rule("run", None, (_OPEN,), _OPEN),
    "usage": Rule("run", None, (_OPEN,), _OPEN),
    "source-change": Rule("run", None, (_OPEN,), _OPEN),
}
"""Kinds that are not in the table (of a later version) are allowed while the run is open."""


class GrammarChecker:
    """Walks the table over one run's events, in order, from its first one."""

    __slots__ = ("_open_attempts", "_parts", "_stages", "run")

    def __init__(self) -> None:
        self.run = State.UNSEEN
        # Parts and calls share one space of names, so that `part-discard` can name either.
        self._parts: dict[str, tuple[str, State]] = {}
        self._stages: dict[str, State] = {}
        self._open_attempts: dict[str, StageStart] = {}

    @property
    def open_parts(self) -> tuple[tuple[str, str], ...]:
        """Open parts and calls, oldest first, as (`text | reasoning | tool`, name)."""
        return tuple(
            (thing, name) for name, (thing, state) in self._parts.items() if state is State.OPEN
        )

    @property
    def open_stages(self) -> tuple[str, ...]:
        """Open stages, oldest first."""
        return tuple(self._open_attempts)

    @property
    def open_attempts(self) -> tuple[StageStart, ...]:
        """The starts of the open stages, oldest first: what their ends must repeat."""
        return tuple(self._open_attempts.values())

    def admit(self, event: Event) -> None:
        """Take the next event.

        Raises:
            GrammarViolation: the event may not come here; the checker is as it was before.
        """
        kind = kind_of(event)
        rule = RULES.get(kind)
        if kind != "run-start" and self.run is not State.OPEN:
            raise GrammarViolation(f"{kind} may not come while the run is {self.run.value}")
        if rule is None:
            return
        if isinstance(event, Unknown):
            raise GrammarViolation(f"{kind} is a known kind, but its fields were not read as such")
        if rule.thing == "run":
            self._admit_run(kind, rule)
        elif rule.thing == "stage":
            self._admit_stage(kind, rule, event)
        elif type(event) is PartDiscard:
            self._admit_discard(event)
        else:
            self._admit_part(kind, rule, getattr(event, rule.field or ""))

    def _admit_run(self, kind: str, rule: Rule) -> None:
        if self.run not in rule.before:
            raise GrammarViolation(f"{kind} may not come while the run is {self.run.value}")
        if kind == "run-end" and (self.open_parts or self.open_stages):
            still = [name for _, name in self.open_parts] + list(self.open_stages)
            raise GrammarViolation(f"run-end may not come while these are open: {still}")
        self.run = rule.after or self.run

    def _admit_part(self, kind: str, rule: Rule, name: str) -> None:
        thing, state = self._parts.get(name, (rule.thing, State.UNSEEN))
        if thing != rule.thing or state not in rule.before:
            raise GrammarViolation(f"{kind} of {name!r} may not come: it is {thing} {state.value}")
        if state is not rule.after:
            self._parts[name] = (thing, rule.after or state)

    def _admit_stage(self, kind: str, rule: Rule, event: Event) -> None:
        name: str = getattr(event, rule.field or "")
        state = self._stages.get(name, State.UNSEEN)
        if state not in rule.before:
            raise GrammarViolation(f"{kind} of {name!r} may not come: it is {state.value}")
        self._stages[name] = rule.after or state
        if isinstance(event, StageStart):
            self._open_attempts[name] = event
        else:
            del self._open_attempts[name]

    def _admit_discard(self, event: PartDiscard) -> None:
        thing, state = self._parts.get(event.part, ("part", State.UNSEEN))
        if state not in RULES["part-discard"].before:
            raise GrammarViolation(f"part-discard of {event.part!r} may not come: {state.value}")
        if event.keep < 0:
            raise GrammarViolation(f"part-discard of {event.part!r} keeps {event.keep} characters")
        if event.keep == 0:
            self._parts[event.part] = (thing, State.GONE)
