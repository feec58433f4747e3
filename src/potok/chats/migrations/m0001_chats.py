"""Schema 0001: projects, chats, the tree of messages, the queue, and full text."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Integer,
    Text,
    UniqueConstraint,
    text,
)

revision = "0001"
down_revision = None

_Id = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    """Make everything."""
    _make_projects_and_chats()
    _make_messages()
    _make_queue()
    _make_search()


def _make_projects_and_chats() -> None:
    op.create_table(
        "projects",
        Column("id", _Id, primary_key=True),
        Column("principal", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("instructions", Text, nullable=False),
        Column("created_at", Double, nullable=False),
        Column("updated_at", Double, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("projects_of_principal", "projects", ["principal", "updated_at", "id"])
    op.create_table(
        "chats",
        Column("id", _Id, primary_key=True),
        Column("principal", Text, nullable=False),
        Column("project_id", _Id, ForeignKey("projects.id", ondelete="SET NULL")),
        Column("title", Text, nullable=False),
        Column("title_source", Text, nullable=False),
        Column("model", Text),
        Column("external_id", Text),
        Column("is_archived", Boolean, nullable=False),
        Column("leaf_id", _Id),
        Column("draft", Text),
        Column("is_queue_paused", Boolean, nullable=False),
        Column("created_at", Double, nullable=False),
        Column("updated_at", Double, nullable=False),
        UniqueConstraint("principal", "external_id", name="chats_external"),
        sqlite_autoincrement=True,
    )
    op.create_index("chats_of_principal", "chats", ["principal", "updated_at", "id"])
    op.create_index("chats_of_project", "chats", ["project_id", "updated_at", "id"])


def _make_messages() -> None:
    op.create_table(
        "messages",
        Column("id", _Id, primary_key=True),
        Column("principal", Text, nullable=False),
        Column("chat_id", _Id, ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
        Column("parent_id", _Id, ForeignKey("messages.id")),
        Column("role", Text, nullable=False),
        Column("content", Text, nullable=False),
        Column("status", Text, nullable=False),
        Column("run", Text),
        Column("client_id", Text),
        Column("metadata", Text, nullable=False),
        Column("plan", Text),
        Column("created_at", Double, nullable=False),
        UniqueConstraint("chat_id", "client_id", name="messages_client"),
        sqlite_autoincrement=True,
    )
    op.create_index("messages_tree", "messages", ["chat_id", "parent_id", "id"])
    op.create_index("messages_parent", "messages", ["parent_id"])
    op.create_index("messages_run", "messages", ["run"])
    op.create_index(
        "messages_live",
        "messages",
        ["chat_id"],
        unique=True,
        sqlite_where=text("status = 'streaming'"),
        postgresql_where=text("status = 'streaming'"),
    )


def _make_queue() -> None:
    op.create_table(
        "queue_items",
        Column("id", _Id, primary_key=True),
        Column("principal", Text, nullable=False),
        Column("chat_id", _Id, ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
        Column("place", Integer, nullable=False),
        Column("content", Text, nullable=False),
        Column("model", Text),
        Column("client_id", Text),
        Column("created_at", Double, nullable=False),
        UniqueConstraint("chat_id", "client_id", name="queue_client"),
        sqlite_autoincrement=True,
    )
    op.create_index("queue_of_chat", "queue_items", ["chat_id", "place", "id"])


def _make_search() -> None:
    op.create_table(
        "search_documents",
        Column("id", _Id, primary_key=True),
        Column("principal", Text, nullable=False),
        Column("chat_id", _Id, ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
        Column("message_id", _Id, ForeignKey("messages.id", ondelete="CASCADE")),
        sqlite_autoincrement=True,
    )
    op.create_index("search_of_principal", "search_documents", ["principal", "id"])
    op.create_index("search_of_chat", "search_documents", ["chat_id", "id"])
    op.create_index("search_of_message", "search_documents", ["message_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE search_documents ADD COLUMN words tsvector NOT NULL")
        op.execute("CREATE INDEX search_words ON search_documents USING gin (words)")
        return
    # Words come normalised, so the tokenizer has only to split at blanks. Positions are not kept:
    # nobody asks for phrases, and they are most of an index.
    op.execute(
        "CREATE VIRTUAL TABLE search_words USING fts5(words, detail='none', columnsize=0,"
        " tokenize=\"unicode61 remove_diacritics 0 tokenchars '_'\")"
    )
    op.execute(
        "CREATE TRIGGER search_documents_gone AFTER DELETE ON search_documents"
        " BEGIN DELETE FROM search_words WHERE rowid = old.id; END"
    )
