"""A conversation over runs: each question starts one, and its answer joins the history."""

from collections.abc import Callable, Mapping

from potok import limits
from potok.cli.asking import Asker, Outcome
from potok.cli.client import Server
from potok.cli.terminal import Terminal
from potok.clock import IdSource
from potok.events.fold import Fold

__all__ = ["Conversation", "Outcome"]


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
        self._asker = Asker(server, out, ids=ids, pause=pause)
        self._model = model
        self._parameters = dict(parameters)
        self.messages: list[dict[str, str]] = []

    def ask(self, words: str) -> Outcome:
        """Send a message and show its answer; an answer without a word leaves no trace.

        Raises:
            PotokError, KeyboardInterrupt: as `Asker.ask`.
        """
        question = {"role": "user", "content": words}
        messages = [*self.messages, question][-limits.MESSAGES_MAX :]
        fold = Fold()
        try:
            body = {**self._parameters, "messages": messages, "model": self._model}
            self._asker.ask(body, fold=fold)
        finally:
            answer = fold.message.text
            if answer:
                self.messages += [question, {"role": "assistant", "content": answer}]
        return self._asker.judge(fold.message)
