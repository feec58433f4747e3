"""The model files of one place on this disk: a file by itself, or a folder of them."""

import re
from dataclasses import dataclass
from pathlib import Path

from potok.limits import GGUF_FILES_MAX, NAME_CHARACTERS_MAX
from potok.models.gguf.header import GgufHeader, NotGguf, read_header

__all__ = ["SUFFIX", "BrokenFile", "GgufFile", "Shelf", "name_of"]

SUFFIX = ".gguf"
# The first of several files has the model's name, and is the one that is opened.
_FIRST_PART = re.compile(r"-0*1-of-\d+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufFile:
    """One model; `changed_at` is in seconds since the epoch."""

    name: str
    path: Path
    size_bytes: int
    changed_at: int
    header: GgufHeader


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenFile:
    """A file that is no model that can be served; `why` ends the sentence "The file ... "."""

    name: str
    path: Path
    size_bytes: int
    why: str


def name_of(path: Path) -> str:
    """Return the name under which a file is served: its own, without the ending."""
    bare = path.name.removesuffix(SUFFIX)
    return _FIRST_PART.sub("", bare)


class Shelf:
    """Looks for files; remembers the heads of those that did not change.

    Args:
        place: A file, or a folder whose `*.gguf` are taken; it need not exist.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self._known: dict[tuple[Path, int, int], GgufHeader | str] = {}

    def find(self) -> tuple[tuple[GgufFile, ...], tuple[BrokenFile, ...]]:
        """Return the models, those for chats first, and the files that cannot be served; blocks.

        Raises:
            OSError: the place is there and cannot be read.
        """
        models: dict[str, GgufFile] = {}
        broken: dict[str, BrokenFile] = {}
        known: dict[tuple[Path, int, int], GgufHeader | str] = {}
        for path in self._paths():
            try:
                status = path.stat()
            except OSError:
                continue  # gone since the folder was read
            key = (path, status.st_mtime_ns, status.st_size)
            known[key] = header = self._known.get(key) or _look_into(path)
            name, size = name_of(path), status.st_size
            if isinstance(header, str):
                broken[name] = BrokenFile(name=name, path=path, size_bytes=size, why=header)
            elif header.use != "part" and name not in models and _is_usable(name):
                models[name] = GgufFile(
                    name=name,
                    path=path,
                    size_bytes=size,
                    changed_at=int(status.st_mtime),
                    header=header,
                )
        self._known = known
        in_order = sorted(models.values(), key=lambda model: model.header.use != "chat")
        return tuple(in_order), tuple(broken.values())

    def _paths(self) -> list[Path]:
        if not self.place.is_dir():
            return [self.place] if self.place.exists() else []
        found = [path for path in self.place.iterdir() if path.name.endswith(SUFFIX)]
        return sorted(path for path in found if path.is_file())[:GGUF_FILES_MAX]


def _look_into(path: Path) -> GgufHeader | str:
    try:
        return read_header(path)
    except NotGguf as error:
        return f"is no model: {error}"
    except OSError as error:
        return f"cannot be read: {error.strerror or type(error).__name__}"


def _is_usable(name: str) -> bool:
    return bool(name) and len(name) <= NAME_CHARACTERS_MAX and name.isprintable()
