"""`potok cancel RUN`: stop a run, whoever started it, and keep what it wrote."""

from typing import Annotated

import typer

from potok.cli.exits import Exit, complain, reports_errors

__all__ = ["cancel"]


@reports_errors
def cancel(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")],
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="The server; else the one of the settings.")
    ] = None,
) -> Exit:
    """Stop a run. What it wrote is kept."""
    from potok.cli.targets import server_of, settings_of

    server = server_of(settings_of(), url)
    status = server.cancel(run)
    if status in ("queued", "running"):
        complain(
            f"Run {run} is to stop, but is still {status}. The wish is stored; `potok tail {run}`"
            " shows when it holds."
        )
        return Exit.FAILED
    text = server.status(run)["message"]["text"]
    print(f"{run} {status}, {len(text)} characters kept")
    return Exit.DONE
