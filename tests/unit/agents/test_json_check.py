import threading
from collections.abc import Iterator

import pytest

from potok.agents import json_check
from potok.agents.json_check import find_json
from potok.events.json_schema import JsonWish
from potok.limits import JSON_CHECKS_STUCK_MAX

OBJECT = JsonWish()


class Waiting(JsonWish, frozen=True):
    """A wish whose check goes on until the test lets it end."""

    gate: threading.Event = threading.Event()

    def find(self, text: str) -> str:
        self.gate.wait()
        return text


class Broken(JsonWish, frozen=True):
    """A wish whose check has a bug."""

    def find(self, text: str) -> str:
        raise ZeroDivisionError


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    monkeypatch.setattr(json_check, "JSON_CHECK_SECONDS_MAX", 0.01)
    opened = threading.Event()
    yield opened
    opened.set()
    for thread in json_check._stuck:
        thread.join()


async def test_the_json_in_a_text_comes_with_its_faults() -> None:
    assert await find_json(OBJECT, 'Sure: {"a": 1}') == ('{"a": 1}', ())
    assert await find_json(OBJECT, "[1]") == ("[1]", ("The JSON is not an object.",))


async def test_a_check_that_does_not_end_is_given_up(gate: threading.Event) -> None:
    _, faults = await find_json(Waiting(gate=gate), "{}")

    assert faults == ("The check against its schema takes too long.",)


async def test_only_few_checks_may_be_stuck_and_more_are_made_when_they_end(
    gate: threading.Event,
) -> None:
    for _ in range(JSON_CHECKS_STUCK_MAX):
        await find_json(Waiting(gate=gate), "{}")

    refused = await find_json(OBJECT, "{}")
    gate.set()
    for thread in list(json_check._stuck):
        thread.join()

    assert refused == ("{}", ("Checks of other answers do not come to an end.",))
    assert await find_json(OBJECT, "{}") == ("{}", ())


async def test_a_check_that_breaks_is_a_fault_of_the_answer() -> None:
    assert await find_json(Broken(), "{}") == ("{}", ("It cannot be checked (ZeroDivisionError).",))
