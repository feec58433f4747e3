"""Follows a run to its end over as many connections as that takes; no event twice, none missed."""

from collections.abc import Callable, Iterator
from threading import Event as Bell

from potok import limits
from potok.cli.client import Line, Server, may_come_back
from potok.clock import IdSource
from potok.errors import ServerRefused, ServerUnreachable

__all__ = ["follow"]


def follow(
    server: Server,
    run: str,
    *,
    after: str,
    ids: IdSource,
    say: Callable[[str], None],
    pause: Callable[[float], object] | None = None,
) -> Iterator[Line]:
    """Yield a run's events after an offset until its `run-end`; nothing if there are none left.

    Args:
        say: Hears a sentence when the connection is lost, and when it is back.
        pause: Waits for some seconds.

    Raises:
        ServerRefused: the server does not give the events, and never will.
        ServerUnreachable: `limits.CLI_RECONNECT_TRIES_MAX` tries in a row got nothing.
    """
    wait_for = Bell().wait if pause is None else pause
    place, tries = after, 0
    while True:
        try:
            for line in server.read_events(run, after=place):
                if tries:
                    say("The connection is back.")
                place, tries = line.offset, 0
                yield line
            return
        except (ServerUnreachable, ServerRefused) as error:
            if not may_come_back(error):
                raise
        tries += 1
        if tries > limits.CLI_RECONNECT_TRIES_MAX:
            raise ServerUnreachable(
                f"The connection to {server.url} was lost and did not come back. Once a server is"
                f" there again, read on with `potok tail {run} --after {place}`."
            )
        if tries == 1:
            say("The connection was lost; trying to get it back.")
        doubled = limits.CLI_RECONNECT_SECONDS_MIN * 2.0 ** (tries - 1)
        wait_for(min(doubled, limits.CLI_RECONNECT_SECONDS_MAX) * (0.5 + ids.fraction() / 2))
