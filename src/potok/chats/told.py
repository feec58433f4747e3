"""Finds the place of what a client tells in a chat's tree: which of its messages are known."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from potok.chats.contract import ToldAnswer
from potok.chats.messages import path_rows
from potok.chats.rows import storable
from potok.chats.tables import messages
from potok.events.run_request import ToldMessage
from potok.limits import CHAT_HISTORY_MESSAGES_MAX, CLIENT_ID_CHARACTERS_MAX

__all__ = ["ToldPlace", "find_named", "find_place", "name_of"]

_RUN_NAME = "msg_"
_ID_DIGITS_MAX = 15


@dataclass(slots=True, kw_only=True)
class ToldPlace:
    """Where the newest told message belongs, and under which names what is new may be stored.

    `asked` is the stored message that it is; None for a new one, which goes below `parent` after
    `earlier`, messages that the chat does not know. `edited` is the one that it takes the name
    from. `answered` is the answer that the same key began. `seen` are the ids of all messages that
    the client told of.
    """

    parent: int | None = None
    earlier: list[ToldMessage] = field(default_factory=list)
    name: str | None = None
    key: str | None = None
    asked: Row[Any] | None = None
    edited: Row[Any] | None = None
    answered: Row[Any] | None = None
    seen: set[int] = field(default_factory=set)


def name_of(told: ToldMessage) -> str | None:
    """Return a message's name as it is stored; one that is too long is none."""
    name = told.name
    return storable(name) if name and len(name) <= CLIENT_ID_CHARACTERS_MAX else None


async def find_named(
    connection: AsyncConnection, chat: int, names: Iterable[str]
) -> dict[str, Row[Any]]:
    """Return the messages of a chat that clients call by these names, which are storable."""
    wanted = set(names)
    runs = {name.removeprefix(_RUN_NAME): name for name in wanted if name.startswith(_RUN_NAME)}
    ids = {
        int(name): name
        for name in wanted
        if name.isascii() and name.isdigit() and len(name) <= _ID_DIGITS_MAX
    }
    if not wanted:
        return {}
    found: dict[str, Row[Any]] = {}
    rows = await connection.execute(
        select(messages).where(
            messages.c.chat_id == chat,
            or_(
                messages.c.client_id.in_(list(wanted)),
                messages.c.run.in_(list(runs)),
                messages.c.id.in_(list(ids)),
            ),
        )
    )
    for row in rows.all():
        # A client's own name weighs more than what a name looks like.
        for name in (ids.get(row.id), runs.get(row.run or "")):
            if name is not None:
                found.setdefault(name, row)
        if row.client_id in wanted:
            found[row.client_id] = row
    return found


async def find_place(connection: AsyncConnection, chat: Row[Any], new: ToldAnswer) -> ToldPlace:
    """Return where the last of the told messages belongs."""
    told, is_again = new.told, new.is_again
    names = [name for one in told if (name := name_of(one)) is not None]
    named = await find_named(connection, chat.id, [*names, *([new.key] if new.key else [])])
    place = ToldPlace()
    # The newest message is new, mostly, and has no place to be looked for.
    wanted = told if is_again else told[:-1]
    is_named = all(_known(one, named) is not None for one in wanted)
    shown = {} if is_named else await _shown(connection, chat)
    for one in told[:-1]:
        row = _known(one, named) or _at(shown, place, one)
        if row is None:
            if one.text.strip():
                place.earlier.append(one)
            continue
        place.parent = row.id
        place.seen.add(row.id)
        place.earlier.clear()
    _place_last(place, told[-1], _known(told[-1], named), shown, is_again=is_again)
    _name_new(place, new, named)
    return place


def _name_new(place: ToldPlace, new: ToldAnswer, named: dict[str, Row[Any]]) -> None:
    """Leave names out that others have: in a chat each comes once."""
    taken = {row.client_id for row in named.values()}
    if place.edited is not None:
        taken.discard(place.edited.client_id)

    def free(name: str | None) -> str | None:
        if name is None or name in taken:
            return None
        taken.add(name)
        return name

    keyed = named.get(new.key or "")
    if keyed is not None and keyed.role == "assistant":
        place.answered = keyed
    place.name = free(name_of(new.told[-1]))
    place.key = free(new.key)
    place.earlier = [ToldMessage(one.role, one.text, free(name_of(one))) for one in place.earlier]


def _place_last(
    place: ToldPlace,
    last: ToldMessage,
    row: Row[Any] | None,
    shown: dict[int | None, Row[Any]],
    *,
    is_again: bool,
) -> None:
    if row is None and is_again:
        row = _at(shown, place, last)
    if row is None:
        return
    place.seen.add(row.id)
    if row.content == storable(last.text):
        place.asked = row
        return
    place.edited = row
    if place.parent is None and not place.earlier:
        # The client told nothing before it that is known here.
        place.parent = row.parent_id


def _known(one: ToldMessage, named: dict[str, Row[Any]]) -> Row[Any] | None:
    row = named.get(name_of(one) or "")
    return row if row is not None and row.role == one.role else None


def _at(shown: dict[int | None, Row[Any]], place: ToldPlace, one: ToldMessage) -> Row[Any] | None:
    """Return the message of the shown path that stands where `one` is told, if it says the same."""
    row = None if place.earlier else shown.get(place.parent)
    fits = row is not None and row.role == one.role and row.content == storable(one.text)
    return row if fits else None


async def _shown(connection: AsyncConnection, chat: Row[Any]) -> dict[int | None, Row[Any]]:
    """Return the messages of the shown path by their parents."""
    if chat.leaf_id is None:
        return {}
    rows = await path_rows(connection, chat.id, chat.leaf_id, items_max=CHAT_HISTORY_MESSAGES_MAX)
    return {row.parent_id: row for row in rows}
