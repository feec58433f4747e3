"""What becomes of a run that lost its writer."""

from typing import Any

import pytest

from potok.protocol.run_lifecycle import Continue, End, decide_recovery

HEALTHY: dict[str, Any] = {
    "cancel_requested": False,
    "silent_seconds": 3.0,
    "silent_seconds_max": 600.0,
    "attempts": 1,
    "attempts_max": 3,
    "can_continue": True,
}


def test_a_young_run_that_can_go_on_goes_on() -> None:
    assert decide_recovery(**HEALTHY) == Continue()


@pytest.mark.parametrize(
    ("fact", "says"),
    [
        ({"can_continue": False}, "stopped while this answer"),
        ({"silent_seconds": 601.0}, "down for too long"),
        ({"attempts": 3}, "stopped 3 times"),
    ],
)
def test_any_other_run_ends_failed_with_a_sentence_for_people(
    fact: dict[str, Any], says: str
) -> None:
    decision = decide_recovery(**{**HEALTHY, **fact})

    assert isinstance(decision, End)
    assert (decision.outcome, decision.code) == ("failed", "worker_lost")
    assert says in decision.message


def test_a_cancel_asked_for_before_the_crash_is_done() -> None:
    decision = decide_recovery(**{**HEALTHY, "cancel_requested": True, "attempts": 3})

    assert isinstance(decision, End)
    assert decision.outcome == "cancelled"
