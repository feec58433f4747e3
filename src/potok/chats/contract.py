"""What a store of chats keeps and promises: projects, chats, a tree of messages, a queue.

Every call names its principal, and another principal's things are as if they did not exist. Times
are seconds since the epoch, UTC. A call changes all that it says or nothing, also at `kill -9`.
Every backend passes the suite in `potok.testing.chat_store_suite`.
"""

from collections.abc import Sequence
from typing import Protocol

from potok.chats.nouns import (
    Begun,
    Chat,
    ChatChanges,
    Ending,
    Found,
    Imported,
    ImportedChat,
    ImportedMessage,
    MessageRecord,
    MessageStatus,
    NewAnswer,
    NewChat,
    Position,
    Project,
    QueuedMessage,
    Settled,
    ToldAnswer,
)
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
    "ToldAnswer",
    "Transfer",
]


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

    async def begin_told(self, new: ToldAnswer, *, principal: str) -> Begun:
        """Store an answer below what a client shows, with those of its messages that are new.

        A message is known by its name (the `client_id` that it was stored with, `msg_<run>`, or
        its id), else by standing at its place of the shown path with the same text. A known
        message with another text is an edit: its sibling, which has the name from then on. A
        user's message that is known and has an answer gives that one, unless `is_again`.

        Raises:
            ChatNotFound: no such chat.
            ChatBusy: an answer of the chat is streaming; `is_seen` if the client tells of it.
        """
        ...

    async def find_told(self, chat: int, name: str, *, principal: str) -> MessageRecord | None:
        """Return the answer that a client calls by this name."""
        ...

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
        """Make a settled answer stream again, after the text that it has.

        Args:
            after_run: Its run as it was read: if another one has gone on with the answer since, the
                chat is busy. None for whichever it is.
            name: What its client calls it from now on.

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
