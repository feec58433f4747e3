"""`OLLAMA_HOST`, as Ollama's own programs read it, and the address that it means."""

import re
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from potok.assembly.settings.group import Group

__all__ = ["OLLAMA_URL", "OllamaSettings", "is_ollamas_place", "ollama_url"]

OLLAMA_URL = "http://127.0.0.1:11434"
"""Where Ollama listens unless it is told otherwise."""

_PORT = "11434"
_PLACE = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]*)(:(?P<port>[0-9]{1,5}))?")
_EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "[::]": "[::1]"}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def ollama_url(host: str) -> str:
    """Return the base URL that a host means, with or without scheme, port and path.

    Without a scheme the port is Ollama's, with one it is the scheme's. An address on which a server
    listens everywhere (`0.0.0.0`) becomes one at which this machine reaches it.

    Raises:
        ValueError: it means none.
    """
    scheme, has_scheme, rest = host.strip().strip("\"'").strip().rpartition("://")
    place, _, path = rest.partition("/")
    if place.count(":") > 1 and not place.startswith("["):
        place = f"[{place}]"  # an IPv6 address alone
    found = _PLACE.fullmatch(place)
    port = (found and found["port"]) or ("" if has_scheme else _PORT)
    if found is None or int(port or 1) > 65535 or (scheme or "http") not in ("http", "https"):
        raise ValueError("no address of a server")
    name = _EVERYWHERE.get(found["name"], found["name"])
    return f"{scheme or 'http'}://{name}{f':{port}' if port else ''}/{path}".rstrip("/")


def is_ollamas_place(url: str) -> bool:
    """Whether an address is where Ollama listens on this machine, whatever is spoken there."""
    try:
        parts = urlsplit(url)
        return parts.hostname in _LOOPBACK and parts.port == int(_PORT)
    except ValueError:  # no port that there is; the provider itself will say so
        return False


class OllamaSettings(Group):
    """The variable that Ollama's own programs read; it is enough to get the provider."""

    model_config = SettingsConfigDict(env_prefix="OLLAMA_")
    table: ClassVar[str] = ""

    host: Annotated[str | None, AfterValidator(lambda host: host and ollama_url(host))] = Field(
        default=None, description="a host, host:port or URL such as http://gpu.lan:11434"
    )
