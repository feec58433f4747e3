"""What `/openapi.json` says of the chat routes: bodies, replies, examples."""

from typing import Any

__all__ = [
    "ATTACH",
    "CANCEL",
    "CHANGE_CHAT",
    "CHANGE_MESSAGE",
    "CHANGE_PROJECT",
    "CHANGE_QUEUED",
    "CHAT",
    "DELETE",
    "ENQUEUE",
    "EXPORT",
    "GO_ON",
    "IMPORT",
    "LIST_CHATS",
    "LIST_MESSAGES",
    "LIST_PROJECTS",
    "MESSAGE",
    "NEW_CHAT",
    "NEW_PROJECT",
    "PROJECT",
    "QUEUE",
    "REGENERATE",
    "SEND",
    "SEND_NOW",
]

Json = dict[str, Any]

_RUN = "06fb2k9y3m7q4x1t8vzc5nhd0e"
_AT = "2026-11-21T03:04:05.678Z"
_PROJECT = {
    "id": 1,
    "name": "Rings",
    "instructions": "Be brief.",
    "created_at": _AT,
    "updated_at": _AT,
}
_CHAT = {
    "id": 7,
    "title": "Choosing a ring",
    "title_source": "model",
    "project_id": 1,
    "model": "demo",
    "external_id": None,
    "archived": False,
    "current_message_id": 42,
    "draft": None,
    "queue_paused": False,
    "created_at": _AT,
    "updated_at": _AT,
}
_ANSWER = {
    "id": 42,
    "chat_id": 7,
    "role": "assistant",
    "content": "Hello!",
    "created_at": _AT,
    "metadata": {
        "model": "demo",
        "tokens": 3,
        "processingTime": 125,
        "hasThinkingProcess": False,
        "thinkingExpanded": False,
        "status": "finished",
        "run": _RUN,
    },
    "parent_id": 41,
    "sibling_ids": [42],
}
_QUEUED = {
    "id": 3,
    "chat_id": 7,
    "content": "And silver?",
    "model": None,
    "client_id": None,
    "created_at": _AT,
}
_FILE = {
    "format": "potok-chats",
    "version": 1,
    "chats": [
        {
            "title": "Choosing a ring",
            "messages": [{"id": 1, "role": "user", "content": "Which ring?"}],
        }
    ],
}
_FRAMES = (
    'data: {"type":"message_start","message":{"id":42,"chat_id":7,"role":"assistant",...}}\n'
    f"id: {_RUN}.1\n\n"
    f'data: {{"type":"message_delta","message_id":42,"delta":"Hello!"}}\nid: {_RUN}.3\n\n'
    'data: {"type":"message_end","message":{"id":42,"chat_id":7,"role":"assistant",...}}\n'
    f"id: {_RUN}.6\n\n"
)
_LINES = f'{{"type":"message_delta","message_id":42,"delta":"Hello!","id":"{_RUN}.3"}}\n'


def _ref(schema: str) -> Json:
    return {"$ref": f"#/components/schemas/{schema}"}


def _body(schema: str, example: Json) -> Json:
    examples = {"usual": {"value": example}}
    content = {"application/json": {"schema": _ref(schema), "examples": examples}}
    return {"required": True, "content": content}


def _reply(says: str, schema: str, example: Json) -> Json:
    content = {"application/json": {"schema": _ref(schema), "example": example}}
    return {"description": says, "content": content}


def _problem(says: str, code: str, message: str) -> Json:
    return _reply(says, "Problem", {"error": {"code": code, "message": message}})


def _page(says: str, schema: str, *items: Json) -> Json:
    return _reply(says, schema, {"items": list(items), "next_cursor": None})


_NOT_YOURS = _problem(
    "It does not exist, or is not yours; the two cannot be told apart.",
    "chat_not_found",
    "There is no chat '7' of yours.",
)
_BAD = _problem("A field is wrong.", "invalid_request", "`content` must be a text.")
_BAD_CURSOR = _problem(
    "The cursor is of another list.", "cursor_invalid", "The cursor was not given by this list."
)
_BUSY = _problem("The chat is answering.", "chat_busy", "Chat 7 is still answering.")
_STREAM = {
    "description": "The answer, while it is made.",
    "content": {
        "text/event-stream": {"schema": {"type": "string"}, "example": _FRAMES},
        "application/x-ndjson": {"schema": {"type": "string"}, "example": _LINES},
    },
}
_STREAMED = {"200": _STREAM, "400": _BAD, "404": _NOT_YOURS, "409": _BUSY}

