"""Runs of the house that are started natively are read as its routes read theirs."""

from typing import Any

import pytest

from potok.errors import RequestInvalid
from potok.events.run_request import RunRequest
from potok_apps.jewelry.consultation import consultation_input
from potok_apps.jewelry.orchestrator import orchestrator_input

HISTORY = [{"role": "user", "content": "Ищу кольцо"}]
ASKED: dict[str, Any] = {"user_id": "7", "message": "А подешевле?"}


def test_the_names_of_the_routes_body_are_taken() -> None:
    body = {**ASKED, "conversation_history": HISTORY, "explicit_task_type": "trend"}

    given = orchestrator_input(RunRequest(agent="x", input=body))

    assert (given["history"], given["task"]) == (HISTORY, "trend")
    assert consultation_input(RunRequest(agent="x", input=body))["history"] == HISTORY


def test_the_names_of_a_stored_input_are_taken() -> None:
    stored = {**ASKED, "history": HISTORY, "task": "trend", "model": None}

    assert orchestrator_input(RunRequest(agent="x", input=stored)) == stored


def test_a_wrong_task_is_refused_under_either_name() -> None:
    for name in ("task", "explicit_task_type"):
        with pytest.raises(RequestInvalid, match="explicit_task_type"):
            orchestrator_input(RunRequest(agent="x", input={**ASKED, name: "cook"}))
