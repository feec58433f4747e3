"""Projects, chats and messages in SQL: the only room that knows a database of chats."""
