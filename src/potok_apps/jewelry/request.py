"""What is asked of the jewelry house, and the two routes by which it is asked."""

import re
from collections.abc import Mapping
from typing import Any

from potok.apps.contract import JsonObject, Route, Start
from potok_apps.jewelry.dialect import ConsultationSse, OrchestratorSse
from potok_apps.reading import history_schema, read_history, read_model, read_text
from potok_apps.refusals import Refusal

__all__ = ["AGENTS", "CONSULTATION", "ORCHESTRATOR", "ROUTES", "read_consultation", "read_task"]

CONSULTATION = "jewelry-consultation"
ORCHESTRATOR = "jewelry-orchestrator"

AGENTS = ("consultant", "girlfriend", "analysis", "trend", "taste")
"""What `explicit_task_type` may name."""

MESSAGE_CHARACTERS_MAX = 8_000
"""Of one message: what a person types about jewelry, generously."""
HISTORY_CHARACTERS_MAX = 8_000
"""Of one message of the conversation before."""

# An id is somebody else's word: a number, a UUID, an e-mail address.
_USER = re.compile(r"[\w.@:+-]{1,100}")


def read_consultation(body: JsonObject, path: Mapping[str, str]) -> Start:
    """Check a body of a consultation; raises `Refusal`."""
    return Start(agent=CONSULTATION, input=_read_common(body, path))


def read_task(body: JsonObject, path: Mapping[str, str]) -> Start:
    """Check a body of the orchestrator; raises `Refusal`."""
    task = body.get("explicit_task_type")
    if task is not None and task not in AGENTS:
        raise Refusal(
            ru=f"`explicit_task_type` может быть одним из: {', '.join(AGENTS)}.",
            en=f"`explicit_task_type` must be one of {', '.join(AGENTS)}.",
            param="explicit_task_type",
        )
    return Start(agent=ORCHESTRATOR, input={**_read_common(body, path), "task": task})


def _read_common(body: JsonObject, path: Mapping[str, str]) -> dict[str, Any]:
    user = path.get("user_id", body.get("user_id"))
    if not isinstance(user, str) or not _USER.fullmatch(user):
        raise Refusal(
            ru="Идентификатор покупателя — до 100 букв, цифр и знаков . @ : + - _.",
            en="A user's id has up to 100 letters, digits and . @ : + - _.",
            param="user_id",
        )
    return {
        "user_id": user,
        "message": read_text(body, "message", characters_max=MESSAGE_CHARACTERS_MAX),
        "history": read_history(body, characters_max=HISTORY_CHARACTERS_MAX),
        "model": read_model(body),
    }


_FIELDS: dict[str, Any] = {
    "message": {"type": "string", "minLength": 1, "maxLength": MESSAGE_CHARACTERS_MAX},
    "conversation_history": history_schema(),
    "model": {"type": "string"},
}

ROUTES = (
    Route(
        path="/api/consultation/{user_id}/stream",
        dialect=ConsultationSse(),
        read=read_consultation,
        body={"type": "object", "required": ["message"], "properties": _FIELDS},
        example={"message": "Я ищу обручальное кольцо", "conversation_history": []},
        reply=(
            'data: {"type":"status","message":"Начинаю консультацию...","code":"start"}\n'
            "id: 01j...2\n\n"
            'data: {"type":"token","content":"Прекрасный"}\nid: 01j...9\n\n'
            'data: {"type":"done","message":"Готово"}\nid: 01j...40\n\n'
        ),
        summary="Ask the jewelry consultant",
        description="Statuses, tokens, then flat metadata: pieces, their ids, what was understood.",
        starts_by_get=True,
    ),
    Route(
        path="/api/orchestrator/{user_id}/stream",
        dialect=OrchestratorSse(),
        read=read_task,
        body={
            "type": "object",
            "required": ["message"],
            "properties": {**_FIELDS, "explicit_task_type": {"enum": [*AGENTS, None]}},
        },
        example={
            "message": "Какие украшения сейчас в моде?",
            "conversation_history": [],
            "explicit_task_type": "trend",
        },
        reply=(
            'data: {"type":"token","agent":"trend","content":"Сейчас"}\nid: 01j...9\n\n'
            'data: {"type":"metadata","data":{"trend":{}},"completed_agents":["trend"]}\n'
            "id: 01j...39\n\n"
        ),
        summary="Ask the jewelry house",
        description=(
            "Routes a message to one or several of consultant, girlfriend, analysis, trend and"
            " taste, which answer side by side; metadata stands under `data` by agent."
        ),
        starts_by_get=True,
    ),
)
