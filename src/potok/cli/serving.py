"""Runs the server for `potok serve`: takes the address, opens the parts, says what happens."""

import asyncio
import logging
import socket
import sys
from collections.abc import Callable

import uvloop

from potok import __version__
from potok.assembly.build import Built, build
from potok.assembly.local_models import used_places
from potok.assembly.settings import GgufPlace, ProviderAccount, Settings
from potok.cli.banner import describe_models, describe_server, shown_address
from potok.cli.exits import Exit, complain
from potok.cli.supervision import supervise
from potok.cli.targets import is_potok, server_of
from potok.cli.worker_order import Order
from potok.errors import AddressTaken
from potok.models.aiohttp_source import load_aiohttp
from potok.server.app import build_app
from potok.server.listening import listen, next_free_port
from potok.server.uvicorn_server import Server

__all__ = ["run_server", "serve_on"]

_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def run_server(settings: Settings, order: Order) -> Exit:
    """Serve until a signal, with as many workers as the settings say.

    Raises:
        SetupError: the address, the data folder or Redis cannot be used.
    """
    listener = _listen(settings)
    if listener is None:
        return Exit.FAILED
    with listener:
        if settings.server.workers > 1:
            return supervise(order, listener, workers=settings.server.workers)
        return serve_on(settings, listener)


def serve_on(
    settings: Settings,
    listener: socket.socket,
    *,
    on_ready: Callable[[], None] | None = None,
    greets: bool = True,
) -> Exit:
    """Serve on a listening socket in this process, until a signal.

    Args:
        on_ready: For one of several workers, whose parent says that they stop.
        greets: Whether to say where the server is and what it serves.
    """
    logging.basicConfig(level=logging.WARNING, format=_LOG_FORMAT)
    logging.getLogger("potok").setLevel(logging.INFO)
    address = shown_address(settings.server.host, listener.getsockname()[1])
    built = build(settings, address=address)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(built, settings, listener, on_ready=on_ready, greets=greets))
    return Exit.DONE


async def _serve(
    built: Built,
    settings: Settings,
    listener: socket.socket,
    *,
    on_ready: Callable[[], None] | None,
    greets: bool,
) -> None:
    asking: set[asyncio.Task[None]] = set()

    def greet() -> None:
        if on_ready is not None:
            on_ready()
        if settings.providers:
            # For the first call's sake; nobody waits for it.
            asking.add(asyncio.create_task(load_aiohttp()))
        if not greets:
            return
        block = describe_server(settings, version=__version__, address=built.services.about.address)
        print(f"{block}\n", flush=True)
        # The providers' lists may take seconds; nobody waits for them.
        asking.add(asyncio.create_task(_tell_models(built, settings)))

    async with built.opened() as services:
        kind = Server if on_ready is not None else _Server
        server = kind(build_app(services), on_ready=greet)
        try:
            await server.serve(sockets=[listener])
        finally:
            for task in asking:
                task.cancel()


class _Server(Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        services = self._app.services
        live, where = services.runs.live_runs, "at the next start"
        if services.about.log_backend == "redis":
            where = "on another server, or at the next start"
        kept = f" {live} unfinished answers go on {where}." if live > 1 else ""
        kept = f" One unfinished answer goes on {where}." if live == 1 else kept
        if sys.stdout.isatty():
            print()  # the terminal shows ^C in this line
        print(f"Stopping.{kept}", flush=True)
        await super().shutdown(sockets=sockets)


async def _tell_models(built: Built, settings: Settings) -> None:
    models = await built.services.catalogue.list()
    configured: list[ProviderAccount | GgufPlace] = [*settings.providers, *used_places(settings)]
    for account in configured:
        failure = built.catalogue.failures.get(account.name)
        if failure is not None:
            complain(failure.message)
        else:
            own = [model for model in models if model.provider == account.name]
            print(describe_models(account, own), flush=True)
    for guess in settings.guesses:
        own = [model for model in models if model.provider == guess.name]
        if own:
            print(f"Found at {guess.base_url}: {describe_models(guess, own)}", flush=True)


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
