"""`[server]`: where the server listens, and who may use it."""

import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from potok import limits
from potok.assembly.settings.group import Group
from potok.assembly.settings.keys import KEY_RULE, Key

__all__ = ["ServerSettings"]

_ORIGIN = re.compile(r"https?://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
_HOST = re.compile(r"\[[0-9a-fA-F:.]+\]|[0-9a-fA-F:]*:[0-9a-fA-F:.]*|[A-Za-z0-9._-]+")


def _split(value: object) -> object:
    # The environment has one string, the file a list.
    if isinstance(value, str):
        return tuple(word for word in (piece.strip() for piece in value.split(",")) if word)
    return value


def _check_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    stripped = tuple(origin.removesuffix("/") for origin in origins)
    if not all(origin == "*" or _ORIGIN.fullmatch(origin) for origin in stripped):
        raise ValueError
    return stripped


def _check_hosts(hosts: tuple[str, ...]) -> tuple[str, ...]:
    if not all(_HOST.fullmatch(host) for host in hosts):
        raise ValueError
    return hosts


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class ServerSettings(Group):
    """`POTOK_HOST` and its neighbours."""

    table: ClassVar[str] = "server"

    host: str = Field(
        default="127.0.0.1",
        pattern=r"^[A-Za-z0-9.:_-]+$",
        description="a host name or an IP address of this machine, without a port",
    )
    port: int = Field(
        default=8000,
        ge=0,
        le=65535,
        description="a whole number from 0 to 65535, where 0 takes any free port",
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=limits.WORKERS_MAX,
        description=f"a whole number from 1 to {limits.WORKERS_MAX}",
    )
    api_key: Key | None = Field(default=None, description=KEY_RULE)
    cors_origins: Annotated[Words, AfterValidator(_check_origins)] = Field(
        default=(),
        description=(
            "origins such as https://app.example.com, separated by commas, without a path, or *"
        ),
    )
    allowed_hosts: Annotated[Words, AfterValidator(_check_hosts)] = Field(
        default=(),
        description="host names such as potok.example.com, separated by commas, without a port",
    )
