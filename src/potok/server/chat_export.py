"""A chat as a file, written while it is read: a page of messages in memory at a time."""

import re
from collections.abc import AsyncIterator

from potok.chats.contract import Chat, ChatStore, MessageRecord
from potok.chats.import_formats import FORMAT
from potok.dialects.chats_001_bodies import iso_time
from potok.dialects.line_safe import encode_json
from potok.limits import EXPORT_PAGE_MESSAGES
from potok.runs.conversations import Conversations

__all__ = ["export_json", "export_markdown"]

_NAMES = {"user": "User", "assistant": "Assistant", "system": "System"}
_MARKS = {"cancelled": "(stopped)", "failed": "(failed)", "streaming": "(not finished)"}


async def export_json(store: ChatStore, chat: Chat, *, principal: str) -> AsyncIterator[bytes]:
    """Yield a chat's whole tree in the form that `import` reads."""
    head = {
        "title": chat.title,
        "created_at": chat.created_at,
        "updated_at": chat.updated_at,
        "current_message_id": chat.leaf_id,
        "model": chat.model,
        "archived": chat.is_archived,
    }
    yield b'{"format":"%b","version":1,"chats":[' % FORMAT.encode()
    yield encode_json(head)[:-1] + b',"messages":['
    after = 0
    while True:
        page = await store.transfer.read_tree(
            chat.id, principal=principal, after=after, items_max=EXPORT_PAGE_MESSAGES
        )
        lines = b",\n".join(encode_json(_message(message)) for message in page)
        yield b",\n" + lines if after and lines else lines
        if len(page) < EXPORT_PAGE_MESSAGES:
            break
        after = page[-1].id
    yield b"]}]}\n"


def _message(message: MessageRecord) -> dict[str, object]:
    return {
        "id": message.id,
        "parent_id": message.parent_id,
        "role": message.role,
        "content": message.content,
        "status": message.status,
        "metadata": message.metadata,
        "created_at": message.created_at,
    }


async def export_markdown(
    chats: Conversations, chat: Chat, *, principal: str
) -> AsyncIterator[bytes]:
    """Yield the shown path as Markdown, for people."""
    title = re.sub(r"\s+", " ", chat.title) or f"Chat {chat.id}"
    yield f"# {title}\n".encode()
    # Pages are known from the end of the path only; their texts are read the other way round.
    ends: list[int | None] = [None]
    while True:
        _, _, more = await chats.page(
            chat.id, principal=principal, before=ends[-1], items_max=EXPORT_PAGE_MESSAGES
        )
        if more is None:
            break
        ends.append(more)
    for end in reversed(ends):
        _, messages, _ = await chats.page(
            chat.id, principal=principal, before=end, items_max=EXPORT_PAGE_MESSAGES
        )
        yield "".join(_section(message) for message in messages).encode()


def _section(message: MessageRecord) -> str:
    model = message.metadata.get("model")
    facts = [_NAMES[message.role], f"[{model}]" if model else "", _MARKS.get(message.status, "")]
    heading = " ".join(fact for fact in facts if fact)
    return f"\n## {heading}\n\n*{iso_time(message.created_at)}*\n\n{message.content.rstrip()}\n"
