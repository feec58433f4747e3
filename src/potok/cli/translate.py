"""`potok translate`: a text in another language, as it is written."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from potok.cli.exits import Exit, complain, reports_errors

__all__ = ["translate"]


@reports_errors
def translate(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[TEXT]...", help="The text; else it is piped in.")
    ] = None,
    to: Annotated[
        str, typer.Option(metavar="LANGUAGE", help="Such as es, or Spanish.")
    ] = "Spanish",
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Translate this file's text (UTF-8).")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="The model; else whatever there is.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The server; else the one of the settings, or our own."),
    ] = None,
) -> Exit:
    """Translate a text; Markdown is kept, code is left as it is."""
    from potok.cli.asking import Asker
    from potok.cli.finding import find_server
    from potok.cli.targets import settings_of
    from potok.cli.terminal import Terminal
    from potok.clock import SystemIds
    from potok.events.fold import Fold

    text = _read_text(words or [], file)
    if not text.strip():
        complain("There is no text to translate. Type it, pipe it in, or give --file.")
        return Exit.USAGE
    settings = settings_of()
    given = {"text": text, "target_language": to} | ({"model": model} if model else {})
    fold = Fold()
    with ExitStack() as stack:
        server, _ = find_server(settings, url, stack, what="translation")
        asker = Asker(server, Terminal(is_plain=settings.is_plain), ids=SystemIds())
        asker.ask({"agent": "translator", "input": given}, fold=fold)
    outcome = asker.judge(fold.message)
    return {"finished": Exit.DONE, "cancelled": Exit.INTERRUPTED}.get(outcome, Exit.FAILED)


def _read_text(words: list[str], file: Path | None) -> str:
    if file is not None:
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise typer.BadParameter(f"{file} cannot be read: {error}") from error
    if words:
        return " ".join(words)
    return "" if sys.stdin.isatty() else sys.stdin.read()
