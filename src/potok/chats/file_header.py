"""Looks at a SQLite file without SQLite, so that a server that may not start says so at once."""

from pathlib import Path

from potok.chats.migrations import HEAD, KNOWN
from potok.errors import DatabaseNewer, DatabaseUnusable, DataFolderUnusable

__all__ = ["APPLICATION_ID", "check_file", "newer"]

APPLICATION_ID = 0x504F5443
"""`POTC`, in a SQLite file's header: tells chats of Potok from another program's database."""

# SQLite file format 1.3: how the header begins, how long it is, and where two numbers stand.
_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100
_VERSION_PLACE = slice(60, 64)
_APPLICATION_PLACE = slice(68, 72)


def check_file(path: Path) -> None:
    """Refuse a file that a newer Potok wrote; none is as good as one of this version.

    Raises:
        DatabaseNewer: its schema has a step that this version does not know.
        DatabaseUnusable: it is another program's.
        DataFolderUnusable: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        # Whoever makes the folder says what is wrong with it.
        return
    except OSError as error:
        raise DataFolderUnusable(
            f"The chats in {path} cannot be read: {error.strerror or type(error).__name__}. Make it"
            " readable, or choose another folder with POTOK_DATA_DIR."
        ) from error
    if not header:
        # SQLite itself makes an empty file before it writes its first page.
        return
    owner = int.from_bytes(header[_APPLICATION_PLACE], "big")
    if not header.startswith(_MAGIC) or owner not in (0, APPLICATION_ID):
        raise DatabaseUnusable(
            f"{path} is not a database of chats. Move it away, or choose another folder with"
            " POTOK_DATA_DIR."
        )
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
