"""The tree of messages in SQL: a path is read from its end, and never one message at a time."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from potok.chats.contract import Chat, MessageRecord
from potok.chats.database import Database
from potok.chats.rows import json_of, lock_chat, message_of, read_chat, read_message, storable
from potok.chats.search_index import Index, prepare
from potok.chats.tables import chats, messages
from potok.clock import Clock
from potok.errors import RequestInvalid

__all__ = ["SqlMessages", "path_rows", "remove_message", "with_siblings"]


class SqlMessages:
    """The messages of one database."""

    def __init__(self, database: Database, clock: Clock, index: Index) -> None:
        self._database = database
        self._clock = clock
        self._index = index

    async def path(
        self, chat: Chat, *, principal: str, before: int | None, items_max: int
    ) -> tuple[list[MessageRecord], int | None]:
        end = chat.leaf_id if before is None else before
        if end is None:
            return [], None
        async with self._database.reading() as connection:
            # One more tells whether there are older ones; the one that the last page began with
            # is the way to those before it.
            extra = 1 if before is None else 2
            rows = await path_rows(connection, chat.id, end, items_max=items_max + extra)
            if before is not None:
                rows = rows[:-1]
            more = len(rows) > items_max
            rows = rows[1:] if more else rows
            found = await with_siblings(connection, chat.id, rows)
        return found, found[0].id if more and found else None

    async def lineage(
        self, chat: int, message: int, *, principal: str, items_max: int
    ) -> list[MessageRecord]:
        async with self._database.reading() as connection:
            await read_chat(connection, chat, principal)
            rows = await path_rows(connection, chat, message, items_max=items_max)
            return [message_of(row) for row in rows]

    async def read(self, chat: int, message: int, *, principal: str) -> MessageRecord:
        async with self._database.reading() as connection:
            row = await read_message(connection, chat, message, principal)
            return (await with_siblings(connection, chat, [row]))[0]

    async def edit(self, chat: int, message: int, content: str, *, principal: str) -> MessageRecord:
        now = self._clock.now()
        words = await prepare(content)
        async with self._database.writing() as connection:
            await lock_chat(connection, chat, principal)
            before = await read_message(connection, chat, message, principal)
            if before.role != "user":
                raise RequestInvalid(
                    "Only a user's message can be edited; an answer can be made again with POST"
                    f" /api/web/v1/chats/{chat}/messages/{message}/regenerate.",
                    param="content",
                )
            fields = {
                "principal": principal,
                "chat_id": chat,
                "parent_id": before.parent_id,
                "role": "user",
                "content": storable(content),
                "status": "finished",
                "metadata": json_of({}),
                "created_at": now,
            }
            made = await connection.execute(insert(messages).values(fields).returning(messages))
            row = made.one()
            await self._index.add(connection, [(principal, chat, row.id, words)])
            await connection.execute(
                update(chats).where(chats.c.id == chat).values(leaf_id=row.id, updated_at=now)
            )
            return (await with_siblings(connection, chat, [row]))[0]

    async def set_thinking_expanded(
        self, chat: int, message: int, is_expanded: bool, *, principal: str
    ) -> MessageRecord:
        async with self._database.writing() as connection:
            await lock_chat(connection, chat, principal)
            row = await read_message(connection, chat, message, principal)
            fields = {**message_of(row).metadata, "thinkingExpanded": is_expanded}
            changed = await connection.execute(
                update(messages)
                .where(messages.c.id == message)
                .values(metadata=json_of(fields))
                .returning(messages)
            )
            return (await with_siblings(connection, chat, [changed.one()]))[0]

    async def delete(self, chat: int, message: int, *, principal: str) -> str | None:
        async with self._database.writing() as connection:
            await lock_chat(connection, chat, principal)
            row = await read_message(connection, chat, message, principal)
            await remove_message(connection, row)
            run: str | None = row.run if row.status == "streaming" else None
            return run


async def path_rows(
    connection: AsyncConnection, chat: int, end: int, *, items_max: int
) -> list[Row[Any]]:
    """Return the messages from the root's side down to `end`, at most `items_max` of its side."""
    path = (
        select(messages.c.id, messages.c.parent_id, literal(1).label("depth"))
        .where(messages.c.id == end, messages.c.chat_id == chat)
        .cte("path", recursive=True)
    )
    path = path.union_all(
        select(messages.c.id, messages.c.parent_id, path.c.depth + 1)
        .join(path, messages.c.id == path.c.parent_id)
        .where(path.c.depth < items_max)
    )
    wanted = select(messages).join(path, messages.c.id == path.c.id).order_by(path.c.depth.desc())
    return list(await connection.execute(wanted))


async def with_siblings(
    connection: AsyncConnection, chat: int, rows: Sequence[Row[Any]]
) -> list[MessageRecord]:
    """Return messages with the ids of their siblings, by one more statement for all of them."""
    if not rows:
        return []
    parents = {row.parent_id for row in rows}
    below = messages.c.parent_id.in_([parent for parent in parents if parent is not None])
    wanted = (
        select(messages.c.id, messages.c.parent_id)
        .where(
            messages.c.chat_id == chat,
            or_(below, messages.c.parent_id.is_(None)) if None in parents else below,
        )
        .order_by(messages.c.id)
    )
    siblings: defaultdict[int | None, list[int]] = defaultdict(list)
    for id, parent in await connection.execute(wanted):
        siblings[parent].append(id)
    return [message_of(row, tuple(siblings[row.parent_id])) for row in rows]


async def remove_message(connection: AsyncConnection, row: Row[Any]) -> None:
    """Remove a message of a locked chat; what followed it moves up to its parent."""
    await connection.execute(
        update(messages).where(messages.c.parent_id == row.id).values(parent_id=row.parent_id)
    )
    await connection.execute(delete(messages).where(messages.c.id == row.id))
    await connection.execute(
        update(chats)
        .where(chats.c.id == row.chat_id, chats.c.leaf_id == row.id)
        .values(leaf_id=await _shown_instead(connection, row))
    )


async def _shown_instead(connection: AsyncConnection, row: Row[Any]) -> int | None:
    """Return the end of the shown path after its last message went away."""
    parent: int | None = row.parent_id
    if parent is not None:
        return parent
    # A root went away: what is left of the chat, if anything, is shown by its newest message.
    wanted = (
        select(messages.c.id)
        .where(messages.c.chat_id == row.chat_id)
        .order_by(messages.c.id.desc())
        .limit(1)
    )
    left: int | None = (await connection.execute(wanted)).scalar()
    return left
