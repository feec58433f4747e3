"""A server inside `potok chat`, for when none runs: in a thread, on a free port of loopback."""

import asyncio
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import uvloop

from potok import limits
from potok.assembly.build import Built, build
from potok.assembly.settings import Settings
from potok.cli.banner import shown_address
from potok.errors import DataFolderInUse, DataFolderUnusable, ServerUnreachable
from potok.server.app import build_app
from potok.server.listening import listen
from potok.server.uvicorn_server import Server

__all__ = ["OwnServer", "run_own_server"]

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnServer:
    """Where it is; `trouble` says why its runs are not kept, None if they are."""

    url: str
    trouble: str | None = None


@contextmanager
def run_own_server(settings: Settings) -> Iterator[OwnServer]:
    """Serve for as long as the body runs; without the data folder if that cannot be had."""
    with ExitStack() as stack:
        try:
            own = OwnServer(url=stack.enter_context(_serving(settings)))
        except (DataFolderInUse, DataFolderUnusable) as error:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="potok-chat-"))
            url = stack.enter_context(_serving(replace(settings, data_dir=Path(folder))))
            own = OwnServer(url=url, trouble=f"Its runs are not kept. {error.message}")
        yield own


@contextmanager
def _serving(settings: Settings) -> Iterator[str]:
    on_loopback = replace(settings, server=settings.server.model_copy(update={"host": _HOST}))
    with listen(_HOST, 0) as listener:
        address = shown_address(_HOST, listener.getsockname()[1])
        thread = _Thread(build(on_loopback, address=address), listener)
        thread.start()
        try:
            thread.wait_until_ready()
            yield address
        finally:
            thread.stop()


class _Thread(threading.Thread):
    def __init__(self, built: Built, listener: socket.socket) -> None:
        super().__init__(name="potok-own-server", daemon=True)
        self._built = built
        self._listener = listener
        self._server = Server(build_app(built.services), on_ready=self._be_ready)
        self._has_begun = threading.Event()
        self._failure: BaseException | None = None

    def run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._serve())
        except BaseException as error:
            self._failure = error
        finally:
            self._has_begun.set()

    async def _serve(self) -> None:
        async with self._built.opened():
            await self._server.serve(sockets=[self._listener])

    def _be_ready(self) -> None:
        self._has_begun.set()

    def wait_until_ready(self) -> None:
        """Return once it answers; raises what kept it from that."""
        is_ready = self._has_begun.wait(limits.CLI_REPLY_SECONDS)
        if self._failure is not None:
            raise self._failure
        if not is_ready:
            raise ServerUnreachable("The chat's own server did not start in time. Try again.")

    def stop(self) -> None:
        """End it; runs that are not finished stay in the log."""
        self._server.should_exit = True
        self.join(limits.SHUTDOWN_SECONDS_MAX)
