"""What people may give `potok models add`: a file, an address, or an id at a hub. Pure."""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from potok.errors import ModelFileRefused
from potok.limits import NAME_CHARACTERS_MAX
from potok.models.gguf.files import SUFFIX

__all__ = ["HubId", "check_name", "name_from_url", "parse_hub_id"]

_HUB_ID = re.compile(
    r"(?P<repository>\w[\w.-]*/\w[\w.-]*)(@(?P<revision>[\w./-]+))?(:(?P<file>[^:\\]+))?"
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class HubId:
    """`org/repo`, then perhaps `@revision`, then perhaps `:file`."""

    repository: str
    revision: str
    file: str | None

    def url(self, hub: str) -> str:
        """Return where the file is, at a hub's address."""
        assert self.file is not None, "a file is named, or found in the list, before it is fetched"
        revision = quote(self.revision, safe="")
        return f"{hub}/{self.repository}/resolve/{revision}/{quote(self.file)}"

    def list_url(self, hub: str) -> str:
        """Return where the hub lists the repository's files."""
        return f"{hub}/api/models/{self.repository}/revision/{quote(self.revision, safe='')}"


def parse_hub_id(text: str) -> HubId | None:
    """Return what an id means, None if it is none."""
    found = _HUB_ID.fullmatch(text)
    if found is None or ".." in text:
        return None
    return HubId(
        repository=found["repository"],
        revision=found["revision"] or "main",
        file=found["file"],
    )


def name_from_url(url: str) -> str:
    """Return the name that the file at an address suggests; may be none that can be used."""
    return unquote(urlsplit(url).path).rpartition("/")[2].removesuffix(SUFFIX)


def check_name(name: str) -> str:
    """Return a name for a model.

    Raises:
        ModelFileRefused: it is none.
    """
    bare = name.removesuffix(SUFFIX)
    if not _NAME.fullmatch(bare) or len(bare) > NAME_CHARACTERS_MAX:
        raise ModelFileRefused(
            f"{bare[:100]!r} cannot be a model's name: it has letters, digits, . _ + and -, and"
            " begins with a letter or a digit. Give one with --name."
        )
    return bare
