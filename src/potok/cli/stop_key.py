"""Ctrl-C while an answer comes: the first asks the server to stop it, the second leaves it."""

import signal
import socket
import threading
from types import FrameType, TracebackType
from typing import Self

from potok import limits
from potok.cli.client import Server
from potok.cli.exits import complain
from potok.errors import PotokError

__all__ = ["StopKey"]


class StopKey:
    """Holds Ctrl-C for the body, which reads a run's stream.

    Reading is not interrupted: what the model wrote before it stopped is still shown. A second
    Ctrl-C raises KeyboardInterrupt in the body, once.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._run: str | None = None
        self._is_aimed = threading.Event()
        self._is_over = threading.Event()
        self._is_leaving = False

    def __enter__(self) -> Self:
        # Python runs its handlers between two instructions, which a blocked read holds up; the
        # byte on this socket is written at once, and a thread waits for it.
        ear, self._bell = socket.socketpair()
        self._bell.setblocking(False)
        threading.Thread(target=self._listen, args=(ear,), daemon=True).start()
        self._bell_before = signal.set_wakeup_fd(self._bell.fileno(), warn_on_full_buffer=False)
        self._before = signal.signal(signal.SIGINT, self._hear)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        signal.signal(signal.SIGINT, self._before)
        signal.set_wakeup_fd(self._bell_before)
        self._is_over.set()
        self._is_aimed.set()
        self._bell.close()

    def aim_at(self, run: str) -> None:
        """Name the run; a Ctrl-C that came before this is obeyed now."""
        self._run = run
        self._is_aimed.set()

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self._is_leaving:
            self._is_leaving = False
            raise KeyboardInterrupt

    def _listen(self, ear: socket.socket) -> None:
        presses = 0
        with ear:
            # To the end of the body: a signal that nobody could hear would be complained of.
            while rung := ear.recv(1):
                if rung[0] != signal.SIGINT:
                    continue
                presses += 1
                if presses == 1:
                    threading.Thread(target=self._stop, daemon=True).start()
                elif presses == 2:
                    self._leave()

    def _stop(self) -> None:
        self._is_aimed.wait()
        if self._run is None:
            return
        try:
            self._server.cancel(self._run)
        except PotokError as error:
            complain(f"The answer could not be stopped: {error.message}")

    def _leave(self) -> None:
        self._is_leaving = True
        reader = threading.main_thread().ident
        assert reader is not None, "the main thread is running"
        # Until it is heard: a signal just before the read begins does not interrupt it.
        while self._is_leaving and not self._is_over.is_set():
            signal.pthread_kill(reader, signal.SIGINT)
            self._is_over.wait(limits.CLI_INTERRUPT_SECONDS)
