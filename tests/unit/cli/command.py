"""Runs a command in this process, as a shell would, with settings of its own."""

from dataclasses import dataclass

from typer.testing import CliRunner

from potok.cli import app


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


def run(*words: str, stdin: str | None = None, **environ: str) -> Ended:
    """Run `potok <words>`; nobody looks at its output. Settings go in by their names."""
    # Whether this machine has an Ollama of its own is nothing to a test.
    settings = {"POTOK_UPSTREAM_DISCOVERY": "off"}
    settings |= {f"POTOK_{name.upper()}": text for name, text in environ.items()}
    result = CliRunner().invoke(app, words, input=stdin, env=settings)
    return Ended(code=result.exit_code, out=result.stdout, err=result.stderr)
