"""The Lua scripts of the Redis log, each a file in `lua/`, with what stands before all of them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["Command", "Script", "all_scripts", "script", "script_call"]

Value = str | bytes | int | float
Command = Sequence[Value]
"""A command's words, as they go to Redis."""

_FOLDER = files("potok.streamlog") / "lua"
_COMMON = "common"


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """`sha` is the name under which Redis keeps it."""

    name: str
    source: str
    sha: str


@cache
def script(name: str) -> Script:
    """Return the script `lua/<name>.lua`; its first line tells Redis how it may be run."""
    head, _, body = (_FOLDER / f"{name}.lua").read_text(encoding="utf-8").partition("\n")
    common = (_FOLDER / f"{_COMMON}.lua").read_text(encoding="utf-8")
    source = f"{head}\n{common}\n{body}"
    # Redis names scripts by this digest; nothing is kept secret by it.
    sha = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
    return Script(name=name, source=source, sha=sha)


@cache
def all_scripts() -> tuple[Script, ...]:
    """Return every script, to be given to a Redis that does not know them."""
    names = sorted(one.name.removesuffix(".lua") for one in _FOLDER.iterdir())
    return tuple(script(name) for name in names if name != _COMMON)


def script_call(name: str, keys: Sequence[str], *arguments: Value) -> Command:
    """Return the command that runs a script; all `keys` have one hash tag."""
    return ("EVALSHA", script(name).sha, len(keys), *keys, *arguments)
