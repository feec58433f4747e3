"""The models that may answer one request: the one that was asked for, and those that stand in."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

import msgspec

from potok.errors import PotokError
from potok.events.fold import Message
from potok.models.contract import Capabilities, ChatModel
from potok.protocol.continuation import Continues, Policy, Source

__all__ = ["Candidate", "ModelRules", "ModelSource"]


class ModelSource(Protocol):
    """Whatever finds a model by name; `potok.models.catalogue.Catalogue` is one."""

    async def resolve(self, name: str | None) -> ChatModel:
        """Return the model; raises `ModelUnknown` or a `PeerError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRules:
    """What an operator has set for one model.

    `continues`, `prefill` and `structured` take the place of what its name tells of it; see
    `Capabilities`. `structured` is the most that its provider holds it to: a JSON schema, a JSON
    object, or nothing.
    """

    fallback: tuple[str, ...] = ()
    policy: Policy = "continue"
    continues: Continues | None = None
    prefill: Literal["message", "prefix", "final"] | None = None
    structured: Literal["schema", "object", "no"] | None = None


@dataclass(slots=True, kw_only=True)
class Candidate:
    """One source of one answer, and what became of its calls.

    `model` is None until it is looked for, and while it cannot be found. `failed_with` says why.
    """

    name: str
    models: ModelSource
    rules: ModelRules = field(default_factory=ModelRules)
    model: ChatModel | None = None
    failed_with: PotokError | None = None
    calls: int = 0
    refused: bool = False
    refuses_prefill: bool = False

    @property
    def full_name(self) -> str:
        """The model's full name, or the one it is asked for by."""
        return self.name if self.model is None else self.model.info.full_name

    @property
    def capabilities(self) -> Capabilities:
        """What the model can do, as the operator knows it."""
        known = Capabilities() if self.model is None else self.model.capabilities
        return msgspec.structs.replace(
            known,
            continues=self.rules.continues or known.continues,
            prefill=self.rules.prefill or known.prefill,
            **self._structured(known),
        )

    def _structured(self, known: Capabilities) -> dict[str, bool]:
        most = self.rules.structured
        if most is None:
            return {"json_schema": known.json_schema, "json_object": known.json_object}
        return {"json_schema": most == "schema", "json_object": most != "no"}

    def is_named(self, answer: Message) -> bool:
        """Whether an answer says that it is this model's, by any of its names."""
        own = self.full_name.partition("/")[2] or self.full_name
        return answer.model in (self.name, self.full_name, own)

    async def find(self) -> None:
        """Look for the model, unless it was found or could not be."""
        if self.model is None and self.failed_with is None:
            try:
                self.model = await self.models.resolve(self.name)
            except PotokError as error:
                self.failed_with = error

    def as_source(self, *, spoke_alone: bool) -> Source:
        """Return what the rules want to know."""
        return Source(
            continues=self.capabilities.continues,
            calls=self.calls,
            is_out=self.refused or self.model is None,
            refuses_prefill=self.refuses_prefill,
            spoke_alone=spoke_alone,
        )
