"""Rows to nouns, and the few statements that every part of the store needs."""

from typing import Any

import msgspec
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from potok.chats.contract import Chat, MessageRecord, Project, QueuedMessage
from potok.chats.tables import chats, messages
from potok.errors import ChatNotFound
from potok.events.run_request import JsonObject

__all__ = [
    "chat_of",
    "json_of",
    "lock_chat",
    "message_of",
    "project_of",
    "queued_of",
    "read_chat",
    "read_message",
    "storable",
]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_PROJECT = Project.__struct_fields__
_CHAT = Chat.__struct_fields__
_QUEUED = QueuedMessage.__struct_fields__


def storable(content: str) -> str:
    """Return a text as every database takes it: PostgreSQL knows no NUL."""
    return content.replace("\0", "\ufffd")


def json_of(fields: JsonObject) -> str:
    """Return an object as JSON text."""
    return _encode(fields).decode()


def project_of(row: Row[Any]) -> Project:
    """Return a row of `projects` as its noun."""
    return Project(**{name: getattr(row, name) for name in _PROJECT})


def chat_of(row: Row[Any]) -> Chat:
    """Return a row of `chats` as its noun."""
    return Chat(**{name: getattr(row, name) for name in _CHAT})


def queued_of(row: Row[Any]) -> QueuedMessage:
    """Return a row of `queue_items` as its noun."""
    return QueuedMessage(**{name: getattr(row, name) for name in _QUEUED})


def message_of(row: Row[Any], sibling_ids: tuple[int, ...] = ()) -> MessageRecord:
    """Return a row of `messages` as its noun."""
    return MessageRecord(
        id=row.id,
        chat_id=row.chat_id,
        principal=row.principal,
        parent_id=row.parent_id,
        role=row.role,
        content=row.content,
        status=row.status,
        run=row.run,
        client_id=row.client_id,
        metadata=_decode(row.metadata),
        plan=_decode(row.plan) if row.plan is not None else None,
        created_at=row.created_at,
        sibling_ids=sibling_ids,
    )


async def read_chat(connection: AsyncConnection, chat: int, principal: str) -> Row[Any]:
    """Return a chat's row; raises `ChatNotFound`."""
    return await _one_chat(connection, chat, principal, is_locked=False)


async def lock_chat(connection: AsyncConnection, chat: int, principal: str) -> Row[Any]:
    """Return a chat's row and keep other writers of the chat waiting; raises `ChatNotFound`."""
    return await _one_chat(connection, chat, principal, is_locked=True)


async def _one_chat(
    connection: AsyncConnection, chat: int, principal: str, *, is_locked: bool
) -> Row[Any]:
    wanted = select(chats).where(chats.c.id == chat, chats.c.principal == principal)
    row = (await connection.execute(wanted.with_for_update() if is_locked else wanted)).first()
    if row is None:
        raise ChatNotFound("chat", chat)
    return row


async def read_message(
    connection: AsyncConnection, chat: int, message: int, principal: str
) -> Row[Any]:
    """Return a message's row; raises `ChatNotFound`."""
    row = (
        await connection.execute(
            select(messages).where(
                messages.c.id == message,
                messages.c.chat_id == chat,
                messages.c.principal == principal,
            )
        )
    ).first()
    if row is None:
        raise ChatNotFound("message", message)
    return row
