"""`[upstream]`: how long Potok waits for a provider, and how much it asks of one at once."""

from typing import ClassVar, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from potok import limits
from potok.assembly.settings.group import Group

__all__ = ["UpstreamSettings"]


class UpstreamSettings(Group):
    """`POTOK_UPSTREAM_CONNECT_SECONDS` and its neighbours; bounds hold for each provider."""

    model_config = SettingsConfigDict(env_prefix="POTOK_UPSTREAM_")
    table: ClassVar[str] = "upstream"

    connect_seconds: float = Field(
        default=limits.UPSTREAM_CONNECT_SECONDS,
        gt=0,
        le=600,
        allow_inf_nan=False,
        description="a number of seconds above 0, at most 600",
    )
    first_token_seconds: float = Field(
        default=limits.UPSTREAM_FIRST_TOKEN_SECONDS,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        description="a number of seconds above 0, at most 3600",
    )
    token_gap_seconds: float = Field(
        default=limits.UPSTREAM_TOKEN_GAP_SECONDS,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        description="a number of seconds above 0, at most 3600",
    )
    total_seconds: float = Field(
        default=limits.UPSTREAM_TOTAL_SECONDS,
        gt=0,
        le=24 * 3600,
        allow_inf_nan=False,
        description="a number of seconds above 0, at most 86400",
    )
    calls_max: int = Field(
        default=limits.UPSTREAM_CALLS_MAX,
        ge=1,
        le=10_000,
        description="a whole number from 1 to 10000",
    )
    waiting_max: int = Field(
        default=limits.UPSTREAM_WAITING_MAX,
        ge=0,
        le=10_000,
        description="a whole number from 0 to 10000",
    )
    wait_seconds: float = Field(
        default=limits.UPSTREAM_WAIT_SECONDS_MAX,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        description="a number of seconds above 0, at most 3600",
    )
    discovery: Literal["on", "off"] = Field(
        default="on",
        description="on (an Ollama on this machine is found by itself) or off",
    )
