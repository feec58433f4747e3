"""Whole chats in and out of SQL: rows are inserted by the hundred, and read by the page."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from potok.chats.contract import Imported, ImportedChat, ImportedMessage, MessageRecord
from potok.chats.database import Database
from potok.chats.rows import json_of, message_of, read_chat, storable
from potok.chats.search_index import Document, Index
from potok.chats.search_text import words_of
from potok.chats.tables import chats, messages
from potok.limits import IMPORT_ROWS_PER_STATEMENT

__all__ = ["SqlTransfer"]

_LINK = (
    update(messages)
    .where(messages.c.id == bindparam("child"))
    .values(parent_id=bindparam("parent"))
)


class SqlTransfer:
    """Import into and export from one database."""

    def __init__(self, database: Database, index: Index) -> None:
        self._database = database
        self._index = index

    async def add(self, imported: Sequence[ImportedChat], *, principal: str) -> Imported:
        # All words before the transaction: nobody else can write meanwhile.
        words = await asyncio.to_thread(_words_of_all, imported)
        ids: list[int] = []
        async with self._database.writing() as connection:
            known = await _known(connection, imported, principal)
            for chat, (title_words, message_words) in zip(imported, words, strict=True):
                if chat.external_id is not None and chat.external_id in known:
                    continue
                id = await _add_chat(connection, chat, principal)
                ids.append(id)
                if chat.external_id is not None:
                    known.add(chat.external_id)
                places = await _add_messages(connection, chat, id, principal)
                documents: list[Document] = [(principal, id, None, title_words)]
                documents += [
                    (principal, id, place, found)
                    for place, found in zip(places, message_words, strict=True)
                ]
                for part in _parts(documents):
                    await self._index.add(connection, part)
                if chat.leaf is not None:
                    await connection.execute(
                        update(chats).where(chats.c.id == id).values(leaf_id=places[chat.leaf])
                    )
            await self._index.count_words(connection, added=sum(len(one[1]) for one in words))
        return Imported(chat_ids=tuple(ids), known=len(imported) - len(ids))

    async def read_tree(
        self, chat: int, *, principal: str, after: int, items_max: int
    ) -> list[MessageRecord]:
        wanted = (
            select(messages)
            .where(messages.c.chat_id == chat, messages.c.id > after)
            .order_by(messages.c.id)
            .limit(items_max)
        )
        async with self._database.reading() as connection:
            await read_chat(connection, chat, principal)
            return [message_of(row) for row in await connection.execute(wanted)]


def _words_of_all(
    imported: Sequence[ImportedChat],
) -> list[tuple[list[str], list[list[str]]]]:
    return [
        (words_of(chat.title), [words_of(message.content) for message in chat.messages])
        for chat in imported
    ]


async def _known(
    connection: AsyncConnection, imported: Sequence[ImportedChat], principal: str
) -> set[str]:
    """Return the external ids that the principal has already."""
    named = [chat.external_id for chat in imported if chat.external_id is not None]
    known: set[str] = set()
    for part in _parts(named):
        found = await connection.execute(
            select(chats.c.external_id).where(
                chats.c.principal == principal, chats.c.external_id.in_(part)
            )
        )
        known.update(id for id in found.scalars() if id is not None)
    return known


async def _add_chat(connection: AsyncConnection, chat: ImportedChat, principal: str) -> int:
    fields = {
        "principal": principal,
        "title": storable(chat.title),
        "title_source": "user",
        "model": chat.model,
        "external_id": chat.external_id,
        "is_archived": chat.is_archived,
        "is_queue_paused": False,
        "created_at": chat.created_at,
        "updated_at": chat.updated_at,
    }
    made = await connection.execute(insert(chats).values(fields).returning(chats.c.id))
    id: int = made.scalar_one()
    return id


async def _add_messages(
    connection: AsyncConnection, chat: ImportedChat, id: int, principal: str
) -> list[int]:
    """Insert a chat's messages; return their ids by their places.

    They are linked afterwards: a row cannot name a parent of its own statement.
    """
    places: list[int] = []
    statement = insert(messages).returning(messages.c.id, sort_by_parameter_order=True)
    for part in _parts(chat.messages):
        rows = [_row(message, id, principal) for message in part]
        places += (await connection.execute(statement, rows)).scalars().all()
    parents = [
        {"child": places[place], "parent": places[message.parent]}
        for place, message in enumerate(chat.messages)
        if message.parent is not None
    ]
    for part in _parts(parents):
        await connection.execute(_LINK, list(part))
    return places


def _row(message: ImportedMessage, chat: int, principal: str) -> dict[str, Any]:
    return {
        "principal": principal,
        "chat_id": chat,
        "parent_id": None,
        "role": message.role,
        "content": storable(message.content),
        "status": message.status,
        "metadata": json_of(message.metadata),
        "created_at": message.created_at,
    }


def _parts(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), IMPORT_ROWS_PER_STATEMENT):
        yield items[start : start + IMPORT_ROWS_PER_STATEMENT]
