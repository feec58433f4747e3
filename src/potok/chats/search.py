"""Finds chats by words: hits are read newest first, until enough different chats are among them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from potok.chats.contract import Found
from potok.chats.database import Database
from potok.chats.rows import chat_of
from potok.chats.search_index import Index
from potok.chats.search_text import Query, parse_query, snippet_of
from potok.chats.tables import chats, messages
from potok.limits import SEARCH_ROUND_HITS, SEARCH_ROUNDS_MAX

__all__ = ["SqlSearch"]


class SqlSearch:
    """Full-text search over one database."""

    def __init__(self, database: Database, index: Index) -> None:
        self._database = database
        self._index = index

    async def find(
        self,
        query: str,
        *,
        principal: str,
        project_id: int | None,
        before: int | None,
        items_max: int,
    ) -> list[Found]:
        parsed = parse_query(query)
        if parsed.is_empty:
            return []
        async with self._database.reading() as connection:
            hits = await self._newest_per_chat(
                connection,
                parsed,
                principal=principal,
                project_id=project_id,
                before=before,
                items_max=items_max,
            )
            return await self._describe(connection, hits, parsed)

    async def _newest_per_chat(
        self,
        connection: AsyncConnection,
        query: Query,
        *,
        principal: str,
        project_id: int | None,
        before: int | None,
        items_max: int,
    ) -> list[Row[Any]]:
        found: dict[int, Row[Any]] = {}
        shown: set[int] = set()
        limit, at = max(SEARCH_ROUND_HITS, items_max), before
        for number in range(SEARCH_ROUNDS_MAX):
            hits = await self._index.find(
                connection,
                query,
                principal=principal,
                project_id=project_id,
                before=at,
                not_chats=[*found, *shown],
                items_max=limit,
            )
            fresh: dict[int, Row[Any]] = {}
            for hit in hits:
                fresh.setdefault(hit.chat_id, hit)
            if before is not None and fresh:
                listed = await self._listed(
                    connection, query, principal=principal, beyond=before, chats=list(fresh)
                )
                shown |= listed
                fresh = {chat: hit for chat, hit in fresh.items() if chat not in listed}
            missing = items_max - len(found)
            found |= fresh
            if len(found) >= items_max or len(hits) < limit:
                break
            at = hits[-1].id
            if number or 2 * len(fresh) < missing:
                # A few chats hold most of the hits.
                limit *= 4
        return list(found.values())[:items_max]

    async def _listed(
        self,
        connection: AsyncConnection,
        query: Query,
        *,
        principal: str,
        beyond: int,
        chats: Sequence[int],
    ) -> set[int]:
        """Return those of some chats that an earlier page has shown, for a newer hit."""
        listed: set[int] = set()
        left = list(chats)
        while left:
            hits = await self._index.find(
                connection,
                query,
                principal=principal,
                beyond=beyond,
                chats=left,
                items_max=SEARCH_ROUND_HITS,
            )
            listed |= {hit.chat_id for hit in hits}
            if len(hits) < SEARCH_ROUND_HITS:
                break
            left = [chat for chat in left if chat not in listed]
        return listed

    async def _describe(
        self, connection: AsyncConnection, hits: Sequence[Row[Any]], query: Query
    ) -> list[Found]:
        if not hits:
            return []
        rows = await connection.execute(
            select(chats).where(chats.c.id.in_([hit.chat_id for hit in hits]))
        )
        known = {row.id: chat_of(row) for row in rows}
        named = [hit.message_id for hit in hits if hit.message_id is not None]
        texts: dict[int, str] = {}
        if named:
            said = await connection.execute(
                select(messages.c.id, messages.c.content).where(messages.c.id.in_(named))
            )
            texts = {row.id: row.content for row in said}
        return [
            Found(
                chat=known[hit.chat_id],
                message_id=hit.message_id,
                text=snippet_of(texts.get(hit.message_id) or known[hit.chat_id].title, query),
                position=hit.id,
            )
            for hit in hits
            # A chat may have been deleted between two statements.
            if hit.chat_id in known
        ]
