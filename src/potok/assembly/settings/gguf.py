"""`[gguf]` and `[providers.<name>]` with `kind = "gguf"`: models in files of this machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import SettingsConfigDict

from potok.assembly.settings.group import Group
from potok.assembly.settings.problems import describe_table
from potok.models.gguf.options import GgufOptions

__all__ = [
    "GGUF_NAME",
    "GgufPlace",
    "GgufSettings",
    "GgufTable",
    "models_folder",
    "read_gguf_places",
]

GGUF_NAME = "gguf"
"""The provider of the files in the data folder."""

_DEFAULTS = GgufOptions()
_CONTEXT = "a number of tokens from 256 to 1048576"
_SLOTS = "a number from 1 to 64"
_THREADS = "a number from 0 (as many as there are cores) to 512"
_IDLE = "a number of seconds from 0 (never) to 86400"
_LOADED = "a number from 1 to 64"


class GgufSettings(Group):
    """`POTOK_GGUF_CONTEXT_TOKENS` and its neighbours; they hold for every file."""

    model_config = SettingsConfigDict(env_prefix="POTOK_GGUF_")
    table: ClassVar[str] = "gguf"

    context_tokens: int = Field(
        default=_DEFAULTS.context_tokens, ge=256, le=1_048_576, description=_CONTEXT
    )
    slots: int = Field(default=_DEFAULTS.slots, ge=1, le=64, description=_SLOTS)
    threads: int = Field(default=_DEFAULTS.threads, ge=0, le=512, description=_THREADS)
    idle_seconds: float = Field(
        default=_DEFAULTS.idle_seconds, ge=0, le=86_400, allow_inf_nan=False, description=_IDLE
    )
    loaded_max: int = Field(default=_DEFAULTS.loaded_max, ge=1, le=64, description=_LOADED)


class GgufTable(BaseModel):
    """One `[providers.<name>]` of the kind `gguf`; what is left out is taken from `[gguf]`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: Literal["gguf"] = Field(description="gguf")
    path: str = Field(min_length=1, description="the path of a .gguf file, or of a folder of them")
    context_tokens: int | None = Field(default=None, ge=256, le=1_048_576, description=_CONTEXT)
    slots: int | None = Field(default=None, ge=1, le=64, description=_SLOTS)
    threads: int | None = Field(default=None, ge=0, le=512, description=_THREADS)
    idle_seconds: float | None = Field(
        default=None, ge=0, le=86_400, allow_inf_nan=False, description=_IDLE
    )
    loaded_max: int | None = Field(default=None, ge=1, le=64, description=_LOADED)


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufPlace:
    """One provider of files. `must_exist` is false for the folder that nobody has to have."""

    name: str
    path: Path
    must_exist: bool
    serving: GgufOptions


def models_folder(data_dir: Path) -> Path:
    """Return where `potok models add` puts files, and where they are found."""
    return data_dir / "models"


def read_gguf_places(
    tables: Mapping[str, Any],
    gguf: GgufSettings,
    data_dir: Path,
    *,
    file: str,
    problems: list[str],
) -> tuple[GgufPlace, ...]:
    """Return the configured places, then the data folder's; faults go to `problems`."""
    common = gguf.model_dump()
    found: list[GgufPlace] = []
    content = tables.get("providers", {})
    for name, keys in content.items() if isinstance(content, dict) else ():
        if not (isinstance(keys, dict) and keys.get("kind") == "gguf"):
            continue
        place = f"providers.{name}"
        try:
            table = GgufTable.model_validate(keys)
        except ValidationError as error:
            problems.extend(describe_table(error, GgufTable, table=place, file=file))
            continue
        own = table.model_dump(exclude={"kind", "path"}, exclude_none=True)
        found.append(
            GgufPlace(
                name=name,
                path=Path(table.path).expanduser().absolute(),
                must_exist=True,
                serving=GgufOptions(**{**common, **own}),
            )
        )
    folder = GgufPlace(
        name=GGUF_NAME,
        path=models_folder(data_dir),
        must_exist=False,
        serving=GgufOptions(**common),
    )
    return (*found, folder)
