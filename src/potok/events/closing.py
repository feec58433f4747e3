"""The events that make an interrupted run whole: every open part, call and stage gets its end."""

from typing import Literal

from potok.events.grammar import GrammarChecker
from potok.events.kinds import Event, ReasoningEnd, StageEnd, TextEnd, ToolEnd

__all__ = ["closing_events"]

Outcome = Literal["finished", "cancelled", "failed"]


def closing_events(checker: GrammarChecker, *, outcome: Outcome) -> list[Event]:
    """Return the ends that must precede `run-end`, newest part first.

    Parts of a run that did not finish are marked `cut`: a call's arguments may be half a JSON.
    """
    cut = outcome != "finished"
    ends: list[Event] = []
    for thing, name in reversed(checker.open_parts):
        if thing == "text":
            ends.append(TextEnd(part=name, cut=cut))
        elif thing == "reasoning":
            ends.append(ReasoningEnd(part=name, cut=cut))
        else:
            ends.append(ToolEnd(call=name, cut=cut))
    ends.extend(
        StageEnd(stage=start.stage, outcome=outcome, attempt=start.attempt, agent=start.agent)
        for start in reversed(checker.open_attempts)
    )
    return ends
