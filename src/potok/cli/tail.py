"""`potok tail RUN`: a run's text or events, from any offset, until it ends."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from potok.cli.exits import Exit, complain, reports_errors

if TYPE_CHECKING:
    from potok.cli.client import Line, Server

__all__ = ["tail"]


class Format(StrEnum):
    """What is printed."""

    TEXT = "text"
    EVENTS = "events"
    NDJSON = "ndjson"


@reports_errors
def tail(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")],
    after: Annotated[
        str, typer.Option(metavar="OFFSET", help="Begin after this offset; 0 is the start.")
    ] = "0",
    form: Annotated[
        Format,
        typer.Option(
            "--format",
            metavar="text|events|ndjson",
            help="The answer alone, a line for each event, or the events as JSON.",
        ),
    ] = Format.TEXT,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="The server; else the one of the settings.")
    ] = None,
) -> Exit:
    """Print a run from an offset, follow it live, and end with it."""
    from potok.cli.following import follow
    from potok.cli.targets import server_of, settings_of
    from potok.clock import SystemIds

    settings = settings_of()
    server = server_of(settings, url)
    server.status(run)
    printer = _Printer(form, is_plain=settings.is_plain)
    for line in follow(server, run, after=after, ids=SystemIds(), say=complain):
        printer.take(line)
    return _judge(server, run)


def _judge(server: "Server", run: str) -> Exit:
    state = server.status(run)
    if state["status"] == "finished":
        return Exit.DONE
    error = state["error"]
    complain(f"Run {run} is {state['status']}{': ' + error['message'] if error else '.'}")
    return Exit.FAILED


class _Printer:
    def __init__(self, form: Format, *, is_plain: bool) -> None:
        from potok.cli.answers import AnswerWriter
        from potok.cli.terminal import Terminal

        self._form = form
        self._out = Terminal(is_plain=is_plain)
        self._answer = AnswerWriter(self._out, shows_remarks=self._out.is_shown)

    def take(self, line: "Line") -> None:
        match self._form:
            case Format.TEXT:
                self._answer.take(line.event)
            case Format.NDJSON:
                self._out.write(line.json.decode() + "\n")
            case Format.EVENTS:
                self._out.write(_one_line(line) + "\n")


def _one_line(line: "Line") -> str:
    from potok.events.json_form import encode_fields
    from potok.events.kinds import kind_of

    return f"{line.offset:>6}  {kind_of(line.event):<15}  {encode_fields(line.event).decode()}"
