"""`[runs]`: how runs live, wait for their readers and go on after a crash."""

from typing import ClassVar

from pydantic import Field

from potok import limits
from potok.assembly.settings.group import Group

__all__ = ["RunsSettings"]


class RunsSettings(Group):
    """`POTOK_HEARTBEAT_SECONDS` and its neighbours."""

    table: ClassVar[str] = "runs"

    heartbeat_seconds: float = Field(
        default=15.0,
        ge=0.01,
        le=60,
        allow_inf_nan=False,
        description="a number of seconds from 0.01 to 60",
    )
    disconnect_grace_seconds: float = Field(
        default=15.0,
        ge=0,
        le=3600,
        allow_inf_nan=False,
        description="a number of seconds from 0 to 3600",
    )
    recover_age_max_seconds: float = Field(
        default=600.0,
        ge=0,
        le=24 * 3600,
        allow_inf_nan=False,
        description="a number of seconds from 0 (no crashed run goes on) to 86400",
    )
    live_runs_max: int = Field(
        default=limits.LIVE_RUNS_MAX,
        ge=1,
        le=limits.LIVE_RUNS_MAX,
        description=f"a whole number from 1 to {limits.LIVE_RUNS_MAX}",
    )
    answer_calls_max: int = Field(
        default=limits.CONTINUATION_CALLS_MAX,
        ge=1,
        le=20,
        description="a whole number from 1 (nobody goes on with a broken answer) to 20",
    )
    answer_repair_seconds_max: float = Field(
        default=limits.CONTINUATION_SECONDS_MAX,
        ge=0,
        le=3600,
        allow_inf_nan=False,
        description="a number of seconds from 0 to 3600",
    )
