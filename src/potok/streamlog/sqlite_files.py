"""The files of a SQLite log: its folder, the lock that makes it this process's, its connections."""

import fcntl
import os
import sqlite3
from pathlib import Path
from typing import Literal

from potok.errors import DataFolderInUse, DataFolderUnusable, SetupError
from potok.limits import SQLITE_BUSY_SECONDS, SQLITE_WAL_BYTES_MAX

__all__ = ["Durability", "FileLock", "connect_reader", "connect_writer", "make_folder", "unusable"]

Durability = Literal["normal", "full"]
"""`normal` survives the death of the process, `full` also the loss of power."""


class FileLock:
    """Holds `<path>.lock` for as long as the process lives or until `release`.

    The kernel gives it up when the process dies, however it dies; the file stays, with the pid of
    its last holder in it.
    """

    def __init__(self, path: Path) -> None:
        """Take the lock; raises `DataFolderInUse` if another log has it, `OSError` else."""
        self._path = path.with_name(path.name + ".lock")
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._file, 20, 0).decode(errors="replace").strip()
            self.release()
            raise DataFolderInUse(
                f"{path} is in use by another Potok (process {holder or 'unknown'}). Stop that one,"
                " or give this one a folder of its own with POTOK_DATA_DIR."
            ) from error
        except BaseException:
            self.release()
            raise
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock up."""
        os.close(self._file)


def make_folder(path: Path) -> None:
    """Make the folder that `path` is in, for its owner alone; raises `DataFolderUnusable`."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unusable(path, error) from error


def connect_writer(path: Path, *, durability: Durability) -> sqlite3.Connection:
    """Open the connection that writes; raises `sqlite3.Error`, `OSError`."""
    # A log holds what people asked and were told: only its owner may read a file that is made here.
    # SQLite gives the files beside it the same rights.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = _connect(path)
    connection.execute("PRAGMA foreign_keys = OFF")
    # Deleted segments need not be overwritten with zeros: that would double the work of retention.
    connection.execute("PRAGMA secure_delete = FAST")
    connection.execute(f"PRAGMA journal_size_limit = {SQLITE_WAL_BYTES_MAX}")
    connection.execute(f"PRAGMA synchronous = {'FULL' if durability == 'full' else 'NORMAL'}")
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open one connection that only reads; raises `sqlite3.Error`."""
    connection = _connect(path)
    connection.execute("PRAGMA query_only = ON")
    return connection


def unusable(path: Path, error: Exception) -> SetupError:
    """Say that the log cannot be kept at `path`, and what to do."""
    if isinstance(error, SetupError):
        return error
    return DataFolderUnusable(
        f"The event log cannot be kept in {path}: {error}. Make {path.parent} a folder that this"
        " user may write and that holds no damaged log, or choose another with POTOK_DATA_DIR."
    )


def _connect(path: Path) -> sqlite3.Connection:
    # Each connection stays in one thread at a time; which one, its owner sees to. Transactions are
    # written out.
    connection = sqlite3.connect(
        path, timeout=SQLITE_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection
