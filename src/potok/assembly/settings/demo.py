"""`[demo]`: the model that is built in."""

from typing import ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from potok.assembly.settings.group import Group

__all__ = ["DemoSettings"]


class DemoSettings(Group):
    """`POTOK_DEMO_TOKENS_PER_SECOND`."""

    model_config = SettingsConfigDict(env_prefix="POTOK_DEMO_")
    table: ClassVar[str] = "demo"

    tokens_per_second: float = Field(
        default=40.0,
        ge=0,
        le=100_000,
        allow_inf_nan=False,
        description="a number from 0 (as fast as it is read) to 100000",
    )
