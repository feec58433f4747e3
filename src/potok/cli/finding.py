"""Finds the server that a command talks to: one that runs, or an own one while it is needed."""

import sys
from contextlib import ExitStack

from potok.assembly.settings import Settings
from potok.cli.client import Server
from potok.cli.exits import complain
from potok.cli.own_server import run_own_server
from potok.cli.targets import is_potok, server_of

__all__ = ["find_server"]


def find_server(
    settings: Settings, url: str | None, stack: ExitStack, *, what: str
) -> tuple[Server, str]:
    """Return a server and a sentence about it; an own one ends with `stack`.

    Args:
        what: What the command does, for the sentence: `chat`, `translation`.
    """
    begun = f"{what.capitalize()} started"
    server = server_of(settings, url)
    if url is not None or is_potok(server):
        return server, f"{begun}, on {server.url}."
    own = stack.enter_context(run_own_server(settings))
    key = settings.server.api_key
    kept = own.trouble or f"Its runs are kept in {settings.data_dir}."
    if own.trouble is not None and not sys.stdin.isatty():
        complain(own.trouble)
    note = f"{begun}. No server runs at {server.url}, so this {what} has its own. {kept}"
    return Server(own.url, api_key=None if key is None else key.get_secret_value()), note
