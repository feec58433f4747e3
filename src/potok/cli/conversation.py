"""A conversation over runs: each question starts one, and its answer joins the history."""

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

__all__ = ["Conversation", "Outcome"]

Outcome = Literal["finished", "cancelled", "failed"]


class Conversation:
    """Asks a server, shows the answers, keeps what was said.

    Args:
        parameters: Sent with every request, beside model and messages.
        pause: Waits for some seconds between tries.
    """

    def __init__(
        self,
        server: Server,
        out: Terminal,
        *,
        ids: IdSource,
        model: str,
        parameters: Mapping[str, object],
        pause: Callable[[float], object] | None = None,
    ) -> None:
        self._server = server
        self._out = out
        self._ids = ids
        self._model = model
        self._parameters = dict(parameters)
        self._pause = threading.Event().wait if pause is None else pause
        self._model_shown: str | None = None
        self.messages: list[dict[str, str]] = []

    def ask(self, words: str) -> Outcome:
        """Send a message and show its answer; an answer without a word leaves no trace.

        Raises:
            PotokError: the server does not take the request, or is gone.
            KeyboardInterrupt: the second Ctrl-C: the answer is not waited for.
        """
        question = {"role": "user", "content": words}
        messages = [*self.messages, question][-limits.MESSAGES_MAX :]
        fold = Fold()
        try:
            with StopKey(self._server) as stop:
                run = self._start(messages)
                stop.aim_at(run)
                self._show(run, fold)
        finally:
            self._out.break_line()
            self._out.reset()
            answer = fold.message.text
            if answer:
                self.messages += [question, {"role": "assistant", "content": answer}]
        return self._judge(fold.message)

    def _start(self, messages: list[dict[str, str]]) -> str:
        key = self._ids.run_id()
        for try_number in range(1, limits.CLI_START_TRIES_MAX + 1):
            try:
                return self._server.start(
                    model=self._model,
                    messages=messages,
                    parameters=self._parameters,
                    idempotency_key=key,
                )
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
        if model != self._model_shown and self._out.is_shown:
            self._out.write(f"({model}) ", dim=True)
        self._model_shown = model

    def _say(self, sentence: str) -> None:
        if self._out.is_shown:
            self._out.break_line()
        complain(sentence)

    def _judge(self, message: Message) -> Outcome:
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
