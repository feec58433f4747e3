"""One of several workers: `python -m potok.cli.worker ORDER`, started by `potok serve` alone."""

import contextlib
import os
import signal
import socket
import sys
import threading
from pathlib import Path

import msgspec
import typer

from potok.cli.exits import Exit, reports_errors
from potok.cli.worker_order import Order

__all__ = ["main"]


def main() -> None:
    """Serve until a signal, or until the parent is gone."""
    order = msgspec.json.decode(sys.argv[1], type=Order)
    try:
        reports_errors(_serve)(order)
    except typer.Exit as ended:
        sys.exit(ended.exit_code)


def _serve(order: Order) -> Exit:
    from potok.cli.serving import serve_on
    from potok.cli.targets import settings_of

    config = None if order.config is None else Path(order.config)
    settings = settings_of(config, **{**order.options, "workers": "1"})
    line = socket.socket(fileno=order.line)
    threading.Thread(target=_watch, args=(line,), name="potok-parent", daemon=True).start()

    def tell_ready() -> None:
        # A parent that is gone hears nothing; the watch knows.
        with contextlib.suppress(OSError):
            line.sendall(b"r")

    with socket.socket(fileno=order.listener) as listener:
        listener.setblocking(False)
        return serve_on(settings, listener, on_ready=tell_ready, greets=order.greets)


def _watch(line: socket.socket) -> None:
    # The parent never says a word: what comes is the end of the line.
    line.recv(1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
