"""Reads the fields that several apps' bodies have; what is wrong is said in both languages."""

from potok.apps.contract import JsonObject
from potok_apps.refusals import Refusal

__all__ = [
    "HISTORY_MESSAGES_MAX",
    "ROLES",
    "history_schema",
    "read_history",
    "read_model",
    "read_text",
]

HISTORY_MESSAGES_MAX = 100
"""Of the conversation before; older ones are the client's to leave out."""

ROLES = ("user", "assistant", "system")


def read_text(body: JsonObject, param: str, *, characters_max: int) -> str:
    """Return a text that is not blank, without blanks at its edges."""
    text = body.get(param)
    if not isinstance(text, str) or not text.strip():
        raise Refusal(
            ru=f"Напишите текст в `{param}`: пустой не обработать.",
            en=f"`{param}` must be a text that is not empty.",
            param=param,
        )
    if len(text) > characters_max:
        raise Refusal(
            ru=f"Слишком длинный текст в `{param}`: можно до {characters_max} символов.",
            en=f"`{param}` has {len(text)} characters; send at most {characters_max}.",
            param=param,
        )
    return text.strip()


def read_model(body: JsonObject) -> str | None:
    """Return the name of a model, None for the server's first one."""
    model = body.get("model")
    if model is not None and (not isinstance(model, str) or not model):
        raise Refusal(
            ru="`model` — это имя модели, строка.",
            en="`model` must be the name of a model.",
            param="model",
        )
    return model


def read_history(body: JsonObject, *, characters_max: int) -> list[JsonObject]:
    """Return `conversation_history`, each message with its role and text alone."""
    param = "conversation_history"
    history = body.get(param)
    if history is None:
        return []
    if not isinstance(history, list) or len(history) > HISTORY_MESSAGES_MAX:
        raise Refusal(
            ru=f"`{param}` — массив, не больше {HISTORY_MESSAGES_MAX} сообщений.",
            en=f"`{param}` must be an array of at most {HISTORY_MESSAGES_MAX} messages.",
            param=param,
        )
    for place, message in enumerate(history):
        is_message = (
            isinstance(message, dict)
            and message.get("role") in ROLES
            and isinstance(message.get("content"), str)
            and len(message["content"]) <= characters_max
        )
        if not is_message:
            raise Refusal(
                ru=f"`{param}[{place}]` — объект с полями `role` (user, assistant или system) и"
                f" `content`, текст до {characters_max} символов.",
                en=f"`{param}[{place}]` must be an object with `role` (user, assistant or system)"
                f" and `content`, a text of at most {characters_max} characters.",
                param=f"{param}[{place}]",
            )
    return [{"role": one["role"], "content": one["content"]} for one in history]


def history_schema() -> JsonObject:
    """Return the JSON Schema of `conversation_history`."""
    return {
        "type": "array",
        "maxItems": HISTORY_MESSAGES_MAX,
        "items": {
            "type": "object",
            "required": ["role", "content"],
            "properties": {"role": {"enum": list(ROLES)}, "content": {"type": "string"}},
        },
    }
