"""`[providers.<name>]`, `[aliases]`, `OPENAI_...`, `OLLAMA_HOST`: who answers under which name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from potok.assembly.settings.gguf import GGUF_NAME
from potok.assembly.settings.group import Group
from potok.assembly.settings.keys import KEY_RULE, Key, check_key
from potok.assembly.settings.ollama import OLLAMA_URL, OllamaSettings, is_ollamas_place
from potok.assembly.settings.problems import describe_table
from potok.limits import NAME_CHARACTERS_MAX

__all__ = [
    "DEMO_NAME",
    "OLLAMA_NAME",
    "OPENAI_BASE_URL",
    "OpenAiSettings",
    "ProviderAccount",
    "ProviderTable",
    "find_ollama",
    "read_aliases",
    "read_providers",
]

DEMO_NAME = "demo"
OLLAMA_NAME = "ollama"

Kind = Literal["openai", "ollama"]
OPENAI_BASE_URL = "https://api.openai.com/v1"
_URL = re.compile(r"https?://[^\s/?#]+[^\s#]*")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_URL_RULE = "an http or https address such as https://llm.example.com/v1"


def _check_url(url: str) -> str:
    if not _URL.fullmatch(url):
        raise ValueError
    return url.rstrip("/")


class OpenAiSettings(Group):
    """The two variables that OpenAI's own SDK reads; either is enough to get the provider."""

    model_config = SettingsConfigDict(env_prefix="OPENAI_")
    table: ClassVar[str] = ""

    api_key: Key | None = Field(default=None, description=KEY_RULE)
    base_url: Annotated[str | None, AfterValidator(lambda url: url and _check_url(url))] = Field(
        default=None, description=_URL_RULE
    )


class ProviderTable(BaseModel):
    """One `[providers.<name>]`. Keys stay out of files: `api_key_env` names a variable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind = Field(default="openai", description="openai, ollama or gguf")
    base_url: Annotated[str | None, AfterValidator(lambda url: url and _check_url(url))] = Field(
        default=None, description=_URL_RULE
    )
    api_key_env: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="the name of a variable of the environment that holds the key",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAccount:
    """One provider, ready to be connected."""

    name: str
    kind: Kind
    base_url: str
    api_key: SecretStr | None
    key_variable: str
    """The variable of the environment that holds the key, or could."""


def read_providers(
    tables: Mapping[str, Any],
    openai: OpenAiSettings,
    ollama: OllamaSettings,
    environ: Mapping[str, str],
    *,
    file: str,
    problems: list[str],
) -> tuple[ProviderAccount, ...]:
    """Return the configured providers, those of the file first; faults go to `problems`.

    The `OPENAI_...` variables make the provider `openai`, unless the file has one of that name, and
    `OLLAMA_HOST` makes `ollama`, unless the file has it or another one of that kind at its address.
    """
    found: list[ProviderAccount] = []
    content = tables.get("providers", {})
    for name, keys in content.items() if isinstance(content, dict) else ():
        place = f"providers.{name}"
        if not isinstance(keys, dict):
            problems.append(f"{place} in {file} must be a table. Write [{place}].")
            continue
        if not _NAME.fullmatch(name) or name in (DEMO_NAME, GGUF_NAME):
            problems.append(
                f"[{place}] in {file} cannot be called so: a provider's name has small letters,"
                f" digits, - and _, begins with a letter, and is not {DEMO_NAME} or {GGUF_NAME}."
            )
        if keys.get("kind") == "gguf":
            continue  # see `settings.gguf`
        try:
            table = ProviderTable.model_validate(keys)
        except ValidationError as error:
            problems.extend(describe_table(error, ProviderTable, table=place, file=file))
            continue
        account = _read_account(name, table, ollama, environ, problems)
        if account is not None:
            found.append(account)
    if (openai.api_key or openai.base_url) and "openai" not in content:
        found.append(
            ProviderAccount(
                name="openai",
                kind="openai",
                base_url=openai.base_url or OPENAI_BASE_URL,
                api_key=openai.api_key,
                key_variable=OpenAiSettings.variable_of("api_key"),
            )
        )
    if ollama.host is not None and OLLAMA_NAME not in content:
        account = _ollama_at(ollama.host)
        if ("ollama", account.base_url) not in ((one.kind, one.base_url) for one in found):
            found.append(account)
    return tuple(found)


def find_ollama(providers: tuple[ProviderAccount, ...]) -> tuple[ProviderAccount, ...]:
    """Return the account of an Ollama that may be on this machine though nobody configured it.

    None where a provider has its name or its address already.
    """
    is_known = any(
        account.name == OLLAMA_NAME or is_ollamas_place(account.base_url) for account in providers
    )
    return () if is_known else (_ollama_at(OLLAMA_URL),)


def _ollama_at(url: str) -> ProviderAccount:
    return ProviderAccount(
        name=OLLAMA_NAME,
        kind="ollama",
        base_url=url,
        api_key=None,
        key_variable=_key_of_table(OLLAMA_NAME),
    )


def _read_account(
    name: str,
    table: ProviderTable,
    ollama: OllamaSettings,
    environ: Mapping[str, str],
    problems: list[str],
) -> ProviderAccount | None:
    variable, key = table.api_key_env, None
    if variable is not None:
        try:
            key = check_key(SecretStr(environ.get(variable, "")))
        except ValueError:
            problems.append(
                f"The provider {name!r} takes its key from {variable}, which is not set or holds"
                f" no key. Set {variable}, or remove api_key_env if the provider needs none."
            )
            return None
    return ProviderAccount(
        name=name,
        kind=table.kind,
        base_url=_base_url_of(table, ollama),
        api_key=key,
        key_variable=variable or _key_of_table(name),
    )


def _base_url_of(table: ProviderTable, ollama: OllamaSettings) -> str:
    if table.kind == "openai":
        return table.base_url or OPENAI_BASE_URL
    url = table.base_url or ollama.host or OLLAMA_URL
    # Other programs are given the place of one API of Ollama's; this one chooses itself.
    return url.removesuffix("/v1").removesuffix("/api")


def _key_of_table(name: str) -> str:
    return f"api_key_env in [providers.{name}]"


def read_aliases(tables: Mapping[str, Any], *, file: str, problems: list[str]) -> Mapping[str, str]:
    """Return further names of models; faults go to `problems`."""
    content = tables.get("aliases", {})
    found: dict[str, str] = {}
    for alias, model in content.items() if isinstance(content, dict) else ():
        is_right = isinstance(model, str) and 0 < len(model) <= NAME_CHARACTERS_MAX
        if not is_right or not 0 < len(alias) <= NAME_CHARACTERS_MAX:
            problems.append(
                f"{alias!r} in [aliases] of {file} must be the name of a model, such as"
                f' "openai/gpt-5", of at most {NAME_CHARACTERS_MAX} characters.'
            )
        else:
            found[alias] = model
    return found
