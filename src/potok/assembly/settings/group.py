"""What all groups of settings have in common: where their values come from, in which order."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

__all__ = ["Group"]


class _Environment(EnvSettingsSource):
    """Reads the mapping it is given, so that nothing but `load_settings` decides what is read."""

    def __init__(self, group: type[BaseSettings], environ: dict[str, str]) -> None:
        super().__init__(group)
        self.env_vars = environ


class Group(BaseSettings):
    """Settings of one table. A variable of the environment wins over the file's line.

    A field's description ends the sentence "POTOK_... must be ...".
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="POTOK_")

    table: ClassVar[str]
    """The group's name in the settings file."""

    @field_validator("*", mode="before")
    @classmethod
    def refuse_truths(cls, value: object) -> object:
        """Refuse `port = true`, which pydantic would take for 1."""
        if isinstance(value, bool):
            raise ValueError("no setting of a group is true or false")
        return value

    @classmethod
    def read(cls, *, environ: Mapping[str, str], table: Mapping[str, Any]) -> Self:
        """Return the checked group.

        Args:
            environ: Variables with their names in small letters.
            table: The group's table in the settings file.

        Raises:
            ValidationError: pydantic's own, with a detail for each field that is wrong.
        """
        return cls(**{"environ": dict(environ), "table": dict(table)})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Replace the sources of pydantic-settings, which would read the process itself."""
        assert isinstance(init_settings, InitSettingsSource), "groups are made by `read`"
        given = init_settings.init_kwargs
        return (
            _Environment(settings_cls, given["environ"]),
            InitSettingsSource(settings_cls, given["table"]),
        )

    @classmethod
    def variable_of(cls, field: str) -> str:
        """Return the name of a field in the environment."""
        return f"{cls.model_config['env_prefix']}{field}".upper()
