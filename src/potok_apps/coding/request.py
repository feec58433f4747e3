"""What is asked of the coding agent, and the route by which it is asked."""

from collections.abc import Mapping

from potok.apps.contract import JsonObject, Route, Start
from potok_apps.coding.dialect import CodingSse
from potok_apps.reading import history_schema, read_history, read_model, read_text
from potok_apps.refusals import Refusal

__all__ = ["AGENT", "MODES", "ROUTE", "read_wish"]

AGENT = "coding"
MODES = ("chat", "code")

MESSAGE_CHARACTERS_MAX = 20_000
"""Of one message: a long task with a file in it."""


def read_wish(body: JsonObject, path: Mapping[str, str]) -> Start:
    """Check a body; raises `Refusal`."""
    message = read_text(body, "message", characters_max=MESSAGE_CHARACTERS_MAX)
    mode = body.get("mode", "chat")
    if mode not in MODES:
        raise Refusal(
            ru="`mode` может быть chat или code.", en="`mode` must be chat or code.", param="mode"
        )
    return Start(
        agent=AGENT,
        input={
            "message": message,
            "history": read_history(body, characters_max=MESSAGE_CHARACTERS_MAX),
            "mode": mode,
            "model": read_model(body),
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


ROUTE = Route(
    path="/api/agent/stream",
    dialect=CodingSse(),
    read=read_wish,
    body={
        "type": "object",
        "required": ["message"],
        "properties": {
            "message": {"type": "string", "maxLength": MESSAGE_CHARACTERS_MAX},
            "conversation_history": history_schema(),
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
