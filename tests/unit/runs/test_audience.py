"""Who reads a run, and what becomes of one that nobody reads."""

import asyncio

import pytest

from potok.clock import RunId
from potok.runs.audience import Audience

RUN = RunId("run-0000000000000001")


@pytest.fixture
async def abandoned() -> list[RunId]:
    return []


@pytest.fixture
async def audience(abandoned: list[RunId]) -> Audience:
    return Audience(grace_seconds=0.0, abandon=abandoned.append)


async def grace_passes() -> None:
    """Let timers that are due fire: two turns of the loop do."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_run_that_never_had_a_reader_is_abandoned_once(
    audience: Audience, abandoned: list[RunId]
) -> None:
    audience.open(RUN, "cancel")

    await grace_passes()

    assert abandoned == [RUN]


async def test_a_run_whose_last_reader_left_is_abandoned(
    audience: Audience, abandoned: list[RunId]
) -> None:
    audience.open(RUN, "cancel")
    audience.enter(RUN)
    audience.enter(RUN)
    audience.leave(RUN)
    await grace_passes()
    assert abandoned == []

    audience.leave(RUN)
    await grace_passes()

    assert abandoned == [RUN]


async def test_a_reader_within_the_grace_saves_the_run(
    audience: Audience, abandoned: list[RunId]
) -> None:
    audience.open(RUN, "cancel")
    audience.enter(RUN)
    audience.leave(RUN)

    audience.enter(RUN)
    await grace_passes()

    assert abandoned == []
    assert audience.readers_of(RUN) == 1


async def test_a_run_to_keep_is_never_abandoned_and_its_id_is_logged(
    audience: Audience, abandoned: list[RunId], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "potok.runs")
    audience.open(RUN, "keep")
    audience.enter(RUN)

    audience.leave(RUN)
    await grace_passes()

    assert abandoned == []
    assert f"potok cancel {RUN}" in caplog.text


async def test_a_reader_that_came_back_makes_the_run_kept(
    audience: Audience, abandoned: list[RunId]
) -> None:
    audience.open(RUN, "cancel")
    audience.keep(RUN)
    audience.enter(RUN)

    audience.leave(RUN)
    await grace_passes()

    assert abandoned == []


async def test_an_ended_run_is_forgotten(audience: Audience, abandoned: list[RunId]) -> None:
    audience.open(RUN, "cancel")

    audience.close(RUN)
    await grace_passes()

    assert abandoned == []


async def test_shutting_down_abandons_nothing(audience: Audience, abandoned: list[RunId]) -> None:
    audience.open(RUN, "cancel")

    audience.shut()
    await grace_passes()

    assert abandoned == []
