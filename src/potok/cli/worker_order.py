"""What the parent of several workers tells each of them."""

import socket

import msgspec

__all__ = ["Order", "command_of"]


class Order(msgspec.Struct, frozen=True):
    """What a worker is told: where the settings are, and what the command line said of them."""

    options: dict[str, str]
    config: str | None = None
    listener: int = -1
    line: int = -1
    greets: bool = False


def command_of(
    order: Order, listener: socket.socket, line: socket.socket, *, greets: bool
) -> list[str]:
    """Return the words that start a worker after the interpreter's own."""
    whole = msgspec.structs.replace(
        order, listener=listener.fileno(), line=line.fileno(), greets=greets
    )
    return ["-m", "potok.cli.worker", msgspec.json.encode(whole).decode()]
