"""Looks at a log's file without changing it, for `potok doctor`."""

import fcntl
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from potok.streamlog.sqlite_files import connect_reader
from potok.streamlog.sqlite_schema import APPLICATION_ID, SCHEMA_VERSION

__all__ = ["FileReport", "check_file"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What is known of a file. `fault` is a sentence, None if the log can be used.

    `is_in_use` says that a process holds the log, whatever else is true of it.
    """

    version: int = 0
    version_known: int = SCHEMA_VERSION
    runs: int = 0
    size_bytes: int = 0
    is_in_use: bool = False
    fault: str | None = None


def check_file(path: Path) -> FileReport | None:
    """Return what a log's file holds and whether it is sound; None if there is no file."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return None
    except OSError as error:
        return FileReport(fault=f"{path} cannot be looked at: {error.strerror}.")
    is_in_use = _is_locked(path)
    try:
        connection = connect_reader(path)
        try:
            return _read(connection, path, size_bytes=size, is_in_use=is_in_use)
        finally:
            connection.close()
    except sqlite3.Error as error:
        return FileReport(
            size_bytes=size, is_in_use=is_in_use, fault=f"{path} cannot be read: {error}."
        )


def _read(
    connection: sqlite3.Connection, path: Path, *, size_bytes: int, is_in_use: bool
) -> FileReport:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    owner: int = connection.execute("PRAGMA application_id").fetchone()[0]
    tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    fault, runs = None, 0
    if tables and owner != APPLICATION_ID:
        fault = f"{path} is a database of another program."
    elif version > SCHEMA_VERSION:
        fault = (
            f"{path} has schema version {version}; this Potok knows versions up to"
            f" {SCHEMA_VERSION}."
        )
    elif tables:
        found: str = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            fault = f"{path} is damaged: {found}."
        else:
            runs = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
    return FileReport(
        version=version, runs=runs, size_bytes=size_bytes, is_in_use=is_in_use, fault=fault
    )


def _is_locked(path: Path) -> bool:
    try:
        with path.with_name(path.name + ".lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