DELETE: Json = {"responses": {"204": {"description": "Gone."}, "404": _NOT_YOURS}}
LIST_PROJECTS: Json = {
    "responses": {"200": _page("Projects.", "ProjectList", _PROJECT), "400": _BAD_CURSOR}
}
NEW_PROJECT: Json = {
    "requestBody": _body("NewProject", {"name": "Rings", "instructions": "Be brief."}),
    "responses": {"201": _reply("Made.", "Project", _PROJECT), "400": _BAD},
}
PROJECT: Json = {"responses": {"200": _reply("It.", "Project", _PROJECT), "404": _NOT_YOURS}}
CHANGE_PROJECT: Json = {
    "requestBody": _body("NewProject", {"name": "Gold rings"}),
    "responses": {"200": _reply("Changed.", "Project", _PROJECT), "404": _NOT_YOURS},
}
LIST_CHATS: Json = {
    "responses": {
        "200": _page("Chats.", "ChatList", _CHAT),
        "400": _BAD_CURSOR,
        "404": _NOT_YOURS,
    }
}
NEW_CHAT: Json = {
    "requestBody": {**_body("NewChat", {"project_id": 1, "model": "demo"}), "required": False},
    "responses": {"201": _reply("Made.", "Chat", _CHAT), "404": _NOT_YOURS},
}
CHAT: Json = {"responses": {"200": _reply("It.", "Chat", _CHAT), "404": _NOT_YOURS}}
CHANGE_CHAT: Json = {
    "requestBody": _body("ChatChanges", {"title": "Choosing a ring"}),
    "responses": {"200": _reply("Changed.", "Chat", _CHAT), "404": _NOT_YOURS},
}
CANCEL: Json = {
    "requestBody": {**_body("Cancel", {"message_id": 42}), "required": False},
    "responses": {
        "200": _reply("What is left of the answer.", "CancelledAnswer", {"message": _ANSWER}),
        "404": _NOT_YOURS,
    },
}
LIST_MESSAGES: Json = {
    "responses": {
        "200": _page("Messages.", "MessageList", _ANSWER),
        "400": _BAD_CURSOR,
        "404": _NOT_YOURS,
    }
}
MESSAGE: Json = {"responses": {"200": _reply("It.", "MessageRead", _ANSWER), "404": _NOT_YOURS}}
CHANGE_MESSAGE: Json = {
    "requestBody": _body("MessageChanges", {"content": "And silver?"}),
    "responses": {
        "200": _reply("The changed or the new message.", "MessageRead", _ANSWER),
        "400": _BAD,
        "404": _NOT_YOURS,
    },
}
SEND: Json = {
    "requestBody": _body("SendMessage", {"content": "Hello!", "model": "demo"}),
    "responses": _STREAMED,
}
ATTACH: Json = {
    "responses": {
        "200": _STREAM,
        "204": {"description": "Nothing is being answered."},
        "404": _NOT_YOURS,
    }
}
REGENERATE: Json = {
    "requestBody": {**_body("AnswerAgain", {"model": "demo"}), "required": False},
    "responses": _STREAMED,
}
GO_ON: Json = REGENERATE
QUEUE: Json = {"responses": {"200": _page("The queue.", "QueueList", _QUEUED), "404": _NOT_YOURS}}
ENQUEUE: Json = {
    "requestBody": _body("SendMessage", {"content": "And silver?"}),
    "responses": {"201": _reply("It waits, or was sent.", "QueuedMessage", _QUEUED), "400": _BAD},
}
CHANGE_QUEUED: Json = {
    "requestBody": _body("QueuedChanges", {"place": 0}),
    "responses": {"200": _reply("Changed.", "QueuedMessage", _QUEUED), "404": _NOT_YOURS},
}
SEND_NOW: Json = {"responses": _STREAMED}
IMPORT: Json = {
    "requestBody": _body("ImportFile", _FILE),
    "responses": {
        "201": _reply(
            "Imported.", "ImportDone", {"imported": 1, "already_known": 0, "chat_ids": [8]}
        ),
        "400": _problem("No such file.", "invalid_request", "The file is neither ..."),
        "413": _problem("Too large.", "too_large", "The body is larger than the limit."),
    },
}
EXPORT: Json = {
    "responses": {
        "200": {
            "description": "The file.",
            "content": {
                "text/markdown": {"schema": {"type": "string"}, "example": "# Choosing a ring\n"},
                "application/json": {"schema": _ref("ImportFile"), "example": _FILE},
            },
        },
        "404": _NOT_YOURS,
    }
}
