"""Brings a database to the schema of this version, or refuses it unchanged."""

import sqlite3

from potok.errors import DatabaseNewer, DataFolderUnusable
from potok.streamlog.migrations import STEPS

__all__ = ["APPLICATION_ID", "SCHEMA_VERSION", "migrate"]

APPLICATION_ID = 0x504F544B
"""`POTK`, in the file's header: tells a log of Potok from another program's database."""

SCHEMA_VERSION = len(STEPS)


def migrate(connection: sqlite3.Connection, *, path: str) -> None:
    """Run the steps that the database lacks, each in a transaction of its own.

    Raises:
        DatabaseNewer: a newer Potok wrote it.
        DataFolderUnusable: another program did.
        sqlite3.Error: the file cannot be read or written.
    """
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    owner: int = connection.execute("PRAGMA application_id").fetchone()[0]
    tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if (version or tables) and owner != APPLICATION_ID:
        raise DataFolderUnusable(
            f"{path} is a database of another program. Move it away, or choose another folder with"
            " POTOK_DATA_DIR."
        )
    if version > SCHEMA_VERSION:
        raise DatabaseNewer(
            f"{path} has schema version {version}; this Potok knows versions up to"
            f" {SCHEMA_VERSION}. Install the newer Potok again, or choose another folder with"
            " POTOK_DATA_DIR. Nothing was changed."
        )
    for number in range(version, SCHEMA_VERSION):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in STEPS[number]:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
