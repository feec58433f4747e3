"""The built parts that a route may use. Built by `assembly`, or by a test."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from potok.apps.host import AppHost
from potok.clock import Clock, IdSource
from potok.errors import PotokError
from potok.models.contract import ChatModel, ModelInfo
from potok.runs.conversations import Conversations
from potok.runs.service import RunService
from potok.server.access import Access
from potok.server.static_ui import StaticUi
from potok.telemetry import Observer

__all__ = ["About", "ModelList", "Services"]


class ModelList(Protocol):
    """What the server asks of the models; `potok.models.catalogue.Catalogue` is one."""

    @property
    def failures(self) -> Mapping[str, PotokError]:
        """Why providers could not be asked for their models, by provider."""
        ...

    async def list(self) -> tuple[ModelInfo, ...]:
        """Return the models of all providers that can be asked, in the providers' order."""
        ...

    async def resolve(self, name: str | None) -> ChatModel:
        """Return the model that a name means; raises `ModelUnknown` or a `PeerError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the server says of itself.

    `address` is the one it prints, `http://127.0.0.1:8000`; `data_folder` and `log_backend` are
    shown where no key is needed only.
    """

    version: str
    address: str
    data_folder: str
    log_backend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """All parts of one server process."""

    runs: RunService
    catalogue: ModelList
    clock: Clock
    ids: IdSource
    observer: Observer
    access: Access
    about: About
    chats: Conversations | None = None
    """None where nobody keeps chats; their paths then do not exist."""
    apps: AppHost | None = None
    """None where no app is installed."""
    ui: StaticUi | None = None
    """None where the web page was not built; a plain one then says what runs here."""
