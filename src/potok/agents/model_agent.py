"""The simplest agent: one call of one model."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from potok.agents.contract import Turn
from potok.events.kinds import Event
from potok.models.contract import ChatModel, ChatRequest

__all__ = ["ModelAgent"]


class ModelAgent:
    """Passes a turn to a model and its events through."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model

    @property
    def name(self) -> str:
        """The model's full name."""
        return self._model.info.full_name

    async def can_continue(self, turn: Turn) -> bool:
        """Only a model that replays goes on exactly; the others need a continuation policy."""
        return self._model.capabilities.continues == "replay"

    async def run(self, turn: Turn) -> AsyncIterator[list[Event]]:
        """Yield the model's events."""
        request = ChatRequest(
            model=self._model.info.name,
            messages=turn.request.messages,
            parameters=turn.request.parameters,
            language=turn.request.language,
            said=turn.said,
        )
        stream = self._model.stream(request)
        async with aclosing(stream) as batches:  # type: ignore[type-var]
            async for events in batches:
                yield events
