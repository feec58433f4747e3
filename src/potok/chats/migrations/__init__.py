"""Steps of the chats' schema, one module each, run by Alembic. A released step is never edited."""

__all__ = ["HEAD", "KNOWN"]

KNOWN = ("0001",)
"""All steps of this version, the oldest first: a database with another one is newer."""

HEAD = KNOWN[-1]
