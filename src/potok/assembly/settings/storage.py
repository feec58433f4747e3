"""`[storage]`: where runs are kept, how surely and for how long."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from potok.assembly.settings.group import Group

__all__ = ["StorageSettings"]


class StorageSettings(Group):
    """`POTOK_DATA_DIR` and its neighbours."""

    table: ClassVar[str] = "storage"

    data_dir: Path | None = Field(default=None, description="the path of a folder")
    durability: Literal["normal", "full"] = Field(
        default="normal",
        description="normal (survives a crash of Potok) or full (survives a power cut too)",
    )
    events_kept_hours: float = Field(
        default=24.0,
        ge=1,
        le=24 * 366,
        allow_inf_nan=False,
        description="a number of hours from 1 to 8784",
    )
    runs_kept_days: float = Field(
        default=30.0,
        ge=1,
        le=3660,
        allow_inf_nan=False,
        description="a number of days from 1 to 3660",
    )
