import pytest
import typer
from typer.testing import CliRunner

from potok.cli.exits import Exit, Reporting, complain, reports_errors
from potok.errors import (
    AddressTaken,
    PotokError,
    ServerRefused,
    ServerUnreachable,
    SettingInvalid,
)


def run_raising(error: BaseException) -> tuple[int, str]:
    @reports_errors
    def command() -> Exit:
        raise error

    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(command)
    result = CliRunner().invoke(app)
    return result.exit_code, result.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingInvalid("Set it."), 2),
        (ServerUnreachable("Start it."), 3),
        (ServerRefused("It said no.", status=404, server_code="x"), 1),
        (AddressTaken("Take another."), 1),
    ],
)
def test_an_error_is_its_sentence_and_its_code(error: PotokError, code: int) -> None:
    assert run_raising(error) == (code, f"potok: {error.message}\n")


def test_each_of_several_sentences_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    complain("One.\nTwo.")

    assert capsys.readouterr().err == "potok: One.\npotok: Two.\n"


def test_an_interrupted_command_says_nothing() -> None:
    assert run_raising(KeyboardInterrupt()) == (130, "")


def test_a_bug_is_named_without_a_traceback() -> None:
    code, said = run_raising(KeyError("x"))

    assert code == 1
    assert said.startswith("potok: This is a bug of Potok: KeyError: 'x'.")
    assert "Traceback" not in said


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reporting, "shows_traceback", True)

    _, said = run_raising(KeyError("x"))

    assert said.startswith("Traceback")
