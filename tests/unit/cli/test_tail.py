import json

import pytest

from tests.unit.cli.command import run
from tests.unit.cli.fake_server import RUN, Script, playing


def test_the_text_of_a_run_is_printed() -> None:
    with playing(Script()) as url:
        ended = run("tail", RUN, "--url", url)

    assert (ended.code, ended.out, ended.err) == (0, "Hello there\n", "")


def test_it_begins_after_an_offset() -> None:
    with playing(Script()) as url:
        ended = run("tail", RUN, "--after", "3", "--url", url)

    assert ended.out == " there\n"


def test_at_the_end_there_is_nothing_to_print() -> None:
    with playing(Script()) as url:
        ended = run("tail", RUN, "--after", "6", "--url", url)

    assert (ended.code, ended.out) == (0, "")


def test_events_are_printed_one_in_a_line() -> None:
    with playing(Script()) as url:
        ended = run("tail", RUN, "--format", "events", "--url", url)

    lines = ended.out.splitlines()
    assert [line.split()[:2] for line in lines[:3]] == [
        ["1", "run-start"],
        ["2", "text-start"],
        ["3", "text-delta"],
    ]
    assert lines[2].endswith('{"part":"t","text":"Hello"}')


def test_ndjson_is_printed_as_it_came() -> None:
    with playing(Script()) as url:
        ended = run("tail", RUN, "--format", "ndjson", "--url", url)

    events = [json.loads(line) for line in ended.out.splitlines()]
    assert [event["id"] for event in events] == ["1", "2", "3", "4", "5", "6"]
    assert events[-1]["event"] == "run-end"


def test_a_cut_connection_is_made_again() -> None:
    with playing(Script(cuts=[3])) as url:
        ended = run("tail", RUN, "--url", url)

    assert (ended.code, ended.out) == (0, "Hello there\n")
    assert "trying to get it back" in ended.err


@pytest.mark.parametrize(
    ("status", "sentence"),
    [("failed", "is failed: The provider left."), ("cancelled", "is cancelled.")],
)
def test_a_run_that_did_not_finish_is_a_failure(status: str, sentence: str) -> None:
    with playing(Script(status=status)) as url:
        ended = run("tail", RUN, "--url", url)

    assert ended.code == 1
    assert sentence in ended.err


def test_an_unknown_run_is_named_and_nothing_printed() -> None:
    with playing(Script()) as url:
        ended = run("tail", "nope0000000000000000", "--url", url)

    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "potok: There is no run.\n"


def test_without_a_server_it_says_how_to_start_one() -> None:
    with playing(Script()) as url:
        pass
    ended = run("tail", RUN, "--url", url)

    assert ended.code == 3
    assert "potok serve" in ended.err


def test_the_server_of_the_settings_is_asked() -> None:
    script = Script()
    with playing(script) as url:
        ended = run("tail", RUN, port=url.rpartition(":")[2], api_key="secret")

    assert ended.code == 0
    assert script.headers[0]["Authorization"] == "Bearer secret"
