"""A model that plays a script: batches of events, faults and gates, in their order."""

from collections.abc import AsyncGenerator, Sequence

from potok.errors import PeerError
from potok.events.kinds import Event
from potok.models.contract import Capabilities, ChatModel, ChatRequest, ModelInfo
from potok.testing.gates import Gate

__all__ = ["ScriptedModel", "ScriptedProvider", "Step"]

Step = list[Event] | Exception | Gate
"""A batch to yield, an error to raise, or a gate to wait at."""


class ScriptedModel:
    """A ChatModel that plays one script per call, the last one for every further call.

    Args:
        batches: The script of each call; given once, it is the only one.
        more: Scripts of the calls after the first.

    Does not imitate: an upstream that closes, time between tokens, or an answer that depends on
    the request. What it is given it yields, grammar or not.

    Attributes:
        requests: What was asked, oldest first.
        live: Calls under way; 0 again after each was ended, failed or closed.
        closed: Calls that ended before their script did: cancelled, or their iterator closed.
    """

    def __init__(
        self,
        batches: Sequence[Step],
        *more: Sequence[Step],
        name: str = "scripted",
        provider: str = "test",
        capabilities: Capabilities | None = None,
    ) -> None:
        self.requests: list[ChatRequest] = []
        self.live = 0
        self.closed = 0
        self._scripts = (batches, *more)
        self._info = ModelInfo(name=name, provider=provider)
        self._capabilities = capabilities or Capabilities()

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    async def stream(self, request: ChatRequest) -> AsyncGenerator[list[Event], None]:
        script = self._scripts[min(len(self.requests), len(self._scripts) - 1)]
        self.requests.append(request)
        self.live += 1
        is_over = False
        try:
            for step in script:
                if isinstance(step, Gate):
                    await step.wait()
                elif isinstance(step, Exception):
                    is_over = True
                    raise step
                else:
                    yield step
            is_over = True
        finally:
            self.live -= 1
            self.closed += not is_over


class ScriptedProvider:
    """A Provider of scripted models.

    Args:
        models: By their own names in the order of the list.
        failure: What `list_models` raises, if anything.

    A name that is not among `models` gives the first model, since `model` never fails.
    """

    def __init__(
        self,
        models: Sequence[ScriptedModel],
        *,
        name: str = "test",
        failure: PeerError | None = None,
    ) -> None:
        self.failure = failure
        self.lists = 0
        self.is_closed = False
        self._name = name
        self._models = {model.info.name: model for model in models}

    @property
    def name(self) -> str:
        return self._name

    async def list_models(self) -> tuple[ModelInfo, ...]:
        self.lists += 1
        if self.failure is not None:
            raise self.failure
        return tuple(model.info for model in self._models.values())

    def model(self, name: str) -> ChatModel:
        return self._models.get(name) or next(iter(self._models.values()))

    async def close(self) -> None:
        self.is_closed = True
