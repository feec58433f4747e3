"""Looks at a SQLite file without SQLite, so that a server that may not start says so at once."""

from pathlib import Path

from potok.chats.migrations import HEAD, KNOWN
from potok.errors import DatabaseNewer, DatabaseUnusable

__all__ = ["check_file", "newer"]

# SQLite file format 1.3: where the header holds the user version, and how long it is.
_HEADER_BYTES = 100
_VERSION_PLACE = slice(60, 64)


def check_file(path: Path) -> None:
    """Refuse a file that a newer Potok wrote; none is as good as one of this version.

    Raises:
        DatabaseNewer: its schema has a step that this version does not know.
        DatabaseUnusable: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except FileNotFoundError:
        return
    except OSError as error:
        raise DatabaseUnusable(
            f"The chats in {path} cannot be read: {error.strerror or type(error).__name__}. Make it"
            " readable, or choose another folder with POTOK_DATA_DIR."
        ) from error
    version = int.from_bytes(header[_VERSION_PLACE], "big")
    if version > len(KNOWN):
        raise newer(str(path), f"{version:04}")


def newer(place: str, version: str) -> DatabaseNewer:
    """Say that a database is newer than this version, and what to do."""
    return DatabaseNewer(
        f"The chats in {place} have schema {version}; this Potok knows schemas up to {HEAD}."
        " Install the newer Potok again, or choose another database with POTOK_DATABASE_URL or"
        " POTOK_DATA_DIR. Nothing was changed."
    )
