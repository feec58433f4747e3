"""The words of messages and titles in the database: two dialects of SQL, one meaning.

A document is a message, or a chat's title. Documents are numbered as they come, so the newest hit
has the highest number, and both databases can stop after the first few of them.
"""

import asyncio
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Protocol

from sqlalchemy import Row, delete, insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from potok.chats.search_text import Query, words_of
from potok.chats.tables import search_documents
from potok.limits import SEARCH_COUNT_DOCUMENTS_MIN, SEARCH_INLINE_CHARACTERS_MAX

__all__ = ["Document", "Index", "index_of", "prepare", "replace_title"]

Document = tuple[str, int, int | None, list[str]]
"""A principal, a chat, a message (None for the title), and the document's words."""


async def prepare(content: str) -> list[str]:
    """Return a text's words, a long one's outside the event loop."""
    if len(content) <= SEARCH_INLINE_CHARACTERS_MAX:
        return words_of(content)
    return await asyncio.to_thread(words_of, content)


class Index(Protocol):
    """Full text in one kind of database."""

    async def add(self, connection: AsyncConnection, documents: Sequence[Document]) -> None:
        """Store documents, in their order."""
        ...

    async def count_words(self, connection: AsyncConnection, *, added: int) -> None:
        """Learn anew how rare words are, after so many documents came at once."""
        ...

    async def find(
        self,
        connection: AsyncConnection,
        query: Query,
        *,
        principal: str,
        project_id: int | None = None,
        before: int | None = None,
        beyond: int | None = None,
        chats: Sequence[int] = (),
        not_chats: Sequence[int] = (),
        items_max: int,
    ) -> Sequence[Row[Any]]:
        """Return hits as (id, chat_id, message_id), the newest first.

        Args:
            before: Only documents with smaller numbers.
            beyond: Only documents from this number on.
            chats: Only in these chats, if any are given.
            not_chats: Not in these.
        """
        ...


def index_of(*, is_sqlite: bool) -> Index:
    """Return the index of a kind of database."""
    return _SqliteIndex() if is_sqlite else _PostgresIndex()


async def replace_title(
    connection: AsyncConnection, index: Index, *, principal: str, chat: int, words: list[str]
) -> None:
    """Store a chat's title in place of the one before."""
    await connection.execute(
        delete(search_documents).where(
            search_documents.c.chat_id == chat, search_documents.c.message_id.is_(None)
        )
    )
    await index.add(connection, [(principal, chat, None, words)])


async def _insert(connection: AsyncConnection, documents: Sequence[Document]) -> Sequence[int]:
    rows = [
        {"principal": principal, "chat_id": chat, "message_id": message}
        for principal, chat, message, _ in documents
    ]
    found = await connection.execute(
        insert(search_documents).returning(search_documents.c.id, sort_by_parameter_order=True),
        rows,
    )
    ids: Sequence[int] = found.scalars().all()
    return ids


