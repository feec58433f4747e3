"""What is asked of the coding agent, and the route by which it is asked."""

from collections.abc import Mapping

from potok.apps.contract import JsonObject, Route, Start
from potok_apps.coding.dialect import CodingSse
from potok_apps.refusals import Refusal

__all__ = ["AGENT", "MODES", "ROUTE", "read_wish"]

AGENT = "coding"
MODES = ("chat", "code")

MESSAGE_CHARACTERS_MAX = 20_000
"""Of one message: a long task with a file in it."""
HISTORY_MESSAGES_MAX = 100
"""Of the conversation before; older ones are the client's to leave out."""

_ROLES = ("user", "assistant", "system")


def read_wish(body: JsonObject, path: Mapping[str, str]) -> Start:
    """Check a body; raises `Refusal`."""
    message = body.get("message")
    if not isinstance(message, str) or not message.strip():
        raise Refusal(
            ru="Напишите в `message`, что нужно сделать.",
            en="`message` must be a text: what is to be done?",
            param="message",
        )
    if len(message) > MESSAGE_CHARACTERS_MAX:
        raise Refusal(
            ru=f"Слишком длинное сообщение: можно до {MESSAGE_CHARACTERS_MAX} символов.",
            en=f"`message` has {len(message)} characters; send at most {MESSAGE_CHARACTERS_MAX}.",
            param="message",
        )
    mode = body.get("mode", "chat")
    if mode not in MODES:
        raise Refusal(
            ru="`mode` может быть chat или code.", en="`mode` must be chat or code.", param="mode"
        )
    model = body.get("model")
    if model is not None and (not isinstance(model, str) or not model):
        raise Refusal(
            ru="`model` — это имя модели, строка.",
            en="`model` must be the name of a model.",
            param="model",
        )
    return Start(
        agent=AGENT,
        input={
            "message": message,
            "history": _read_history(body.get("conversation_history", [])),
            "mode": mode,
            "model": model,
            "temperature": _read_temperature(body.get("temperature")),
        },
    )


def _read_temperature(value: object) -> float | None:
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= 2:  # type: ignore[operator]
        raise Refusal(
            ru="`temperature` — число от 0 до 2.",
            en="`temperature` must be a number from 0 to 2.",
            param="temperature",
        )
    return float(value)  # type: ignore[arg-type]


def _read_history(history: object) -> list[JsonObject]:
    param = "conversation_history"
    if not isinstance(history, list) or len(history) > HISTORY_MESSAGES_MAX:
        raise Refusal(
            ru=f"`{param}` — массив, не больше {HISTORY_MESSAGES_MAX} сообщений.",
            en=f"`{param}` must be an array of at most {HISTORY_MESSAGES_MAX} messages.",
            param=param,
        )
    for place, message in enumerate(history):
        is_message = (
            isinstance(message, dict)
            and message.get("role") in _ROLES
            and isinstance(message.get("content"), str)
        )
        if not is_message:
            raise Refusal(
                ru=f"`{param}[{place}]` — объект с полями `role` (user, assistant или system) и"
                " `content`, текст.",
                en=f"`{param}[{place}]` must be an object with `role` (user, assistant or system)"
                " and `content`, a text.",
                param=f"{param}[{place}]",
            )
    return [{"role": one["role"], "content": one["content"]} for one in history]


ROUTE = Route(
    path="/api/agent/stream",
    dialect=CodingSse(),
    read=read_wish,
    body={
        "type": "object",
        "required": ["message"],
        "properties": {
            "message": {"type": "string", "maxLength": MESSAGE_CHARACTERS_MAX},
            "conversation_history": {
                "type": "array",
                "maxItems": HISTORY_MESSAGES_MAX,
                "items": {
                    "type": "object",
                    "required": ["role", "content"],
                    "properties": {
                        "role": {"enum": list(_ROLES)},
                        "content": {"type": "string"},
                    },
                },
            },
            "mode": {"enum": list(MODES), "default": "chat"},
            "model": {"type": "string"},
            "temperature": {"type": "number", "minimum": 0, "maximum": 2},
        },
    },
    example={"message": "Напиши функцию, которая считает слова в тексте", "mode": "code"},
    reply=(
        'event: stage_update\ndata: {"stage":"coder","state":"started","attempt":1,'
        '"message":"Пишу код..."}\nid: 01j...9\n\n'
        'event: token\ndata: {"text":"def "}\nid: 01j...10\n\n'
    ),
    summary="Ask the coding agent",
    description=(
        "`chat` streams an answer; `code` plans, writes and reviews: the code and the reviewer's"
        " answer both stream, stages are told, files and critique follow as metadata. The run's id"
        " is the `task_id`. Nothing is executed."
    ),
    starts_by_get=True,
)
