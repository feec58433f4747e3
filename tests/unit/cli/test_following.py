import pytest

from potok import limits
from potok.cli.client import Server
from potok.cli.following import follow
from potok.errors import ServerRefused, ServerUnreachable
from potok.testing.fakes import CountingIds
from tests.unit.cli.fake_server import RUN, Script, playing


class Ear:
    """Hears sentences, and waits no time."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self.pauses: list[float] = []

    def offsets_of(self, url: str, *, after: str = "0") -> list[str]:
        return [
            line.offset
            for line in follow(
                Server(url),
                RUN,
                after=after,
                ids=CountingIds(),
                say=self.sentences.append,
                pause=self.pauses.append,
            )
        ]


EVERYTHING = ["1", "2", "3", "4", "5", "6"]


@pytest.mark.parametrize("cut", range(6))
def test_a_cut_anywhere_loses_nothing_and_doubles_nothing(cut: int) -> None:
    script, ear = Script(cuts=[cut]), Ear()
    with playing(script) as url:
        offsets = ear.offsets_of(url)

    assert offsets == EVERYTHING
    assert ("GET", f"/api/runs/{RUN}/events?after={cut}") in script.requests


def test_two_cuts_in_one_answer_are_both_told() -> None:
    ear = Ear()
    with playing(Script(cuts=[2, 2])) as url:
        offsets = ear.offsets_of(url)

    assert offsets == EVERYTHING
    lost, back = "The connection was lost; trying to get it back.", "The connection is back."
    assert ear.sentences == [lost, back, lost, back]


def test_a_server_that_drains_is_asked_again() -> None:
    ear = Ear()
    script = Script(refusals=[(503, "server_draining", "Shutting down.")] * 2)
    with playing(script) as url:
        offsets = ear.offsets_of(url)

    assert offsets == EVERYTHING
    assert len(ear.pauses) == 2


def test_the_waits_grow_and_the_tries_end_with_a_way_to_go_on() -> None:
    ear = Ear()
    with playing(Script(cuts=[0] * 100)) as url, pytest.raises(ServerUnreachable) as caught:
        ear.offsets_of(url, after="2")

    assert f"potok tail {RUN} --after 2" in caught.value.message
    assert len(ear.pauses) == limits.CLI_RECONNECT_TRIES_MAX
    assert ear.pauses[0] < ear.pauses[1] < ear.pauses[2]
    assert max(ear.pauses) <= limits.CLI_RECONNECT_SECONDS_MAX


def test_a_run_that_is_gone_is_not_asked_for_again() -> None:
    ear = Ear()
    script = Script(refusals=[(404, "run_not_found", "There is no such run.")])
    with playing(script) as url, pytest.raises(ServerRefused, match="no such run"):
        ear.offsets_of(url)

    assert ear.pauses == []
