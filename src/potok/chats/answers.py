"""Answers while their runs live, in SQL: begun, reopened and settled in one step each."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from potok.chats.contract import Begun, Ending, MessageRecord, NewAnswer, Settled, ToldAnswer
from potok.chats.database import Database
from potok.chats.messages import remove_message, with_siblings
from potok.chats.rows import (
    chat_of,
    json_of,
    lock_chat,
    message_of,
    read_chat,
    read_message,
    storable,
)
from potok.chats.search_index import Index, prepare, replace_title
from potok.chats.search_text import words_of
from potok.chats.tables import chats, messages, queue_items
from potok.chats.told import ToldPlace, find_named, find_place
from potok.clock import Clock
from potok.errors import ChatBusy, ChatNotFound, IdempotencyConflict, RequestInvalid
from potok.events.run_request import JsonObject
from potok.limits import CLIENT_ID_CHARACTERS_MAX, TITLE_MADE_CHARACTERS_MAX

__all__ = ["SqlAnswers"]


class SqlAnswers:
    """The answers of one database."""

    def __init__(self, database: Database, clock: Clock, index: Index) -> None:
        self._database = database
        self._clock = clock
        self._index = index

    async def begin(self, new: NewAnswer, *, principal: str) -> Begun:
        words = await prepare(new.content or "")
        async with self._database.writing() as connection:
            chat = await lock_chat(connection, new.chat_id, principal)
            known = await self._known(connection, new)
            if known is not None:
                return Begun(answer=known, is_new=False)
            await _refuse_if_live(connection, chat.id)
            if new.queued_id is not None:
                await _take_queued(connection, chat.id, new.queued_id)
            parent = await self._parent_of(connection, new, chat)
            if new.content is not None:
                user = await self._add(
                    connection, chat, parent, "user", new.content, client_id=new.client_id
                )
                await self._index.add(connection, [(principal, chat.id, user.id, words)])
                parent = user.id
            answer = await self._add(connection, chat, parent, "assistant", "", streaming=new)
            return await self._begun(connection, chat, answer, content=new.content)

    async def _begun(
        self, connection: AsyncConnection, chat: Row[Any], answer: Row[Any], *, content: str | None
    ) -> Begun:
        fields: dict[str, object] = {"leaf_id": answer.id, "updated_at": self._clock.now()}
        if content is not None:
            fields |= {"draft": None, "is_queue_paused": False}
            fields |= await self._first_title(connection, chat, content)
        await connection.execute(update(chats).where(chats.c.id == chat.id).values(fields))
        return Begun(answer=(await with_siblings(connection, chat.id, [answer]))[0], is_new=True)

    async def begin_told(self, new: ToldAnswer, *, principal: str) -> Begun:
        last = new.told[-1]
        words = await prepare(last.text)
        async with self._database.writing() as connection:
            chat = await lock_chat(connection, new.chat_id, principal)
            place = await find_place(connection, chat, new)
            known = await self._answered(connection, new, place)
            if known is not None:
                found = await with_siblings(connection, chat.id, [known])
                return Begun(answer=found[0], is_new=False)
            await _refuse_if_live(connection, chat.id, seen=place.seen)
            asked, parent = place.asked, place.parent
            if asked is None:
                for one in place.earlier:
                    row = await self._add(
                        connection, chat, parent, one.role, one.text, client_id=one.name
                    )
                    told_words = await prepare(one.text)
                    await self._index.add(connection, [(principal, chat.id, row.id, told_words)])
                    parent = row.id
                if place.edited is not None:
                    await connection.execute(
                        update(messages)
                        .where(messages.c.id == place.edited.id)
                        .values(client_id=None)
                    )
                asked = await self._add(
                    connection, chat, parent, "user", last.text, client_id=place.name
                )
                await self._index.add(connection, [(principal, chat.id, asked.id, words)])
            answer = await self._add(
                connection, chat, asked.id, "assistant", "", client_id=place.key, streaming=new
            )
            content = None if place.asked is not None else last.text
            return await self._begun(connection, chat, answer, content=content)

    async def _answered(
        self, connection: AsyncConnection, new: ToldAnswer, place: ToldPlace
    ) -> Row[Any] | None:
        """Return the answer that was begun for the same request already."""
        if place.answered is not None or place.asked is None or new.is_again:
            return place.answered
        below = select(messages).where(
            messages.c.parent_id == place.asked.id, messages.c.role == "assistant"
        )
        return (await connection.execute(below.order_by(messages.c.id.desc()).limit(1))).first()

    async def find_told(self, chat: int, name: str, *, principal: str) -> MessageRecord | None:
        name = storable(name)
        async with self._database.reading() as connection:
            await read_chat(connection, chat, principal)
            row = (await find_named(connection, chat, [name])).get(name)
            if row is None or row.role != "assistant":
                return None
            return (await with_siblings(connection, chat, [row]))[0]

    async def _known(self, connection: AsyncConnection, new: NewAnswer) -> MessageRecord | None:
        """Return the answer of a message whose client id came before."""
        if new.client_id is None:
            return None
        asked = (
            await connection.execute(
                select(messages).where(
                    messages.c.chat_id == new.chat_id, messages.c.client_id == new.client_id
                )
            )
        ).first()
        if asked is None:
            return None
        answered = (
            await connection.execute(
                select(messages)
                .where(messages.c.parent_id == asked.id, messages.c.role == "assistant")
                .order_by(messages.c.id)
                .limit(1)
            )
        ).first()
        if new.content is None or asked.content != storable(new.content) or answered is None:
            run = answered.run if answered is not None else None
            raise IdempotencyConflict(new.client_id, run=run or "that is gone")
        return (await with_siblings(connection, new.chat_id, [answered]))[0]

    async def _parent_of(
        self, connection: AsyncConnection, new: NewAnswer, chat: Row[Any]
    ) -> int | None:
        if new.at_leaf:
            leaf: int | None = chat.leaf_id
            if leaf is None:
                for role, content in new.earlier:
                    row = await self._add(connection, chat, leaf, role, content)
                    words = await prepare(content)
                    await self._index.add(connection, [(chat.principal, chat.id, row.id, words)])
                    leaf = row.id
            return leaf
        if new.parent_id is None:
            return None
        try:
            parent = await read_message(connection, chat.id, new.parent_id, chat.principal)
        except ChatNotFound as error:
            raise RequestInvalid(
                f"Chat {chat.id} has no message {new.parent_id} to go below.", param="parent_id"
            ) from error
        if new.content is None and parent.role == "assistant":
            raise RequestInvalid(
                f"Message {parent.id} is an answer itself; there is nothing to answer.",
                param="parent_id",
            )
        parent_id: int = parent.id
        return parent_id

    async def _add(
        self,
        connection: AsyncConnection,
        chat: Row[Any],
        parent: int | None,
        role: str,
        content: str,
        *,
        client_id: str | None = None,
        streaming: NewAnswer | ToldAnswer | None = None,
    ) -> Row[Any]:
        fields: dict[str, object] = {
            "principal": chat.principal,
            "chat_id": chat.id,
            "parent_id": parent,
            "role": role,
            "content": storable(content),
            "status": "finished",
            "client_id": client_id,
            "metadata": json_of({}),
            "created_at": self._clock.now(),
        }
        if streaming is not None:
            fields["status"] = "streaming"
            fields["run"] = streaming.run
            if isinstance(streaming, NewAnswer):
                fields["metadata"] = json_of(streaming.metadata)
            fields["plan"] = json_of(streaming.plan) if streaming.plan is not None else None
        made = await connection.execute(insert(messages).values(fields).returning(messages))
        row: Row[Any] = made.one()
        return row

    async def _first_title(
        self, connection: AsyncConnection, chat: Row[Any], content: str
    ) -> dict[str, object]:
        """Name a chat by its first message, until a model or the user finds a better name."""
        if chat.title_source != "none":
            return {}
        title = storable(" ".join(content.split()))
        if len(title) > TITLE_MADE_CHARACTERS_MAX:
            title = title[:TITLE_MADE_CHARACTERS_MAX].rsplit(" ", 1)[0] + "…"
        await replace_title(
            connection,
            self._index,
            principal=chat.principal,
            chat=chat.id,
            words=words_of(title),
        )
        return {"title": title, "title_source": "text"}

    async def reopen(
        self,
        chat: int,
        message: int,
        *,
        principal: str,
        run: str,
        plan: JsonObject,
        after_run: str | None = None,
        name: str | None = None,
    ) -> MessageRecord:
        async with self._database.writing() as connection:
            await lock_chat(connection, chat, principal)
            await _refuse_if_live(connection, chat)
            row = await read_message(connection, chat, message, principal)
            followed = await connection.scalar(
                select(exists().where(messages.c.parent_id == row.id))
            )
            if row.role != "assistant" or followed:
                raise RequestInvalid(
                    "Only the last answer of a path can be continued.", param="message_id"
                )
            if after_run is not None and row.run != after_run:
                raise ChatBusy(chat=chat, message=row.id, run=row.run or "")
            fields = {"status": "streaming", "run": run, "plan": json_of(plan)}
            if name is not None and len(name) <= CLIENT_ID_CHARACTERS_MAX:
                fields["client_id"] = storable(name)
            changed = await connection.execute(
                update(messages).where(messages.c.id == row.id).values(fields).returning(messages)
            )
            await connection.execute(
                update(chats)
                .where(chats.c.id == chat)
                .values(leaf_id=row.id, updated_at=self._clock.now())
            )
            return (await with_siblings(connection, chat, [changed.one()]))[0]

    async def settle(self, message: int, *, run: str, ending: Ending) -> Settled | None:
        words = await prepare(ending.text)
        async with self._database.writing() as connection:
            # The chat is locked first, as everywhere, so that two writers never wait in a ring.
            wanted = select(messages).where(
                messages.c.id == message, messages.c.run == run, messages.c.status == "streaming"
            )
            row = (await connection.execute(wanted)).first()
            if row is None:
                return None
            await lock_chat(connection, row.chat_id, row.principal)
            row = (await connection.execute(wanted)).first()
            if row is None:
                return None
            # A message that still waits may have stood before this answer: it shall not follow a
            # stopped or failed one by itself.
            fields: dict[str, object] = {"updated_at": self._clock.now()}
            if ending.status != "finished":
                fields["is_queue_paused"] = True
            kept: MessageRecord | None = None
            if ending.is_empty and not row.content:
                fields["draft"] = await self._take_back(connection, row)
            else:
                kept = await self._keep(connection, row, ending, words)
            if fields.get("draft", "") is None:
                del fields["draft"]
            changed = await connection.execute(
                update(chats).where(chats.c.id == row.chat_id).values(fields).returning(chats)
            )
            return Settled(chat=chat_of(changed.one()), message=kept)

    async def _keep(
        self, connection: AsyncConnection, row: Row[Any], ending: Ending, words: list[str]
    ) -> MessageRecord:
        changed = await connection.execute(
            update(messages)
            .where(messages.c.id == row.id)
            .values(
                content=row.content + storable(ending.text),
                status=ending.status,
                metadata=json_of(ending.metadata),
                plan=None,
            )
            .returning(messages)
        )
        # A continued answer has one more document: what it had before stays found as it was.
        await self._index.add(connection, [(row.principal, row.chat_id, row.id, words)])
        return (await with_siblings(connection, row.chat_id, [changed.one()]))[0]

    async def _take_back(self, connection: AsyncConnection, row: Row[Any]) -> str | None:
        """Remove an answer with nothing in it; return its user's text if that goes back, too."""
        await remove_message(connection, row)
        if row.parent_id is None:
            return None
        asked = (
            await connection.execute(select(messages).where(messages.c.id == row.parent_id))
        ).first()
        if asked is None or asked.role != "user":
            return None
        answered = await connection.scalar(select(exists().where(messages.c.parent_id == asked.id)))
        if answered:
            other = await connection.scalar(
                select(messages.c.id)
                .where(messages.c.parent_id == asked.id)
                .order_by(messages.c.id.desc())
                .limit(1)
            )
            await connection.execute(
                update(chats)
                .where(chats.c.id == row.chat_id, chats.c.leaf_id == asked.id)
                .values(leaf_id=other)
            )
            return None
        await remove_message(connection, asked)
        text: str = asked.content
        return text

    async def find_live(self, chat: int, *, principal: str) -> MessageRecord | None:
        async with self._database.reading() as connection:
            await read_chat(connection, chat, principal)
            row = await _live(connection, chat)
            return None if row is None else (await with_siblings(connection, chat, [row]))[0]

    async def find_run(self, chat: int, run: str, *, principal: str) -> MessageRecord | None:
        wanted = select(messages).where(
            messages.c.run == run, messages.c.chat_id == chat, messages.c.principal == principal
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(wanted)).first()
            return None if row is None else (await with_siblings(connection, chat, [row]))[0]

    async def list_unsettled(self, *, after: int, items_max: int) -> list[MessageRecord]:
        wanted = (
            select(messages)
            .where(messages.c.status == "streaming", messages.c.id > after)
            .order_by(messages.c.id)
            .limit(items_max)
        )
        async with self._database.reading() as connection:
            return [message_of(row) for row in await connection.execute(wanted)]


async def _live(connection: AsyncConnection, chat: int) -> Row[Any] | None:
    return (
        await connection.execute(
            select(messages).where(messages.c.chat_id == chat, messages.c.status == "streaming")
        )
    ).first()


async def _refuse_if_live(
    connection: AsyncConnection, chat: int, *, seen: Collection[int] = ()
) -> None:
    live = await _live(connection, chat)
    if live is not None:
        is_seen = live.id in seen or live.parent_id in seen
        raise ChatBusy(chat=chat, message=live.id, run=live.run or "", is_seen=is_seen)


async def _take_queued(connection: AsyncConnection, chat: int, item: int) -> None:
    taken = await connection.execute(
        delete(queue_items).where(queue_items.c.id == item, queue_items.c.chat_id == chat)
    )
    if not taken.rowcount:
        raise ChatNotFound("waiting message", item)
