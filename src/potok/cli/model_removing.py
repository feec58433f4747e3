"""`potok models remove`: deletes a model's file, all its parts, and what a download left."""

import re
from pathlib import Path

from potok.cli.exits import Exit
from potok.errors import ModelFileRefused
from potok.models.gguf.files import SUFFIX, name_of

__all__ = ["remove_model"]


def remove_model(folder: Path, name: str) -> Exit:
    """Delete a model of the folder.

    Raises:
        ModelFileRefused: there is none of that name, or it cannot be deleted.
    """
    bare = name.removeprefix("gguf/").removesuffix(SUFFIX)
    paths = [path for path in _paths_in(folder) if _belongs(path, bare)]
    if not paths:
        known = sorted({name_of(path) for path in _paths_in(folder) if path.name.endswith(SUFFIX)})
        there = f" There are: {', '.join(known)}." if known else ""
        raise ModelFileRefused(f"There is no model {bare[:200]!r} in {folder}.{there}")
    for path in paths:
        try:
            path.unlink()
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise ModelFileRefused(f"{path} cannot be deleted: {why}.") from error
    print(f"{bare} is deleted.")
    return Exit.DONE


def _paths_in(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _belongs(path: Path, name: str) -> bool:
    parts = rf"(-\d+-of-\d+)?{re.escape(SUFFIX)}(\.part(\.json)?)?"
    return re.fullmatch(re.escape(name) + parts, path.name) is not None
