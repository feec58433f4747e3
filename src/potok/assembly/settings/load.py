"""Reads all settings once: the environment, then the file it names. Nobody else reads either."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from potok.agents.sources import ModelRules
from potok.assembly.settings.chats import ChatsSettings
from potok.assembly.settings.demo import DemoSettings
from potok.assembly.settings.gguf import GgufPlace, GgufSettings, read_gguf_places
from potok.assembly.settings.group import Group
from potok.assembly.settings.models import read_models
from potok.assembly.settings.names import (
    CONFIG_VARIABLE,
    find_unknown_keys,
    find_unknown_variables,
)
from potok.assembly.settings.ollama import OllamaSettings
from potok.assembly.settings.problems import describe_group
from potok.assembly.settings.providers import (
    OpenAiSettings,
    ProviderAccount,
    find_ollama,
    read_aliases,
    read_providers,
)
from potok.assembly.settings.runs import RunsSettings
from potok.assembly.settings.server import ServerSettings
from potok.assembly.settings.storage import StorageSettings
from potok.assembly.settings.upstream import UpstreamSettings
from potok.errors import SettingInvalid

__all__ = ["GROUPS", "Settings", "load_settings"]

GROUPS: tuple[type[Group], ...] = (
    ServerSettings,
    StorageSettings,
    ChatsSettings,
    RunsSettings,
    UpstreamSettings,
    DemoSettings,
    GgufSettings,
)
G = TypeVar("G", bound=Group)
_LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, checked. `providers` are the configured ones: the demo is not among them.

    `guesses` are providers that nobody configured and that count only while they answer.
    """

    server: ServerSettings
    storage: StorageSettings
    chats: ChatsSettings
    runs: RunsSettings
    upstream: UpstreamSettings
    demo: DemoSettings
    providers: tuple[ProviderAccount, ...]
    guesses: tuple[ProviderAccount, ...]
    aliases: Mapping[str, str]
    models: Mapping[str, ModelRules]
    gguf_places: tuple[GgufPlace, ...]
    """Where model files are; the last one is the data folder's, which need not exist."""
    data_dir: Path
    config_path: Path | None
    is_plain: bool
    """Whether the terminal is not to be coloured (`NO_COLOR`, or `TERM=dumb`)."""


def load_settings(
    environ: Mapping[str, str] | None = None,
    config_path: Path | None = None,
    *,
    overrides: Mapping[str, str] | None = None,
) -> Settings:
    """Read and check every setting.

    Args:
        environ: `os.environ` unless given. An empty value counts as not set.
        config_path: The settings file; else the one in POTOK_CONFIG; else none.
        overrides: What the command line says, by the names of variables; wins over both.

    Raises:
        SettingInvalid: one line for each setting that cannot be used.
    """
    environ = {**(os.environ if environ is None else environ), **(overrides or {})}
    if config_path is None and environ.get(CONFIG_VARIABLE):
        config_path = Path(environ[CONFIG_VARIABLE]).expanduser()
    tables = _read_file(config_path)
    file = str(config_path)
    problems = [
        *find_unknown_variables(environ, GROUPS),
        *find_unknown_keys(tables, GROUPS, file=file),
    ]
    reader = _Reader(environ, tables, file, problems)
    server = reader.read(ServerSettings)
    storage = reader.read(StorageSettings)
    chats = reader.read(ChatsSettings)
    runs = reader.read(RunsSettings)
    upstream = reader.read(UpstreamSettings)
    demo = reader.read(DemoSettings)
    gguf = reader.read(GgufSettings)
    openai = reader.read(OpenAiSettings)
    ollama = reader.read(OllamaSettings)
    providers = read_providers(tables, openai, ollama, environ, file=file, problems=problems)
    aliases = read_aliases(tables, file=file, problems=problems)
    models = read_models(tables, aliases, file=file, problems=problems)
    data_dir = _find_data_dir(storage.data_dir, environ)
    gguf_places = read_gguf_places(tables, gguf, data_dir, file=file, problems=problems)
    problems.extend(_find_open_doors(server))
    if server.workers > 1 and storage.redis_url is None:
        problems.append(
            f"{server.workers} workers need a store that they share: set POTOK_REDIS_URL, or leave"
            " POTOK_WORKERS at 1."
        )
    if problems:
        raise SettingInvalid("\n".join(problems))
    return Settings(
        server=server,
        storage=storage,
        chats=chats,
        runs=runs,
        upstream=upstream,
        demo=demo,
        providers=providers,
        guesses=find_ollama(providers) if upstream.discovery == "on" else (),
        aliases=aliases,
        models=models,
        gguf_places=gguf_places,
        data_dir=data_dir,
        config_path=config_path,
        is_plain=bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb",
    )


class _Reader:
    def __init__(
        self,
        environ: Mapping[str, str],
        tables: Mapping[str, Any],
        file: str,
        problems: list[str],
    ) -> None:
        # Groups look names up in small letters; a variable in small letters is none of ours.
        self._lowered = {
            name.lower(): value for name, value in environ.items() if name.isupper() and value
        }
        self._environ, self._tables, self._file = environ, tables, file
        self._problems = problems

    def read(self, group: type[G]) -> G:
        # With a problem the answer holds defaults; `load_settings` then raises before using it.
        content = self._tables.get(group.table)
        keys = content.items() if isinstance(content, dict) else ()
        table = {key: value for key, value in keys if key in group.model_fields}
        try:
            return group.read(environ=self._lowered, table=table)
        except ValidationError as error:
            sentences = describe_group(error, group, environ=self._environ, file=self._file)
            self._problems.extend(sentences)
            return group.model_construct()


def _find_open_doors(server: ServerSettings) -> Iterator[str]:
    if server.api_key is not None:
        return
    if server.host not in _LOOPBACK_HOSTS:
        # The safety layer knows all of loopback, but brings the web framework with it.
        from potok.server.access import is_loopback

        if not is_loopback(server.host):
            yield (
                f"The host {server.host} can be reached from other machines, so the server needs"
                " a key: set POTOK_API_KEY, or leave POTOK_HOST at 127.0.0.1."
            )
    if "*" in server.cors_origins:
        yield (
            "POTOK_CORS_ORIGINS may be * only on a server with a key: set POTOK_API_KEY, or list"
            " the origins."
        )


def _read_file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise SettingInvalid(
            f"The settings file {path} cannot be read: {why}. Give another path in"
            f" {CONFIG_VARIABLE} or --config."
        ) from error
    except ValueError as error:  # TOML's own error, and bytes that are no UTF-8
        raise SettingInvalid(
            f"The settings file {path} is not valid TOML: {error}. Correct that place."
        ) from error


def _find_data_dir(chosen: Path | None, environ: Mapping[str, str]) -> Path:
    """Return the chosen folder, else `potok` in the user's data folder (XDG base directories)."""
    try:
        if chosen is not None:
            return chosen.expanduser().absolute()
        shared = environ.get("XDG_DATA_HOME", "")
        base = Path(shared) if shared.startswith("/") else Path.home() / ".local" / "share"
    except RuntimeError as error:  # no HOME, and no account to ask for one
        raise SettingInvalid(
            "No home folder was found to keep runs in. Set POTOK_DATA_DIR to a folder."
        ) from error
    return base / "potok"
