"""The command line. One command per file; what a command needs is imported when it runs."""

import io
import sys
from typing import Annotated

import typer

from potok.cli.cancel import cancel
from potok.cli.chat import chat
from potok.cli.doctor import doctor
from potok.cli.exits import Exit, Reporting
from potok.cli.models import models
from potok.cli.serve import serve
from potok.cli.tail import tail
from potok.cli.translate import translate

__all__ = ["app", "main"]

app = typer.Typer(
    name="potok",
    no_args_is_help=True,
    add_completion=True,
    # Help is plain text: neat enough, and there at once.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (serve, chat, translate, tail, cancel, doctor):
    app.command()(command)
app.add_typer(models)


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        from importlib.metadata import version

        print(f"potok {version('potok')}")
        raise typer.Exit(Exit.DONE)


@app.callback()
def potok(
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback with an error.")] = False,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Runs LLM answers as durable streams that any client can read, resume and stop."""
    Reporting.shows_traceback = debug


def main() -> None:
    """Run the command line; the entry point `potok`."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        # A byte that is no text, or a letter that the terminal lacks, ends no command.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app()
