from tests.unit.cli.command import run
from tests.unit.cli.fake_server import RUN, Script, deltas, playing


def test_a_run_is_stopped_and_its_state_printed() -> None:
    script = Script(events=deltas("Hello"), waits_after=3)
    with playing(script) as url:
        ended = run("cancel", RUN, "--url", url)

    assert (ended.code, ended.out) == (0, f"{RUN} cancelled, 5 characters kept\n")
    assert script.cancelled.is_set()


def test_a_finished_run_stays_finished() -> None:
    with playing(Script()) as url:
        ended = run("cancel", RUN, "--url", url)

    assert (ended.code, ended.out) == (0, f"{RUN} finished, 11 characters kept\n")


def test_a_run_that_does_not_end_in_time_is_a_failure() -> None:
    with playing(Script(status="running")) as url:
        ended = run("cancel", RUN, "--url", url)

    assert ended.code == 1
    assert "still running" in ended.err


def test_an_unknown_run_is_a_failure() -> None:
    with playing(Script()) as url:
        ended = run("cancel", "nope0000000000000000", "--url", url)

    assert (ended.code, ended.err) == (1, "potok: There is no run.\n")
