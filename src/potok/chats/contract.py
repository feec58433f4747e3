"""What a store of chats keeps and promises: projects, chats, a tree of messages, a queue.

Every call names its principal, and another principal's things are as if they did not exist. Times
are seconds since the epoch, UTC. A call changes all that it says or nothing, also at `kill -9`.
Every backend passes the suite in `potok.testing.chat_store_suite`.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from potok.events.run_request import JsonObject

__all__ = [
    "Answers",
    "Begun",
    "Chat",
    "ChatChanges",
    "ChatStore",
    "Chats",
    "Ending",
    "Found",
    "Imported",
    "ImportedChat",
    "ImportedMessage",
    "MessageRecord",
    "MessageStatus",
    "Messages",
    "NewAnswer",
    "NewChat",
    "Position",
    "Project",
    "Projects",
    "Queue",
    "QueuedMessage",
    "Search",
    "Settled",
    "Transfer",
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
    project_id: int | None | msgspec.UnsetType = msgspec.UNSET
    model: str | None | msgspec.UnsetType = msgspec.UNSET
    is_archived: bool | msgspec.UnsetType = msgspec.UNSET
    draft: str | None | msgspec.UnsetType = msgspec.UNSET
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


class Projects(Protocol):
    """Folders of chats."""

    async def create(self, *, principal: str, name: str, instructions: str) -> Project:
        """Store a project."""
        ...

    async def read(self, project: int, *, principal: str) -> Project:
        """Return a project; raises `ChatNotFound`."""
        ...

    async def page(
        self, *, principal: str, before: Position | None, items_max: int
    ) -> list[Project]:
        """Return projects, those changed last first."""
        ...

    async def update(
        self, project: int, *, principal: str, name: str | None, instructions: str | None
    ) -> Project:
        """Change what is not None; raises `ChatNotFound`."""
        ...

    async def delete(self, project: int, *, principal: str) -> None:
        """Remove a project; its chats stay, in no project. Raises `ChatNotFound`."""
        ...


class Chats(Protocol):
    """Chats without their messages."""

    async def create(self, new: NewChat, *, principal: str) -> Chat:
        """Store a chat, or return the one of its external id; raises `ChatNotFound` (project)."""
        ...

    async def read(self, chat: int, *, principal: str) -> Chat:
        """Return a chat; raises `ChatNotFound`."""
        ...

    async def find(self, external_id: str, *, principal: str) -> Chat | None:
        """Return the chat of an external id."""
        ...

    async def page(
        self,
        *,
        principal: str,
        project_id: int | None,
        is_archived: bool | None,
        before: Position | None,
        items_max: int,
    ) -> list[Chat]:
        """Return chats, those changed last first; None for no filter."""
        ...

    async def update(self, chat: int, changes: ChatChanges, *, principal: str) -> Chat:
        """Change a chat; raises `ChatNotFound` (chat, project or message)."""
        ...

    async def set_made_title(self, chat: int, title: str, *, principal: str) -> None:
        """Store a model's title, unless the user gave one meanwhile or the chat is gone."""
        ...

    async def delete(self, chat: int, *, principal: str) -> list[str]:
        """Remove a chat with all its messages; return its live runs. Raises `ChatNotFound`."""
        ...


class Messages(Protocol):
    """The tree of messages."""

    async def path(
        self, chat: Chat, *, principal: str, before: int | None, items_max: int
    ) -> tuple[list[MessageRecord], int | None]:
        """Return the end of the shown path, or its part before a message, oldest first.

        Returns:
            At most `items_max` messages with their siblings, and the first one's id if older ones
            are left. A `before` that is no message of the chat gives an empty page.
        """
        ...

    async def lineage(
        self, chat: int, message: int, *, principal: str, items_max: int
    ) -> list[MessageRecord]:
        """Return a message and the newest ones before it, oldest first, without siblings."""
        ...

    async def read(self, chat: int, message: int, *, principal: str) -> MessageRecord:
        """Return a message with its siblings; raises `ChatNotFound`."""
        ...

    async def edit(self, chat: int, message: int, content: str, *, principal: str) -> MessageRecord:
        """Store a new text of a user's message as its sibling, and show that path.

        Raises:
            ChatNotFound: no such message.
            RequestInvalid: not a user's message.
        """
        ...

    async def set_thinking_expanded(
        self, chat: int, message: int, is_expanded: bool, *, principal: str
    ) -> MessageRecord:
        """Remember whether the thinking is unfolded; raises `ChatNotFound`."""
        ...

    async def delete(self, chat: int, message: int, *, principal: str) -> str | None:
        """Remove a message; what followed it moves up. Return its run if that was live.

        Raises:
            ChatNotFound: no such message.
        """
        ...


