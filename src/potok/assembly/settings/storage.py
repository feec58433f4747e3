"""`[storage]`: where runs are kept, how surely and for how long."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from potok.assembly.settings.group import Group

__all__ = ["StorageSettings"]


def _check_redis_url(url: SecretStr) -> SecretStr:
    bare = url.get_secret_value().strip()
    parts = urlsplit(bare)
    # Reading the port checks it.
    is_host = parts.scheme in ("redis", "rediss") and parts.hostname and parts.port != 0
    if not is_host and not (parts.scheme == "unix" and parts.path):
        raise ValueError("no address of a Redis")
    return SecretStr(bare)


class StorageSettings(Group):
    """`POTOK_DATA_DIR` and its neighbours."""

    table: ClassVar[str] = "storage"

    @property
    def redis_place(self) -> str | None:
        """Where Redis is, to be shown: without user and password; None if none is set."""
        if self.redis_url is None:
            return None
        parts = urlsplit(self.redis_url.get_secret_value())
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    data_dir: Path | None = Field(default=None, description="the path of a folder")
    redis_url: Annotated[SecretStr, AfterValidator(_check_redis_url)] | None = Field(
        default=None,
        description="redis://user:password@host:port/0, rediss:// for TLS, or unix:///path",
    )
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
