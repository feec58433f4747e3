"""`potok chat`: a conversation in the terminal, or one answer for each line of a pipe."""

import sys
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Annotated

import typer

from potok.cli.exits import Exit, complain, reports_errors

if TYPE_CHECKING:
    from potok.cli.conversation import Conversation
    from potok.cli.terminal import Terminal

__all__ = ["chat"]


@reports_errors
def chat(
    model: Annotated[
        str, typer.Option(metavar="NAME", help="The model; `default` is whatever there is.")
    ] = "default",
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The server; else the one of the settings, or our own."),
    ] = None,
    think: Annotated[
        bool, typer.Option("--think", help="Ask the model to think before it answers.")
    ] = False,
) -> Exit:
    """Talk to a model: with a running server, or without one."""
    from potok.cli.conversation import Conversation
    from potok.cli.finding import find_server
    from potok.cli.targets import settings_of
    from potok.cli.terminal import Terminal
    from potok.clock import SystemIds

    settings = settings_of()
    out = Terminal(is_plain=settings.is_plain)
    is_interactive = sys.stdin.isatty() and out.is_shown
    with ExitStack() as stack:
        server, note = find_server(settings, url, stack, what="chat")
        parameters = {"reasoning_effort": "medium"} if think else {}
        conversation = Conversation(
            server, out, ids=SystemIds(), model=model, parameters=parameters
        )
        if is_interactive:
            return _talk(conversation, out, note)
        return _answer_lines(conversation)


def _talk(conversation: "Conversation", out: "Terminal", note: str) -> Exit:
    # Where Python has it, it gives the prompt a history and line editing.
    with suppress(ImportError):
        import readline  # noqa: F401
    out.line(note, dim=True)
    out.line("Type 'exit' to quit. Ctrl-C stops an answer.", dim=True)
    is_leaving = False
    while True:
        try:
            out.line()
            words = input("You: ").strip()
        except EOFError:
            out.line()
            return Exit.DONE
        except KeyboardInterrupt:
            if is_leaving:
                out.line()
                return Exit.INTERRUPTED
            is_leaving = True
            out.write("\n")
            out.line("Type 'exit' or press Ctrl-C again to quit.", dim=True)
            continue
        out.begin_line()
        is_leaving = False
        if words.lower() == "exit":
            return Exit.DONE
        if words:
            out.write("Assistant: ")
            _ask(conversation, words)


def _ask(conversation: "Conversation", words: str) -> None:
    # Whatever goes wrong with one answer, the conversation is not lost.
    from potok.errors import PotokError

    try:
        conversation.ask(words)
    except PotokError as error:
        complain(error.message)
    except KeyboardInterrupt:
        complain("This answer is no longer waited for.")


def _answer_lines(conversation: "Conversation") -> Exit:
    code = Exit.DONE
    for line in sys.stdin:
        words = line.strip()
        if words.lower() == "exit":
            break
        if words:
            outcome = conversation.ask(words)
            if outcome == "cancelled":
                return Exit.INTERRUPTED
            if outcome == "failed":
                code = Exit.FAILED
    return code
