"""Files that can be imported: Potok's own export, and ChatGPT's `conversations.json`. Pure.

A file is garbage until it is shown to be one of them; then every chat and message in it is checked
before anything is stored. What no chat here can hold (calls of tools, hidden messages) is left
out, and what followed it moves up.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

from potok.chats.contract import ImportedChat, ImportedMessage
from potok.errors import RequestInvalid
from potok.limits import (
    IMPORT_CHATS_MAX,
    IMPORT_MESSAGES_MAX,
    MESSAGE_BYTES_MAX,
    NAME_CHARACTERS_MAX,
    TITLE_CHARACTERS_MAX,
)

__all__ = ["FORMAT", "parse_import"]

FORMAT = "potok-chats"
"""Says in a file that it is Potok's own export."""

_VERSION = 1
_TIME_MAX = 253_402_300_799.0  # the last second of the year 9999
_Role = Literal["user", "assistant", "system"]


class _OwnMessage(msgspec.Struct):
    id: int
    role: _Role
    content: str
    parent_id: int | None = None
    created_at: float = 0.0
    status: Literal["finished", "cancelled", "failed", "streaming"] = "finished"
    metadata: dict[str, Any] = msgspec.field(default_factory=dict)


class _OwnChat(msgspec.Struct):
    messages: list[_OwnMessage]
    title: str = ""
    created_at: float = 0.0
    updated_at: float = 0.0
    current_message_id: int | None = None
    model: str | None = None
    archived: bool = False


class _OwnFile(msgspec.Struct):
    format: Literal["potok-chats"]
    version: int
    chats: list[_OwnChat]


class _Author(msgspec.Struct):
    role: str


class _Content(msgspec.Struct):
    parts: list[Any] = msgspec.field(default_factory=list)
    text: str | None = None


class _Said(msgspec.Struct):
    author: _Author
    content: _Content | None = None
    create_time: float | None = None
    metadata: dict[str, Any] | None = None


class _Node(msgspec.Struct):
    message: _Said | None = None
    parent: str | None = None
    children: list[str] = msgspec.field(default_factory=list)


class _Conversation(msgspec.Struct):
    mapping: dict[str, _Node]
    title: str | None = None
    create_time: float | None = None
    update_time: float | None = None
    current_node: str | None = None
    conversation_id: str | None = None
    id: str | None = None
    is_archived: bool | None = None


_own = msgspec.json.Decoder(_OwnFile)
_many = msgspec.json.Decoder(list[_Conversation])
_one = msgspec.json.Decoder(_Conversation)


def parse_import(body: bytes, *, now: float) -> list[ImportedChat]:
    """Return the chats of a file.

    Args:
        now: Stands where the file gives no time.

    Raises:
        RequestInvalid: the file is none that is known, is damaged, or holds too much.
    """
    head = body[:1_000].lstrip()
    try:
        if head.startswith(b"["):
            chats = [_from_conversation(one, now) for one in _many.decode(body)]
        elif b'"mapping"' in body and f'"{FORMAT}"'.encode() not in head:
            chats = [_from_conversation(_one.decode(body), now)]
        else:
            file = _own.decode(body)
            if file.version != _VERSION:
                raise RequestInvalid(
                    f"The file has version {file.version} of Potok's export; this Potok reads"
                    f" version {_VERSION}."
                )
            chats = [_from_own(one, now) for one in file.chats]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestInvalid(
            "The file is neither Potok's own JSON export nor ChatGPT's conversations.json:"
            f" {_words(error)}. Nothing was imported."
        ) from error
    _check_size(chats)
    return chats


def _words(error: Exception) -> str:
    # Only where it broke and what was expected: never what the file says.
    return str(error)[:200] if isinstance(error, msgspec.DecodeError) else "it cannot be read"


def _check_size(chats: Iterable[ImportedChat]) -> None:
    chats_left, messages_left = IMPORT_CHATS_MAX, IMPORT_MESSAGES_MAX
    for chat in chats:
        chats_left -= 1
        messages_left -= len(chat.messages)
        if chats_left < 0 or messages_left < 0:
            raise RequestInvalid(
                f"The file holds more than {IMPORT_CHATS_MAX} chats or {IMPORT_MESSAGES_MAX}"
                " messages. Split it. Nothing was imported."
            )
        for message in chat.messages:
            if len(message.content) > MESSAGE_BYTES_MAX:
                raise RequestInvalid(
                    f"A message in the chat {chat.title[:60]!r} is longer than"
                    f" {MESSAGE_BYTES_MAX} characters. Nothing was imported."
                )


