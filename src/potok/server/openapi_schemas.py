"""The JSON shapes that `/openapi.json` names: components of the document, as data."""

from typing import Any

__all__ = ["SCHEMAS"]

_STRING: dict[str, Any] = {"type": "string"}
_NUMBER: dict[str, Any] = {"type": "number"}
_INTEGER: dict[str, Any] = {"type": "integer"}
_ANY_OBJECT: dict[str, Any] = {"type": "object", "additionalProperties": True}


def _object(
    required: tuple[str, ...] = (), *, open_ended: bool = False, **properties: dict[str, Any]
) -> dict[str, Any]:
    shape: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        shape["required"] = list(required)
    if open_ended:
        shape["additionalProperties"] = True
    return shape


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _list_of(name: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}


_STATUS = {"type": "string", "enum": ["queued", "running", "finished", "cancelled", "failed"]}
_OFFSET = {
    "type": "string",
    "description": "The place of an event in its run: compare it for equality, never compute it.",
}

SCHEMAS: dict[str, dict[str, Any]] = {
    "Message": _object(
        ("role", "content"),
        open_ended=True,
        role={"type": "string", "enum": ["system", "developer", "user", "assistant", "tool"]},
        content={
            "description": "Text, or a list of parts as OpenAI has them.",
            "anyOf": [_STRING, {"type": "array", "items": _ANY_OBJECT}, {"type": "null"}],
        },
    ),
    "StartRun": _object(
        open_ended=True,
        model={**_STRING, "description": "Bare name or `<provider>/<name>`; with `messages`."},
        messages=_list_of("Message"),
        agent={**_STRING, "description": "An agent instead of a model; with `input`."},
        input={"description": "Whatever the agent takes."},
        chat_id=_STRING,
        on_disconnect={"type": "string", "enum": ["keep", "cancel"], "default": "keep"},
        policy=_object(
            on_upstream_failure={"type": "string", "enum": ["continue", "restart", "fail"]},
            fallback={"type": "array", "items": _STRING, "description": "Models that stand in."},
        ),
        language={**_STRING, "description": "Of status texts; else by `Accept-Language`."},
    ),
    "StartedRun": _object(("id", "status", "events"), id=_STRING, status=_STATUS, events=_STRING),
    "RunSummary": _object(
        ("id", "status", "offset"),
        id=_STRING,
        status=_STATUS,
        offset=_OFFSET,
        model=_or_null(_STRING),
        agent=_or_null(_STRING),
        chat_id=_or_null(_STRING),
        created_at=_NUMBER,
        ended_at=_or_null(_NUMBER),
        events=_STRING,
    ),
    "RunList": _object(
        ("items", "next_cursor"), items=_list_of("RunSummary"), next_cursor=_or_null(_STRING)
    ),
    "RunState": _object(
        ("id", "status", "offset", "message", "usage", "error"),
        id=_STRING,
        status=_STATUS,
        position={
            **_INTEGER,
            "minimum": 1,
            "description": "While `queued` at its provider: how many are served up to this run.",
        },
        offset=_OFFSET,
        message=_object(
            ("role", "parts", "text"),
            open_ended=True,
            role=_STRING,
            parts={"type": "array", "items": _ANY_OBJECT},
            text=_STRING,
        ),
        usage=_or_null(_ANY_OBJECT),
        error=_or_null(_object(("code", "message"), code=_STRING, message=_STRING)),
    ),
    "EventPage": _object(
        ("events", "offset", "done"),
        events={"type": "array", "items": _ANY_OBJECT},
        offset=_OFFSET,
        done={"type": "boolean", "description": "Whether the run has ended and this is its end."},
    ),
    "ChatCompletionRequest": _object(
        ("model", "messages"),
        open_ended=True,
        model=_STRING,
        messages=_list_of("Message"),
        stream={"type": "boolean", "default": False},
        stream_options=_object(include_usage={"type": "boolean"}),
        temperature=_NUMBER,
        max_tokens=_INTEGER,
        n=_INTEGER,
        tools={"type": "array", "items": _ANY_OBJECT},
    ),
    "ChatCompletion": _object(
        ("id", "object", "created", "model", "choices"),
        open_ended=True,
        id=_STRING,
        object={"const": "chat.completion"},
        created=_INTEGER,
        model=_STRING,
        choices={"type": "array", "items": _ANY_OBJECT},
        usage=_ANY_OBJECT,
    ),
    "SimpleChatRequest": _object(
        ("messages",),
        open_ended=True,
        messages=_list_of("Message"),
        model={**_STRING, "description": "Left out, the server's default model answers."},
        on_disconnect={"type": "string", "enum": ["keep", "cancel"], "default": "cancel"},
        temperature=_NUMBER,
        max_tokens=_INTEGER,
    ),
    "SimpleAnswer": _object(
        ("message", "model", "usage", "run"),
        message=_STRING,
        model=_STRING,
        usage=_or_null(
            _object(prompt_tokens=_INTEGER, completion_tokens=_INTEGER, total_tokens=_INTEGER)
        ),
        run=_STRING,
    ),
    "SimpleProblem": _object(
        ("error", "code"),
        open_ended=True,
        error={**_STRING, "description": "A sentence for people."},
        code=_STRING,
    ),
    "Model": _object(
        ("id", "object", "created", "owned_by"),
        id=_STRING,
        object={"const": "model"},
        created=_INTEGER,
        owned_by=_STRING,
        full_name={**_STRING, "description": "`<provider>/<name>`, which always works."},
    ),
    "ModelList": _object(("object", "data"), object={"const": "list"}, data=_list_of("Model")),
    "Health": _object(
        ("status", "version", "uptime_seconds", "live_runs"),
        status={"const": "ok"},
        version=_STRING,
        uptime_seconds=_NUMBER,
        live_runs=_INTEGER,
    ),
    "Problem": _object(
        ("error",),
        error=_object(("code", "message"), open_ended=True, code=_STRING, message=_STRING),
    ),
    "OpenAiProblem": _object(
        ("error",),
        error=_object(
            ("message", "type", "code"),
            open_ended=True,
            message=_STRING,
            type=_STRING,
            param=_or_null(_STRING),
            code=_STRING,
        ),
    ),
}
