"""Runs the server for `potok serve`: takes the address, opens the parts, says what happens."""

import asyncio
import logging
import socket
import sys

import uvloop

from potok import __version__
from potok.assembly.build import Built, build
from potok.assembly.settings import Settings
from potok.cli.banner import describe_models, describe_server, shown_address
from potok.cli.exits import Exit, complain
from potok.cli.targets import is_potok, server_of
from potok.errors import AddressTaken
from potok.server.app import build_app
from potok.server.listening import listen, next_free_port
from potok.server.uvicorn_server import Server

__all__ = ["run_server"]

_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def run_server(settings: Settings) -> Exit:
    """Serve until a signal.

    Raises:
        SetupError: the address or the data folder cannot be used.
    """
    logging.basicConfig(level=logging.WARNING, format=_LOG_FORMAT)
    logging.getLogger("potok").setLevel(logging.INFO)
    listener = _listen(settings)
    if listener is None:
        return Exit.FAILED
    with listener:
        address = shown_address(settings.server.host, listener.getsockname()[1])
        built = build(settings, address=address)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(built, settings, listener))
    return Exit.DONE


async def _serve(built: Built, settings: Settings, listener: socket.socket) -> None:
    asking: set[asyncio.Task[None]] = set()

    def greet() -> None:
        block = describe_server(settings, version=__version__, address=built.services.about.address)
        print(f"{block}\n", flush=True)
        # The providers' lists may take seconds; nobody waits for them.
        asking.add(asyncio.create_task(_tell_models(built, settings)))

    async with built.opened() as services:
        server = _Server(build_app(services), on_ready=greet)
        try:
            await server.serve(sockets=[listener])
        finally:
            for task in asking:
                task.cancel()


class _Server(Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        live = self._app.services.runs.live_runs
        kept = f" {live} unfinished answers go on at the next start." if live > 1 else ""
        kept = " One unfinished answer goes on at the next start." if live == 1 else kept
        if sys.stdout.isatty():
            print()  # the terminal shows ^C in this line
        print(f"Stopping.{kept}", flush=True)
        await super().shutdown(sockets=sockets)


async def _tell_models(built: Built, settings: Settings) -> None:
    models = await built.services.catalogue.list()
    for account in settings.providers:
        failure = built.catalogue.failures.get(account.name)
        if failure is not None:
            complain(failure.message)
        else:
            own = [model for model in models if model.provider == account.name]
            print(describe_models(account, own), flush=True)
    for account in settings.guesses:
        own = [model for model in models if model.provider == account.name]
        if own:
            print(f"Found at {account.base_url}: {describe_models(account, own)}", flush=True)


def _listen(settings: Settings) -> socket.socket | None:
    host, port = settings.server.host, settings.server.port
    try:
        return listen(host, port)
    except AddressTaken as error:
        sentence = error.message
        if is_potok(server_of(settings, None)):
            sentence += "\nIt is a Potok server: potok chat talks to it."
        free = next_free_port(host, port)
        if free is None:
            raise AddressTaken(sentence) from error
        if not sys.stdin.isatty():
            raise AddressTaken(
                f"{sentence}\nPort {free} is free: potok serve --port {free}"
            ) from error
    complain(sentence)
    return listen(host, free) if _agrees(f"Use port {free} instead? [y/N] ") else None


def _agrees(question: str) -> bool:
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        return False
