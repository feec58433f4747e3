"""Reads lists of models in the shapes that servers give them. Pure."""

from datetime import datetime
from typing import Any

import msgspec

from potok.limits import NAME_CHARACTERS_MAX
from potok.models.contract import ModelInfo

__all__ = ["model_info_of", "parse_models"]

Json = Any

_NAMES = ("id", "name", "model")
_CONTEXTS = ("context_length", "context_window", "max_model_len", "max_context_length")


def parse_models(body: bytes, *, provider: str, models_max: int) -> tuple[ModelInfo, ...] | None:
    """Return the models of a `GET /models` reply in its order, each name once.

    Takes `{"data": [...]}`, `{"models": [...]}` and a bare list, of objects or of names. Entries
    without a usable name are left out. None means that the body is no list of models.
    """
    try:
        reply = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    if isinstance(reply, dict):
        reply = reply.get("data", reply.get("models"))
    if not isinstance(reply, list):
        return None
    models: dict[str, ModelInfo] = {}
    for entry in reply:
        info = model_info_of(entry, provider)
        if info is not None:
            models.setdefault(info.name, info)
        if len(models) >= models_max:
            break
    return tuple(models.values())


def model_info_of(entry: Json, provider: str) -> ModelInfo | None:
    """Return what one entry of a list says, None if it names no model."""
    if isinstance(entry, str):
        entry = {"id": entry}
    if not isinstance(entry, dict):
        return None
    names = (entry.get(field) for field in _NAMES)
    name = next((name for name in names if isinstance(name, str) and name), None)
    if name is None or len(name) > NAME_CHARACTERS_MAX:
        return None
    # Ollama tells the size of the context among the details.
    details = entry.get("details")
    facts = {**details, **entry} if isinstance(details, dict) else entry
    contexts = (facts.get(field) for field in _CONTEXTS)
    return ModelInfo(
        name=name,
        provider=provider,
        created=_seconds(entry.get("created", entry.get("modified_at"))),
        context_tokens=next((c for c in contexts if isinstance(c, int) and c > 0), None),
    )


def _seconds(moment: Json) -> int:
    # Since the epoch, or a date in words; 0 is unknown.
    if isinstance(moment, str):
        try:
            date = datetime.fromisoformat(moment)
            moment = date.timestamp() if date.tzinfo else 0
        except (ValueError, OverflowError):
            return 0
    return int(moment) if isinstance(moment, int | float) and 0 < moment < 1e12 else 0
