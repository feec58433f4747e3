"""Which hosts, pages and callers may use the server: the rules, as values. Reads no request's body.

A server on loopback asks for no login, so web pages elsewhere must not be able to use it in their
visitors' names: that is what the host list and the origins are for.
"""

import ipaddress
import re
from dataclasses import dataclass, field

from potok.errors import SettingInvalid
from potok.server.principals import LocalPrincipal, Principals

__all__ = ["Access", "is_loopback", "is_origin_of_host", "name_in_host", "tidy_origin"]

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_ORIGIN = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<place>[^/?#@\s]+)", re.ASCII)
_HOST = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::\d{1,5})?", re.ASCII)
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may use the server.

    Host names are checked on loopback, and wherever `hosts` lists some. On another address with a
    key and an empty list any name passes: a key is no cookie, so a page that reaches the server
    under a name of its own has none, and in a container the server cannot know its names.

    Args:
        bind_host: What the server listens on.
        hosts: More names it answers for, without ports.
        cors_origins: Origins (`https://chat.example.com`) whose pages may use it; `*` for all,
            only where a key is needed.

    Raises:
        SettingInvalid: it would be open to everybody, or an origin is none.
    """

    bind_host: str = "127.0.0.1"
    hosts: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    principals: Principals = field(default_factory=LocalPrincipal)

    def __post_init__(self) -> None:
        if not self.principals.needs_key and not is_loopback(self.bind_host):
            raise SettingInvalid(
                f"A server on {self.bind_host} can be reached by others, so it needs a key: set"
                " POTOK_API_KEY, or listen on 127.0.0.1."
            )
        for origin in self.cors_origins:
            if origin == "*" and self.principals.needs_key:
                continue
            if tidy_origin(origin) is None:
                raise SettingInvalid(
                    f"POTOK_CORS_ORIGINS lists {origin[:200]!r}, which is no origin. Write"
                    " `https://chat.example.com`: scheme, host and port alone; `*` only with"
                    " POTOK_API_KEY."
                )

    def answers_for(self, host: str) -> bool:
        """Whether a request with this Host header is meant for this server."""
        name = name_in_host(host)
        if name is None:
            return False
        if not is_loopback(self.bind_host) and not self.hosts:
            return True
        listed = {_bare(name) for name in (self.bind_host, *self.hosts)}
        return name in _LOOPBACK_NAMES or name in listed

    def allows_origin(self, origin: str | None) -> bool:
        """Whether pages of another origin may use the server."""
        tidy = tidy_origin(origin) if origin else None
        if tidy is None:
            return False
        return "*" in self.cors_origins or tidy in map(tidy_origin, self.cors_origins)


def is_loopback(host: str) -> bool:
    """Whether a server bound to `host` is reached from this machine only."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(_bare(host)).is_loopback
    except ValueError:
        return False


def name_in_host(host: str) -> str | None:
    """Return the name of a Host header: `[::1]:80` is `::1`, `Localhost.:80` is `localhost`.

    None for anything that is no host.
    """
    found = _HOST.fullmatch(host.lower())
    return None if found is None else found["v6"] or found["name"].removesuffix(".")


def tidy_origin(origin: str) -> str | None:
    """Return the origin in the one form that is compared, None if it is no origin."""
    found = _ORIGIN.fullmatch(origin.lower().removesuffix("/"))
    if found is None:
        return None
    default_port = _DEFAULT_PORTS.get(found["scheme"], " ")
    return f"{found['scheme']}://{found['place'].removesuffix(default_port)}"


def is_origin_of_host(origin: str, host: str) -> bool:
    """Whether a page of `origin` came from the server that `host` names, by either scheme.

    The scheme is not compared: a proxy may speak HTTPS to the page and HTTP to this server.
    """
    found = _ORIGIN.fullmatch(origin.lower())
    if found is None:
        return False
    default_port = _DEFAULT_PORTS.get(found["scheme"], " ")
    return found["place"].removesuffix(default_port) == host.lower().removesuffix(default_port)


def _bare(host: str) -> str:
    return host.lower().strip("[]")
