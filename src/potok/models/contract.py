"""The contract of model adapters: a request in, batches of events out."""

from collections.abc import AsyncGenerator
from typing import Literal, Protocol, runtime_checkable

import msgspec

from potok.events.fold import Message
from potok.events.kinds import Event
from potok.events.run_request import JsonObject

__all__ = ["Capabilities", "ChatModel", "ChatRequest", "ModelInfo", "Provider", "Queueing"]


class Capabilities(msgspec.Struct, frozen=True):
    """Facts about a model that decide what Potok may ask of it.

    `continues` says how an answer can go on after a cut: `replay` (the model is a pure function of
    prompt and prefix), `prefill` (it takes a begun assistant message), `prompt` (it must be asked
    in words), `no`. `prefill` says how a begun message is marked: not at all, by its own field
    `prefix`, or by the request's `continue_final_message`. `json_schema` and `json_object` say
    that its provider holds it to `response_format`, of either type or of the second alone.
    """

    continues: Literal["replay", "prefill", "prompt", "no"] = "prompt"
    prefill: Literal["message", "prefix", "final"] = "message"
    tools: bool = False
    json_schema: bool = False
    json_object: bool = False
    reasoning: bool = False


class ModelInfo(msgspec.Struct, frozen=True):
    """One model that a provider lists, under the provider's own name for it."""

    name: str
    provider: str
    created: int = 0
    context_tokens: int | None = None

    @property
    def full_name(self) -> str:
        """`<provider>/<name>`, which always works."""
        return f"{self.provider}/{self.name}"


class ChatRequest(msgspec.Struct, frozen=True):
    """One call of a model. `said` is what the run's log already holds of the answer, or None.

    `messages` and `parameters` are OpenAI-shaped and pass through with unknown fields. `principal`
    is whom it is made for: calls that must wait for one another do so in turn.
    """

    model: str
    messages: tuple[JsonObject, ...]
    parameters: JsonObject = msgspec.field(default_factory=dict)
    language: str = "en"
    said: Message | None = None
    principal: str = ""


class ChatModel(Protocol):
    """A source of tokens."""

    @property
    def info(self) -> ModelInfo:
        """Name and provider."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What the model can do."""
        ...

    def stream(self, request: ChatRequest) -> AsyncGenerator[list[Event], None]:
        """Answer a request, as batches of events in the order of the grammar.

        Yields text, reasoning and tool parts, `usage` if known, and last a `run-end` with outcome
        `finished` and the finish reason. Part ids are the same for the same request, so that a
        continued answer goes on in the open part: with `said`, only what follows it comes.
        One batch holds what one read of the upstream gave; batches are never empty. A call that has
        to wait for its place says so by `status` events before all else.

        Raises:
            PeerError: the upstream failed; what was yielded before stays valid.
            UpstreamBusy: no place for one more upstream call.
        Cancelling, or closing the iterator, closes the upstream connection before it returns.
        """
        ...


@runtime_checkable
class Queueing(Protocol):
    """What a model adapter has besides, if its calls wait for places."""

    def check_room(self, principal: str) -> None:
        """Raise `UpstreamBusy` if one more call of this principal could not even wait."""
        ...


class Provider(Protocol):
    """An account with one upstream: its connection pool, its models, its name."""

    @property
    def name(self) -> str:
        """The word before the slash in a model's full name."""
        ...

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """Ask the upstream for its models.

        Raises:
            PeerError: the upstream cannot be asked now.
        """
        ...

    def model(self, name: str) -> ChatModel:
        """Return an adapter for a model by the provider's own name; never fails, calls nothing."""
        ...

    async def close(self) -> None:
        """Close all connections; calls under way end with `UpstreamLost`."""
        ...
