"""Children that die are started again, later each time, and not for ever."""

from potok.limits import GGUF_DEATHS_MAX, GGUF_RESPAWN_SECONDS, GGUF_REST_SECONDS
from potok.models.gguf.mortality import Mortality


def test_the_first_death_costs_no_wait() -> None:
    deaths = Mortality()

    deaths.note_death(100.0)

    assert deaths.wait_seconds(100.0) == 0.0


def test_each_further_death_doubles_the_wait() -> None:
    deaths = Mortality()
    waits = []

    for _ in range(GGUF_DEATHS_MAX - 1):
        deaths.note_death(100.0)
        waits.append(deaths.wait_seconds(100.0))

    assert waits == [0.0, GGUF_RESPAWN_SECONDS, 2 * GGUF_RESPAWN_SECONDS]


def test_time_that_has_passed_is_no_wait_any_more() -> None:
    deaths = Mortality()
    deaths.note_death(100.0)
    deaths.note_death(100.0)

    assert deaths.wait_seconds(100.0 + GGUF_RESPAWN_SECONDS / 2) == GGUF_RESPAWN_SECONDS / 2
    assert deaths.wait_seconds(200.0) == 0.0


def test_after_too_many_deaths_it_rests_and_gets_one_more_chance() -> None:
    deaths = Mortality()
    for _ in range(GGUF_DEATHS_MAX):
        deaths.note_death(100.0)

    assert deaths.rest_seconds(110.0) == GGUF_REST_SECONDS - 10
    assert deaths.rest_seconds(100.0 + GGUF_REST_SECONDS) == 0.0
    deaths.note_death(200.0)
    assert deaths.rest_seconds(200.0) == GGUF_REST_SECONDS


def test_a_whole_answer_wipes_the_count_out() -> None:
    deaths = Mortality()
    for _ in range(GGUF_DEATHS_MAX):
        deaths.note_death(100.0)

    deaths.note_success()

    assert deaths.rest_seconds(100.0) == 0.0
    assert deaths.wait_seconds(100.0) == 0.0
