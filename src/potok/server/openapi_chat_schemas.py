"""The JSON shapes of the chat routes that `/openapi.json` names, as data."""

from typing import Any

__all__ = ["CHAT_SCHEMAS"]

Json = dict[str, Any]


def _ref(schema: str) -> Json:
    return {"$ref": f"#/components/schemas/{schema}"}


_STRING: Json = {"type": "string"}
_INTEGER: Json = {"type": "integer"}
_BOOLEAN: Json = {"type": "boolean"}
_TIME: Json = {"type": "string", "format": "date-time"}


def _or_null(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(*required: str, **properties: Json) -> Json:
    shape: Json = {"type": "object", "properties": properties}
    return {**shape, "required": list(required)} if required else shape


def _list_of(schema: str) -> Json:
    items = {"type": "array", "items": _ref(schema)}
    return _object("items", "next_cursor", items=items, next_cursor=_or_null(_STRING))


_ANY: Json = {"type": "object", "additionalProperties": True}
CHAT_SCHEMAS: dict[str, Json] = {
    "Project": _object(
        *("id", "name"),
        id=_INTEGER,
        name=_STRING,
        instructions=_STRING,
        created_at=_TIME,
        updated_at=_TIME,
    ),
    "ProjectList": _list_of("Project"),
    "NewProject": _object(name=_STRING, instructions=_STRING),
    "Chat": _object(
        *("id", "title"),
        id=_INTEGER,
        title=_STRING,
        title_source={"type": "string", "enum": ["none", "text", "model", "user"]},
        project_id=_or_null(_INTEGER),
        model=_or_null(_STRING),
        external_id=_or_null(_STRING),
        archived=_BOOLEAN,
        current_message_id=_or_null(_INTEGER),
        draft=_or_null({**_STRING, "description": "A text of the user that got no answer."}),
        queue_paused=_BOOLEAN,
        created_at=_TIME,
        updated_at=_TIME,
        match=_object(message_id=_or_null(_INTEGER), snippet=_STRING),
    ),
    "ChatList": _list_of("Chat"),
    "NewChat": _object(title=_STRING, project_id=_INTEGER, model=_STRING, external_id=_STRING),
    "ChatChanges": _object(
        title=_STRING,
        project_id=_or_null(_INTEGER),
        model=_or_null(_STRING),
        archived=_BOOLEAN,
        draft=_or_null(_STRING),
        current_message_id=_INTEGER,
    ),
    "MessageRead": _object(
        *("id", "chat_id", "role", "content", "created_at"),
        id=_INTEGER,
        chat_id=_INTEGER,
        role={"type": "string", "enum": ["user", "assistant", "system"]},
        content=_STRING,
        created_at=_TIME,
        metadata={
            **_object(
                model=_STRING,
                tokens=_INTEGER,
                processingTime={**_INTEGER, "description": "Milliseconds."},
                thinkingText=_STRING,
                hasThinkingProcess=_BOOLEAN,
                thinkingExpanded=_BOOLEAN,
                status={
                    "type": "string",
                    "enum": ["streaming", "finished", "cancelled", "failed"],
                },
                run=_STRING,
            ),
            "additionalProperties": True,
        },
        parent_id=_or_null(_INTEGER),
        sibling_ids={"type": "array", "items": _INTEGER},
    ),
    "MessageList": _list_of("MessageRead"),
    "MessageChanges": _object(content=_STRING, thinkingExpanded=_BOOLEAN),
    "SendMessage": _object(
        "content",
        content=_STRING,
        model=_STRING,
        client_id={**_STRING, "description": "Yours: a resend with it is harmless."},
        parent_id=_or_null(_INTEGER),
    ),
    "AnswerAgain": _object(model=_STRING),
    "Cancel": _object(message_id=_INTEGER),
    "CancelledAnswer": _object("message", message=_or_null(_ref("MessageRead"))),
    "QueuedMessage": _object(
        *("id", "chat_id", "content"),
        id=_INTEGER,
        chat_id=_INTEGER,
        content=_STRING,
        model=_or_null(_STRING),
        client_id=_or_null(_STRING),
        created_at=_TIME,
    ),
    "QueueList": _list_of("QueuedMessage"),
    "QueuedChanges": _object(content=_STRING, place=_INTEGER),
    "ImportFile": {
        "description": "Potok's own export, or ChatGPT's conversations.json.",
        "anyOf": [
            _object("format", "version", "chats", format=_STRING, version=_INTEGER),
            {"type": "array", "items": _ANY},
        ],
    },
    "ImportDone": _object(
        "imported",
        imported=_INTEGER,
        already_known=_INTEGER,
        chat_ids={"type": "array", "items": _INTEGER},
    ),
}