def _from_own(chat: _OwnChat, now: float) -> ImportedChat:
    places: dict[int, int] = {}
    messages: list[ImportedMessage] = []
    for message in chat.messages:
        if message.parent_id is not None and message.parent_id not in places:
            raise RequestInvalid(
                f"Message {message.id} in the chat {chat.title[:60]!r} follows message"
                f" {message.parent_id}, which is not before it. Nothing was imported."
            )
        if message.id in places:
            raise RequestInvalid(
                f"Message {message.id} is twice in the chat {chat.title[:60]!r}. Nothing was"
                " imported."
            )
        places[message.id] = len(messages)
        parent = None if message.parent_id is None else places[message.parent_id]
        # Nobody makes that answer any more.
        status = "failed" if message.status == "streaming" else message.status
        messages.append(
            ImportedMessage(
                role=message.role,
                content=message.content,
                created_at=_time(message.created_at, now),
                parent=parent,
                status=status,
                metadata={key: value for key, value in message.metadata.items() if key != "run"},
            )
        )
    leaf = places.get(chat.current_message_id or -1, len(messages) - 1)
    return _chat(
        title=chat.title,
        created_at=_time(chat.created_at, now),
        updated_at=_time(chat.updated_at, now),
        messages=messages,
        leaf=leaf,
        model=chat.model,
        is_archived=chat.archived,
    )


def _from_conversation(conversation: _Conversation, now: float) -> ImportedChat:
    places: dict[str, int | None] = {}
    messages: list[ImportedMessage] = []
    began_at = _time(conversation.create_time, now)
    for name, node in _parents_first(conversation.mapping):
        parent = places.get(node.parent) if node.parent is not None else None
        text = _text_of(node.message)
        if node.message is None or not text or node.message.author.role not in _role_names():
            # What follows it goes below what was before it.
            places[name] = parent
            continue
        model = (node.message.metadata or {}).get("model_slug")
        places[name] = len(messages)
        messages.append(
            ImportedMessage(
                role=msgspec.convert(node.message.author.role, _Role),
                content=text,
                created_at=_time(node.message.create_time, began_at),
                parent=parent,
                metadata={"model": model} if isinstance(model, str) else {},
            )
        )
    leaf = places.get(conversation.current_node or "")
    external = conversation.conversation_id or conversation.id
    return _chat(
        title=conversation.title or "",
        created_at=began_at,
        updated_at=_time(conversation.update_time, began_at),
        messages=messages,
        leaf=len(messages) - 1 if leaf is None else leaf,
        external_id=f"chatgpt:{external[:NAME_CHARACTERS_MAX]}" if external else None,
        is_archived=bool(conversation.is_archived),
    )


def _role_names() -> tuple[str, ...]:
    return ("user", "assistant", "system")


def _parents_first(mapping: dict[str, _Node]) -> Iterator[tuple[str, _Node]]:
    """Walk from the roots, each node once: a ring in a damaged file is never entered."""
    ready = [
        name for name, node in mapping.items() if node.parent is None or node.parent not in mapping
    ]
    ready.reverse()
    seen: set[str] = set()
    while ready:
        name = ready.pop()
        if name in seen or name not in mapping:
            continue
        seen.add(name)
        node = mapping[name]
        yield name, node
        # A child that names another parent is reached from there.
        ready += [one for one in reversed(node.children) if _parent_of(mapping, one) == name]


def _parent_of(mapping: dict[str, _Node], name: str) -> str | None:
    node = mapping.get(name)
    return None if node is None else node.parent


def _text_of(said: _Said | None) -> str:
    if said is None or said.content is None:
        return ""
    if (said.metadata or {}).get("is_visually_hidden_from_conversation"):
        return ""
    parts = [part if isinstance(part, str) else _text_in(part) for part in said.content.parts]
    return ("\n".join(part for part in parts if part) or said.content.text or "").strip()


def _text_in(part: Any) -> str:
    text = part.get("text") if isinstance(part, dict) else None
    return text if isinstance(text, str) else ""


def _time(seconds: float | None, otherwise: float) -> float:
    return seconds if seconds is not None and 0 < seconds < _TIME_MAX else otherwise


def _chat(*, title: str, messages: list[ImportedMessage], leaf: int, **more: Any) -> ImportedChat:
    first = next((message.content for message in messages if message.role == "user"), "")
    named = " ".join((title or first).split())[:TITLE_CHARACTERS_MAX]
    return ImportedChat(
        title=named, messages=tuple(messages), leaf=leaf if messages else None, **more
    )
