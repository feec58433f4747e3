"""The tables of this version, as SQLAlchemy sees them; `migrations` makes them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

__all__ = ["chats", "messages", "metadata", "projects", "queue_items", "search_documents"]

metadata = MetaData()
# SQLite counts rows only in a plain INTEGER.
_Id = BigInteger().with_variant(Integer, "sqlite")

projects = Table(
    "projects",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("principal", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("instructions", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    Index("projects_of_principal", "principal", "updated_at", "id"),
    sqlite_autoincrement=True,
)

chats = Table(
    "chats",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("principal", Text, nullable=False),
    Column("project_id", _Id, ForeignKey("projects.id", ondelete="SET NULL")),
    Column("title", Text, nullable=False),
    Column("title_source", Text, nullable=False),
    Column("model", Text),
    Column("external_id", Text),
    Column("is_archived", Boolean, nullable=False),
    # No foreign key: messages point to chats already.
    Column("leaf_id", _Id),
    Column("draft", Text),
    Column("is_queue_paused", Boolean, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("updated_at", Double, nullable=False),
    UniqueConstraint("principal", "external_id", name="chats_external"),
    Index("chats_of_principal", "principal", "updated_at", "id"),
    Index("chats_of_project", "project_id", "updated_at", "id"),
    sqlite_autoincrement=True,
)

messages = Table(
    "messages",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("principal", Text, nullable=False),
    Column("chat_id", _Id, ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
    Column("parent_id", _Id, ForeignKey("messages.id")),
    Column("role", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("run", Text),
    Column("client_id", Text),
    # JSON objects.
    Column("metadata", Text, nullable=False),
    Column("plan", Text),
    Column("created_at", Double, nullable=False),
    UniqueConstraint("chat_id", "client_id", name="messages_client"),
    Index("messages_tree", "chat_id", "parent_id", "id"),
    Index("messages_parent", "parent_id"),
    Index("messages_run", "run"),
    sqlite_autoincrement=True,
)
# A chat makes one answer at a time, whoever asks and from wherever.
Index(
    "messages_live",
    messages.c.chat_id,
    unique=True,
    sqlite_where=messages.c.status == "streaming",
    postgresql_where=messages.c.status == "streaming",
)

queue_items = Table(
    "queue_items",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("principal", Text, nullable=False),
    Column("chat_id", _Id, ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
    Column("place", Integer, nullable=False),
    Column("content", Text, nullable=False),
    Column("model", Text),
    Column("client_id", Text),
    Column("created_at", Double, nullable=False),
    UniqueConstraint("chat_id", "client_id", name="queue_client"),
    Index("queue_of_chat", "chat_id", "place", "id"),
    sqlite_autoincrement=True,
)

# What search finds: a message, or with no message its chat's title. The words themselves are in
# `search_words` (SQLite, FTS5) or in a column `words` (PostgreSQL, tsvector).
search_documents = Table(
    "search_documents",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("principal", Text, nullable=False),
    Column("chat_id", _Id, ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
    Column("message_id", _Id, ForeignKey("messages.id", ondelete="CASCADE")),
    Index("search_of_principal", "principal", "id"),
    Index("search_of_chat", "chat_id", "id"),
    Index("search_of_message", "message_id"),
    sqlite_autoincrement=True,
)
