"""Messages that wait for the end of their chat's answer, in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from potok.chats.contract import QueuedMessage
from potok.chats.database import Database
from potok.chats.rows import lock_chat, queued_of, read_chat, storable
from potok.chats.tables import chats, messages, queue_items
from potok.clock import Clock
from potok.errors import ChatNotFound, RequestInvalid
from potok.limits import QUEUE_ITEMS_MAX

__all__ = ["SqlQueue"]


class SqlQueue:
    """The queues of one database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def add(
        self, chat: int, content: str, *, principal: str, model: str | None, client_id: str | None
    ) -> QueuedMessage:
        async with self._database.writing() as connection:
            await lock_chat(connection, chat, principal)
            waiting = await _waiting(connection, chat)
            known = [row for row in waiting if client_id and row.client_id == client_id]
            if known:
                return queued_of(known[0])
            if len(waiting) >= QUEUE_ITEMS_MAX:
                raise RequestInvalid(
                    f"{QUEUE_ITEMS_MAX} messages wait in this chat already. Remove one, or wait.",
                    param="content",
                )
            fields = {
                "principal": principal,
                "chat_id": chat,
                "place": waiting[-1].place + 1 if waiting else 0,
                "content": storable(content),
                "model": model,
                "client_id": client_id,
                "created_at": self._clock.now(),
            }
            made = await connection.execute(
                insert(queue_items).values(fields).returning(queue_items)
            )
            return queued_of(made.one())

    async def waiting(self, chat: int, *, principal: str) -> list[QueuedMessage]:
        async with self._database.reading() as connection:
            await read_chat(connection, chat, principal)
            return [queued_of(row) for row in await _waiting(connection, chat)]

    async def update(
        self, chat: int, item: int, *, principal: str, content: str | None, place: int | None
    ) -> QueuedMessage:
        async with self._database.writing() as connection:
            await lock_chat(connection, chat, principal)
            order = [row.id for row in await _waiting(connection, chat)]
            if item not in order:
                raise ChatNotFound("waiting message", item)
            if content is not None:
                await connection.execute(
                    update(queue_items)
                    .where(queue_items.c.id == item)
                    .values(content=storable(content))
                )
            if place is not None:
                order.remove(item)
                order.insert(place, item)
                for number, one in enumerate(order):
                    await connection.execute(
                        update(queue_items).where(queue_items.c.id == one).values(place=number)
                    )
            wanted = select(queue_items).where(queue_items.c.id == item)
            return queued_of((await connection.execute(wanted)).one())

    async def remove(self, chat: int, item: int, *, principal: str) -> None:
        async with self._database.writing() as connection:
            await lock_chat(connection, chat, principal)
            gone = await connection.execute(
                delete(queue_items).where(queue_items.c.id == item, queue_items.c.chat_id == chat)
            )
            if not gone.rowcount:
                raise ChatNotFound("waiting message", item)

    async def pause(self, chat: int, *, principal: str) -> None:
        async with self._database.writing() as connection:
            await lock_chat(connection, chat, principal)
            await connection.execute(
                update(chats).where(chats.c.id == chat).values(is_queue_paused=True)
            )

    async def list_ready(self, *, items_max: int) -> list[tuple[int, str]]:
        is_live = exists().where(messages.c.chat_id == chats.c.id, messages.c.status == "streaming")
        waits = exists().where(queue_items.c.chat_id == chats.c.id)
        wanted = select(chats.c.id, chats.c.principal).where(
            waits, chats.c.is_queue_paused.is_(False), ~is_live
        )
        async with self._database.reading() as connection:
            found = await connection.execute(wanted.order_by(chats.c.id).limit(items_max))
            return [(row.id, row.principal) for row in found]


async def _waiting(connection: AsyncConnection, chat: int) -> Sequence[Row[Any]]:
    wanted = (
        select(queue_items)
        .where(queue_items.c.chat_id == chat)
        .order_by(queue_items.c.place, queue_items.c.id)
    )
    return (await connection.execute(wanted)).all()
