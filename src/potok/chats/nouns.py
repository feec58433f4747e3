"""The nouns of chats, as frozen values. Times are seconds since the epoch, UTC."""

from typing import Literal

import msgspec

from potok.events.run_request import JsonObject, ToldMessage

__all__ = [
    "Begun",
    "Chat",
    "ChatChanges",
    "Ending",
    "Found",
    "Imported",
    "ImportedChat",
    "ImportedMessage",
    "MessageRecord",
    "MessageStatus",
    "NewAnswer",
    "NewChat",
    "Position",
    "Project",
    "QueuedMessage",
    "Settled",
    "ToldAnswer",
]

MessageStatus = Literal["streaming", "finished", "cancelled", "failed"]
TitleSource = Literal["none", "text", "model", "user"]
Role = Literal["user", "assistant", "system"]
Position = tuple[float, int]
"""The place of an item in a list ordered by time, then id: what a cursor holds."""


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of chats; `instructions` go before every prompt of its chats."""

    id: int
    name: str
    instructions: str
    created_at: float
    updated_at: float


class NewChat(msgspec.Struct, frozen=True, kw_only=True):
    """What `Chats.create` stores. Without a title the first message gives one."""

    title: str | None = None
    project_id: int | None = None
    model: str | None = None
    external_id: str | None = None


class Chat(msgspec.Struct, frozen=True, kw_only=True):
    """A chat. `leaf_id` is the last message of the path that is shown.

    `draft` is a text of the user that got no answer at all: it is offered back. The queue does not
    go on by itself while `is_queue_paused`.
    """

    id: int
    title: str
    title_source: TitleSource
    project_id: int | None
    model: str | None
    external_id: str | None
    is_archived: bool
    leaf_id: int | None
    draft: str | None
    is_queue_paused: bool
    created_at: float
    updated_at: float


class ChatChanges(msgspec.Struct, frozen=True, kw_only=True):
    """New values of a chat's fields; `UNSET` leaves one as it is."""

    title: str | msgspec.UnsetType = msgspec.UNSET
    project_id: int | msgspec.UnsetType | None = msgspec.UNSET
    model: str | msgspec.UnsetType | None = msgspec.UNSET
    is_archived: bool | msgspec.UnsetType = msgspec.UNSET
    draft: str | msgspec.UnsetType | None = msgspec.UNSET
    current_message_id: int | msgspec.UnsetType = msgspec.UNSET
    """Show the path through this message, down to its newest end."""


class MessageRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A node of a chat's tree. `run` is the run that makes or made it.

    While `streaming`, `content` is what stood there before the run began (a continued answer), and
    the log has the rest. `sibling_ids` are the children of its parent, itself among them, oldest
    first; empty where nobody asked for them. `plan` is what the caller needs to start the run
    again if it never began.
    """

    id: int
    chat_id: int
    principal: str
    parent_id: int | None
    role: Role
    content: str
    status: MessageStatus
    run: str | None
    client_id: str | None
    metadata: JsonObject
    plan: JsonObject | None
    created_at: float
    sibling_ids: tuple[int, ...] = ()


class NewAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What `Answers.begin` stores in one step: maybe a user's message, and its empty answer.

    `content` None answers the existing message `parent_id`. `at_leaf` puts the message at the end
    of the shown path; else it goes below `parent_id`, None for a new root. `earlier` are messages
    to be stored before it in a chat that is still empty. `queued_id` is the waiting message that
    this one was.
    """

    chat_id: int
    run: str
    content: str | None
    at_leaf: bool = True
    parent_id: int | None = None
    client_id: str | None = None
    queued_id: int | None = None
    metadata: JsonObject = msgspec.field(default_factory=dict)
    plan: JsonObject | None = None
    earlier: tuple[tuple[Role, str], ...] = ()


class ToldAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What `Answers.begin_told` stores: the newest message of a client that tells all it shows.

    `told` ends with the user's message. `is_again` asks for one more answer to a message that is
    there. `key` makes a resend find the answer, whatever the messages are called.
    """

    chat_id: int
    run: str
    told: tuple[ToldMessage, ...]
    is_again: bool = False
    key: str | None = None
    plan: JsonObject | None = None


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that exists from now on; not `is_new` if its client id was known already."""

    answer: MessageRecord
    is_new: bool


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended, for its message. `text` comes after what the message had before.

    `is_empty` says that there is nothing to keep: neither text nor calls nor data.
    """

    status: Literal["finished", "cancelled", "failed"]
    text: str
    metadata: JsonObject
    is_empty: bool


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an answer: its message, or None if it had nothing and was removed."""

    chat: Chat
    message: MessageRecord | None


class QueuedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that the server sends when the answer before it has finished."""

    id: int
    chat_id: int
    content: str
    model: str | None
    client_id: str | None
    created_at: float


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A chat that a search found: by `message_id`, or None if by its title."""

    chat: Chat
    message_id: int | None
    text: str
    position: int
    """Falls from chat to chat: what the next page goes on after."""


class ImportedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message to import; `parent` is an earlier message's place in its chat, None for a root."""

    role: Role
    content: str
    created_at: float
    parent: int | None
    status: MessageStatus = "finished"
    metadata: JsonObject = msgspec.field(default_factory=dict)


class ImportedChat(msgspec.Struct, frozen=True, kw_only=True):
    """A chat to import; `leaf` is the place of the last message of the shown path."""

    title: str
    created_at: float
    updated_at: float
    messages: tuple[ImportedMessage, ...]
    leaf: int | None
    external_id: str | None = None
    model: str | None = None
    is_archived: bool = False


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did; `known` counts chats that were there already, by their external id."""

    chat_ids: tuple[int, ...]
    known: int
