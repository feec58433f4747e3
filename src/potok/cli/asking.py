"""Starts one run and shows its answer; a second try of the start is the same run."""

import threading
from collections.abc import Callable, Mapping
from typing import Literal

from potok import limits
from potok.cli.answers import AnswerWriter
from potok.cli.client import Server, may_come_back
from potok.cli.exits import complain
from potok.cli.following import follow
from potok.cli.stop_key import StopKey
from potok.cli.terminal import Terminal
from potok.clock import IdSource
from potok.errors import ServerRefused, ServerUnreachable
from potok.events.fold import Fold, Message

__all__ = ["Asker", "Outcome"]

Outcome = Literal["finished", "cancelled", "failed"]


class Asker:
    """Asks a server and shows the answers.

    Args:
        pause: Waits for some seconds between tries.
    """

    def __init__(
        self,
        server: Server,
        out: Terminal,
        *,
        ids: IdSource,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        self._server = server
        self._out = out
        self._ids = ids
        self._pause = threading.Event().wait if pause is None else pause
        self._model_shown: str | None = None

    def ask(self, body: Mapping[str, object], *, fold: Fold) -> None:
        """Start the run of a body of `POST /api/runs` and show its answer, which `fold` takes.

        Raises:
            PotokError: the server does not take the request, or is gone.
            KeyboardInterrupt: the second Ctrl-C: the answer is not waited for.
        """
        try:
            with StopKey(self._server) as stop:
                run = self._start(body)
                stop.aim_at(run)
                self._show(run, fold)
        finally:
            self._out.break_line()
            self._out.reset()

    def _start(self, body: Mapping[str, object]) -> str:
        key = self._ids.run_id()
        for try_number in range(1, limits.CLI_START_TRIES_MAX + 1):
            try:
                return self._server.start(body, idempotency_key=key)
            except (ServerRefused, ServerUnreachable) as error:
                if try_number == limits.CLI_START_TRIES_MAX or not may_come_back(error):
                    raise
            self._pause(limits.CLI_RECONNECT_SECONDS_MIN)
        raise AssertionError("the last try returns or raises")

    def _show(self, run: str, fold: Fold) -> None:
        writer = AnswerWriter(self._out, shows_remarks=self._out.is_shown, fold=fold)
        for line in follow(
            self._server, run, after="0", ids=self._ids, say=self._say, pause=self._pause
        ):
            fold.feed(line.event)
            self._name_model(fold.message.model)
            writer.take(line.event)

    def _name_model(self, model: str | None) -> None:
        if model is not None and model != self._model_shown and self._out.is_shown:
            self._out.write(f"({model}) ", dim=True)
        self._model_shown = model

    def _say(self, sentence: str) -> None:
        if self._out.is_shown:
            self._out.break_line()
        complain(sentence)

    @staticmethod
    def judge(message: Message) -> Outcome:
        """Return how a run ended; what a person must know of it is said."""
        match message.outcome:
            case "finished":
                if message.finish_reason == "length":
                    complain("The model reached its limit of tokens; the answer is cut there.")
                return "finished"
            case "cancelled":
                complain("The answer was stopped; what stands there is kept.")
                return "cancelled"
            case _:
                why = message.error.message if message.error else "The run has no end."
                complain(why)
                return "failed"