class Answers(Protocol):
    """Answers while their runs live: at most one in a chat."""

    async def begin(self, new: NewAnswer, *, principal: str) -> Begun:
        """Store an answer that streams from now on, with the user's message before it.

        Raises:
            ChatNotFound: no such chat, or no such waiting message.
            RequestInvalid: `parent_id` is no message of the chat, or no fitting one.
            ChatBusy: an answer of the chat is streaming.
            IdempotencyConflict: the client id has another text.
        """
        ...

    async def reopen(
        self, chat: int, message: int, *, principal: str, run: str, plan: JsonObject
    ) -> MessageRecord:
        """Make a settled answer stream again, after the text that it has.

        Raises:
            ChatNotFound, ChatBusy: as `begin`.
            RequestInvalid: not an answer, or other messages follow it.
        """
        ...

    async def settle(self, message: int, *, run: str, ending: Ending) -> Settled | None:
        """Store an answer's end, once: None if it was settled, removed or reopened already.

        An answer with nothing in it is removed. If its user's message has no other answer, that
        one is taken back too, and its text becomes the chat's `draft`.
        """
        ...

    async def find_live(self, chat: int, *, principal: str) -> MessageRecord | None:
        """Return the chat's streaming answer."""
        ...

    async def find_run(self, chat: int, run: str, *, principal: str) -> MessageRecord | None:
        """Return the answer that a run made."""
        ...

    async def list_unsettled(self, *, after: int, items_max: int) -> list[MessageRecord]:
        """Return streaming answers of all principals with ids beyond `after`, in their order."""
        ...


class Queue(Protocol):
    """Messages that wait for the end of a chat's answer, in their order."""

    async def add(
        self, chat: int, content: str, *, principal: str, model: str | None, client_id: str | None
    ) -> QueuedMessage:
        """Put a message at the queue's end; a known client id gives the one that is there.

        Raises:
            ChatNotFound: no such chat.
            RequestInvalid: the queue is full.
        """
        ...

    async def waiting(self, chat: int, *, principal: str) -> list[QueuedMessage]:
        """Return the waiting messages, the next one first."""
        ...

    async def update(
        self, chat: int, item: int, *, principal: str, content: str | None, place: int | None
    ) -> QueuedMessage:
        """Change a text, or move it to a place counted from 0; raises `ChatNotFound`."""
        ...

    async def remove(self, chat: int, item: int, *, principal: str) -> None:
        """Remove a waiting message; raises `ChatNotFound`."""
        ...

    async def pause(self, chat: int, *, principal: str) -> None:
        """Let the queue wait until a person goes on with it."""
        ...

    async def list_ready(self, *, items_max: int) -> list[tuple[int, str]]:
        """Return chats whose queue could go on now, with their principals."""
        ...


class Search(Protocol):
    """Full text of messages and titles, by the forms of Russian and English words."""

    async def find(
        self,
        query: str,
        *,
        principal: str,
        project_id: int | None,
        before: int | None,
        items_max: int,
    ) -> list[Found]:
        """Return chats that have all words in one message or title, newest hit first.

        The last word may be the beginning of one. `before` is the last page's last position.
        """
        ...


class Transfer(Protocol):
    """Whole chats in and out."""

    async def add(self, chats: Sequence[ImportedChat], *, principal: str) -> Imported:
        """Store all the chats or none."""
        ...

    async def read_tree(
        self, chat: int, *, principal: str, after: int, items_max: int
    ) -> list[MessageRecord]:
        """Return messages of the whole tree with ids beyond `after`, parents first."""
        ...


class ChatStore(Protocol):
    """A durable store of chats."""

    @property
    def projects(self) -> Projects: ...
    @property
    def chats(self) -> Chats: ...
    @property
    def messages(self) -> Messages: ...
    @property
    def answers(self) -> Answers: ...
    @property
    def queue(self) -> Queue: ...
    @property
    def search(self) -> Search: ...
    @property
    def transfer(self) -> Transfer: ...

    async def open(self) -> None:
        """Make the store ready, bringing its schema up to date under a lock.

        Raises:
            DatabaseNewer: a newer Potok wrote it; nothing was changed.
            DatabaseUnusable: it cannot be reached or written.
        """
        ...

    async def close(self) -> None:
        """Release everything; closing twice is harmless."""
        ...
