from pathlib import Path

import pytest

from tests.unit.cli.command import run
from tests.unit.cli.fake_server import Script, playing


def test_each_line_of_a_pipe_gets_one_answer() -> None:
    script = Script()
    with playing(script) as url:
        ended = run("chat", "--url", url, stdin="One\n\n  Two  \n")

    assert (ended.code, ended.out, ended.err) == (0, "Hello there\nHello there\n", "")
    sent = [body["messages"][-1]["content"] for body in script.bodies if body]
    assert sent == ["One", "Two"]


@pytest.mark.parametrize("word", ["exit", "Exit", " exit "])
def test_exit_ends_the_chat(word: str) -> None:
    script = Script()
    with playing(script) as url:
        ended = run("chat", "--url", url, stdin=f"One\n{word}\nTwo\n")

    assert (ended.code, ended.out) == (0, "Hello there\n")


def test_model_and_thinking_are_passed_on() -> None:
    script = Script()
    with playing(script) as url:
        run("chat", "--url", url, "--model", "openai/gpt-5", "--think", stdin="Hi\n")

    assert script.bodies[0]["model"] == "openai/gpt-5"
    assert script.bodies[0]["reasoning_effort"] == "medium"


def test_a_failed_answer_makes_the_command_fail_and_the_next_line_is_answered() -> None:
    end = {"event": "run-end", "outcome": "failed", "code": "x", "message": "The provider left."}
    script = Script()
    script.events[-1] = end
    with playing(script) as url:
        ended = run("chat", "--url", url, stdin="One\nTwo\n")

    assert (ended.code, ended.out) == (1, "Hello there\nHello there\n")
    assert ended.err.count("The provider left.") == 2


def test_an_unknown_model_is_said_in_one_sentence() -> None:
    script = Script(refusals=[(404, "model_not_found", "There is no such model.")])
    with playing(script) as url:
        ended = run("chat", "--url", url, stdin="Hi\n")

    assert (ended.code, ended.err) == (1, "potok: There is no such model.\n")


def test_with_an_address_given_no_other_server_is_started() -> None:
    with playing(Script()) as url:
        pass
    ended = run("chat", "--url", url, stdin="Hi\n")

    assert ended.code == 3
    assert "No Potok server answers" in ended.err


def test_the_running_server_is_found_by_the_settings() -> None:
    with playing(Script()) as url:
        ended = run("chat", stdin="Hi\n", port=url.rpartition(":")[2])

    assert (ended.code, ended.out) == (0, "Hello there\n")


def test_without_a_server_the_chat_has_its_own(tmp_path: Path) -> None:
    with playing(Script(is_potok=False)) as url:
        ended = run(
            "chat",
            stdin="Repeat after me: hello\n",
            port=url.rpartition(":")[2],
            data_dir=str(tmp_path),
            demo_tokens_per_second="0",
        )

    assert (ended.code, ended.err) == (0, "")
    assert "hello" in ended.out
    assert (tmp_path / "runs.sqlite3").exists()


def test_a_data_folder_that_cannot_be_had_is_said_and_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with playing(Script(is_potok=False)) as url:
        ended = run(
            "chat",
            stdin="Repeat after me: hello\n",
            port=url.rpartition(":")[2],
            data_dir=str(tmp_path / "file"),
            demo_tokens_per_second="0",
        )

    assert ended.code == 0
    assert "Its runs are not kept." in ended.err
    assert "hello" in ended.out
