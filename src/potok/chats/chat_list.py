"""Chats in SQL, without their messages."""

from typing import Any

import msgspec
from sqlalchemy import Row, and_, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from potok.chats.contract import Chat, ChatChanges, NewChat, Position
from potok.chats.database import Database
from potok.chats.projects import check_project
from potok.chats.rows import chat_of, lock_chat, read_chat, read_message, storable
from potok.chats.search_index import Index, prepare, replace_title
from potok.chats.tables import chats, messages
from potok.clock import Clock
from potok.errors import ChatNotFound

__all__ = ["SqlChats"]


class SqlChats:
    """The chats of one database."""

    def __init__(self, database: Database, clock: Clock, index: Index) -> None:
        self._database = database
        self._clock = clock
        self._index = index

    async def create(self, new: NewChat, *, principal: str) -> Chat:
        now = self._clock.now()
        fields = {
            "principal": principal,
            "project_id": new.project_id,
            "title": storable(new.title or ""),
            "title_source": "user" if new.title else "none",
            "model": new.model,
            "external_id": None if new.external_id is None else storable(new.external_id),
            "is_archived": False,
            "is_queue_paused": False,
            "created_at": now,
            "updated_at": now,
        }
        words = await prepare(new.title or "")
        try:
            async with self._database.writing() as connection:
                await check_project(connection, new.project_id, principal)
                made = await connection.execute(insert(chats).values(fields).returning(chats))
                chat = chat_of(made.one())
                if words:
                    await replace_title(
                        connection, self._index, principal=principal, chat=chat.id, words=words
                    )
                return chat
        except IntegrityError:
            known = new.external_id and await self.find(new.external_id, principal=principal)
            if not known:
                raise
            return known

    async def read(self, chat: int, *, principal: str) -> Chat:
        async with self._database.reading() as connection:
            return chat_of(await read_chat(connection, chat, principal))

    async def find(self, external_id: str, *, principal: str) -> Chat | None:
        wanted = select(chats).where(
            chats.c.principal == principal, chats.c.external_id == storable(external_id)
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(wanted)).first()
        return None if row is None else chat_of(row)

    async def page(
        self,
        *,
        principal: str,
        project_id: int | None,
        is_archived: bool | None,
        before: Position | None,
        items_max: int,
    ) -> list[Chat]:
        wanted = select(chats).where(chats.c.principal == principal)
        if project_id is not None:
            wanted = wanted.where(chats.c.project_id == project_id)
        if is_archived is not None:
            wanted = wanted.where(chats.c.is_archived == is_archived)
        if before is not None:
            at, id = before
            wanted = wanted.where(
                or_(chats.c.updated_at < at, and_(chats.c.updated_at == at, chats.c.id < id))
            )
        wanted = wanted.order_by(chats.c.updated_at.desc(), chats.c.id.desc()).limit(items_max)
        async with self._database.reading() as connection:
            return [chat_of(row) for row in await connection.execute(wanted)]

    async def update(self, chat: int, changes: ChatChanges, *, principal: str) -> Chat:
        fields = {
            name: storable(value) if isinstance(value, str) else value
            for name in ("title", "project_id", "model", "is_archived", "draft")
            if (value := getattr(changes, name)) is not msgspec.UNSET
        }
        title = changes.title if isinstance(changes.title, str) else None
        if title is not None:
            fields["title_source"] = "user"
        words = await prepare(title or "")
        async with self._database.writing() as connection:
            row = await lock_chat(connection, chat, principal)
            if isinstance(changes.project_id, int):
                await check_project(connection, changes.project_id, principal)
            if isinstance(changes.current_message_id, int):
                message = changes.current_message_id
                await read_message(connection, chat, message, principal)
                fields["leaf_id"] = await _newest_below(connection, message)
            if not fields:
                return chat_of(row)
            if title is not None:
                await replace_title(
                    connection, self._index, principal=principal, chat=chat, words=words
                )
            return chat_of(await _set(connection, chat, fields))

    async def set_made_title(self, chat: int, title: str, *, principal: str) -> None:
        words = await prepare(title)
        async with self._database.writing() as connection:
            try:
                row = await lock_chat(connection, chat, principal)
            except ChatNotFound:
                return
            if row.title_source == "user":
                return
            await replace_title(
                connection, self._index, principal=principal, chat=chat, words=words
            )
            await _set(connection, chat, {"title": storable(title), "title_source": "model"})

    async def delete(self, chat: int, *, principal: str) -> list[str]:
        live = select(messages.c.run).where(
            messages.c.chat_id == chat, messages.c.status == "streaming"
        )
        async with self._database.writing() as connection:
            await lock_chat(connection, chat, principal)
            runs = [run for run in (await connection.execute(live)).scalars() if run]
            await connection.execute(delete(chats).where(chats.c.id == chat))
            return runs


async def _set(connection: AsyncConnection, chat: int, fields: dict[str, Any]) -> Row[Any]:
    changed = await connection.execute(
        update(chats).where(chats.c.id == chat).values(fields).returning(chats)
    )
    row: Row[Any] = changed.one()
    return row


async def _newest_below(connection: AsyncConnection, message: int) -> int:
    """Return the newest message of the tree below one: a child is always newer than its parent."""
    below = select(messages.c.id).where(messages.c.id == message).cte("below", recursive=True)
    below = below.union_all(select(messages.c.id).join(below, messages.c.parent_id == below.c.id))
    newest: int = (await connection.execute(select(func.max(below.c.id)))).scalar_one()
    return newest