class _SqliteIndex:
    """FTS5. Owner and chat are words of each document, so that its own lists are intersected."""

    async def add(self, connection: AsyncConnection, documents: Sequence[Document]) -> None:
        if not documents:
            return
        ids = await _insert(connection, documents)
        rows = [
            {"id": id, "words": " ".join([_owner(principal), _chat(chat), *words])}
            for id, (principal, chat, _, words) in zip(ids, documents, strict=True)
        ]
        await connection.execute(
            text("INSERT INTO search_words (rowid, words) VALUES (:id, :words)"), rows
        )

    async def count_words(self, connection: AsyncConnection, *, added: int) -> None:
        # Its index is asked in one way only.
        return None

    async def find(
        self,
        connection: AsyncConnection,
        query: Query,
        *,
        principal: str,
        project_id: int | None = None,
        before: int | None = None,
        beyond: int | None = None,
        chats: Sequence[int] = (),
        not_chats: Sequence[int] = (),
        items_max: int,
    ) -> Sequence[Row[Any]]:
        wanted = [_owner(principal), *query.words]
        match = " AND ".join(f'"{word}"' for word in wanted)
        if query.prefixes:
            match += " AND (" + " OR ".join(f'"{one}" *' for one in query.prefixes) + ")"
        if chats:
            match += " AND (" + " OR ".join(f'"{_chat(one)}"' for one in chats) + ")"
        if not_chats:
            match = f"({match}) NOT (" + " OR ".join(f'"{_chat(one)}"' for one in not_chats) + ")"
        values: dict[str, object] = {"match": match, "items": items_max}
        conditions = ""
        for name, value, condition in (
            ("before", before, " AND w.rowid < :before"),
            ("beyond", beyond, " AND w.rowid >= :beyond"),
            ("project", project_id, " AND c.project_id = :project"),
        ):
            if value is not None:
                conditions += condition
                values[name] = value
        join = "" if project_id is None else " JOIN chats c ON c.id = d.chat_id"
        # CROSS JOIN keeps the order of the hits: SQLite never puts the right side first.
        statement = (
            "SELECT d.id, d.chat_id, d.message_id FROM search_words w CROSS JOIN search_documents d"
            f" ON d.id = w.rowid{join} WHERE w.search_words MATCH :match{conditions}"
            " ORDER BY w.rowid DESC LIMIT :items"
        )
        return (await connection.execute(text(statement), values)).all()


class _PostgresIndex:
    """A tsvector of the same words, under a GIN index."""

    async def add(self, connection: AsyncConnection, documents: Sequence[Document]) -> None:
        if not documents:
            return
        rows = [
            {"principal": principal, "chat": chat, "message": message, "words": words}
            for principal, chat, message, words in documents
        ]
        await connection.execute(
            text(
                "INSERT INTO search_documents (principal, chat_id, message_id, words)"
                " VALUES (:principal, CAST(:chat AS bigint), CAST(:message AS bigint),"
                " array_to_tsvector(CAST(:words AS text[])))"
            ),
            rows,
        )

    async def count_words(self, connection: AsyncConnection, *, added: int) -> None:
        # PostgreSQL does so by itself, but a minute later, and searches the long way until then.
        if added >= SEARCH_COUNT_DOCUMENTS_MIN:
            await connection.execute(text("ANALYZE search_documents"))

    async def find(
        self,
        connection: AsyncConnection,
        query: Query,
        *,
        principal: str,
        project_id: int | None = None,
        before: int | None = None,
        beyond: int | None = None,
        chats: Sequence[int] = (),
        not_chats: Sequence[int] = (),
        items_max: int,
    ) -> Sequence[Row[Any]]:
        match = " & ".join(f"'{word}'" for word in query.words)
        if query.prefixes:
            opened = "(" + " | ".join(f"'{one}':*" for one in query.prefixes) + ")"
            match = f"{match} & {opened}" if match else opened
        values: dict[str, object] = {"match": match, "principal": principal, "items": items_max}
        conditions = ""
        for name, value, condition in (
            ("before", before, " AND d.id < :before"),
            ("beyond", beyond, " AND d.id >= :beyond"),
            ("project", project_id, " AND c.project_id = :project"),
            ("chats", list(chats) or None, " AND d.chat_id = ANY(CAST(:chats AS bigint[]))"),
            ("others", list(not_chats) or None, " AND d.chat_id <> ALL(CAST(:others AS bigint[]))"),
        ):
            if value is not None:
                conditions += condition
                values[name] = value
        join = "" if project_id is None else " JOIN chats c ON c.id = d.chat_id"
        statement = (
            f"SELECT d.id, d.chat_id, d.message_id FROM search_documents d{join}"
            f" WHERE d.words @@ CAST(:match AS tsquery) AND d.principal = :principal{conditions}"
            " ORDER BY d.id DESC LIMIT :items"
        )
        return (await connection.execute(text(statement), values)).all()


def _owner(principal: str) -> str:
    # A principal may be any text; no word of a text begins with the underscore.
    return f"_o{sha256(principal.encode()).hexdigest()[:20]}"


def _chat(chat: int) -> str:
    return f"_c{chat}"
