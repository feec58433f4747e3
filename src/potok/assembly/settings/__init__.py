"""The settings of Potok and the one function that reads them."""

from potok.assembly.settings.chats import ChatsSettings
from potok.assembly.settings.demo import DemoSettings
from potok.assembly.settings.gguf import (
    GGUF_NAME,
    GgufPlace,
    GgufSettings,
    GgufTable,
    models_folder,
)
from potok.assembly.settings.hub import HubSettings, load_hub
from potok.assembly.settings.load import GROUPS, Settings, load_settings
from potok.assembly.settings.ollama import OllamaSettings
from potok.assembly.settings.providers import (
    DEMO_NAME,
    OpenAiSettings,
    ProviderAccount,
    ProviderTable,
)
from potok.assembly.settings.runs import RunsSettings
from potok.assembly.settings.server import ServerSettings
from potok.assembly.settings.storage import StorageSettings
from potok.assembly.settings.upstream import UpstreamSettings

__all__ = [
    "DEMO_NAME",
    "GGUF_NAME",
    "GROUPS",
    "ChatsSettings",
    "DemoSettings",
    "GgufPlace",
    "GgufSettings",
    "GgufTable",
    "HubSettings",
    "OllamaSettings",
    "OpenAiSettings",
    "ProviderAccount",
    "ProviderTable",
    "RunsSettings",
    "ServerSettings",
    "Settings",
    "StorageSettings",
    "UpstreamSettings",
    "load_hub",
    "load_settings",
    "models_folder",
]
