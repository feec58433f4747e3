"""How commands end: exit codes, and one or two sentences instead of a traceback."""

import functools
import os
import sys
import traceback
from collections.abc import Callable
from enum import IntEnum
from typing import ParamSpec

import typer

from potok.errors import PotokError, ServerUnreachable, SettingInvalid

__all__ = ["Exit", "Reporting", "complain", "reports_errors"]

Parameters = ParamSpec("Parameters")


class Exit(IntEnum):
    """Exit codes; docs/reference/cli.md explains them."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    INTERRUPTED = 130


class Reporting:
    """What `potok --debug` switches on, for the one command of this process."""

    shows_traceback = False


def complain(message: str) -> None:
    """Write sentences for people to stderr, each line marked as ours."""
    for line in message.splitlines():
        print(f"potok: {line}", file=sys.stderr)


def reports_errors(command: Callable[Parameters, Exit]) -> Callable[Parameters, None]:
    """Make a command that returns its `Exit` into one that ends the process with it."""

    @functools.wraps(command)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        raise typer.Exit(_run_reported(lambda: command(*args, **kwargs)))

    return run


def _run_reported(command: Callable[[], Exit]) -> Exit:
    try:
        code = command()
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # `potok tail ... | head` has what it wanted. Python would complain once more at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    except PotokError as error:
        if Reporting.shows_traceback:
            traceback.print_exc()
        complain(error.message)
        return _code_of(error)
    except Exception as error:
        if Reporting.shows_traceback:
            traceback.print_exc()
        complain(
            f"This is a bug of Potok: {type(error).__name__}: {error}. Run it again as"
            " `potok --debug ...` and report what it prints."
        )
        return Exit.FAILED


def _code_of(error: PotokError) -> Exit:
    match error:
        case SettingInvalid():
            return Exit.USAGE
        case ServerUnreachable():
            return Exit.UNREACHABLE
        case _:
            return Exit.FAILED
