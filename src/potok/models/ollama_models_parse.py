"""Reads Ollama's list of models (`GET /api/tags`). Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from potok.models.capabilities import capabilities_of
from potok.models.contract import Capabilities, ModelInfo
from potok.models.openai_models_parse import model_info_of

__all__ = ["ListedModel", "capabilities_by_name", "parse_tags"]

Json = Any


class ListedModel(NamedTuple):
    """One model, and what Ollama says it can do; None where an older Ollama does not say it."""

    info: ModelInfo
    capabilities: Capabilities | None


def parse_tags(body: bytes, *, provider: str, models_max: int) -> Mapping[str, ListedModel] | None:
    """Return the models that one can talk to, by name, in Ollama's order.

    Models that Ollama says only make vectors are left out, as are entries without a usable name.
    None means that the body is no list of models.
    """
    try:
        reply = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    entries = reply.get("models") if isinstance(reply, dict) else None
    if entries is None and isinstance(reply, dict) and "models" in reply:
        # Go writes an empty list so, in some versions.
        entries = []
    if not isinstance(entries, list):
        return None
    models: dict[str, ListedModel] = {}
    for entry in entries[:models_max]:
        info = model_info_of(entry, provider)
        told = entry.get("capabilities") if isinstance(entry, dict) else None
        told = told if isinstance(told, list) else []
        if info is not None and (not told or "completion" in told):
            models.setdefault(info.name, ListedModel(info, _capabilities(told)))
    return models


def capabilities_by_name(name: str) -> Capabilities:
    """Return what is known of a model that was not listed.

    Every model of Ollama's keeps to a JSON schema, for the server holds it to it. None counts as
    taking up a begun answer: whether a last message of the assistant is gone on with depends on
    the model's template, and where it is not, the answer begins anew and would be said twice.
    """
    known = capabilities_of(name)
    return msgspec.structs.replace(known, continues="prompt", json_schema=True)


def _capabilities(told: list[Json]) -> Capabilities | None:
    if not told:
        return None
    return Capabilities(
        continues="prompt",
        tools="tools" in told,
        json_schema=True,
        reasoning="thinking" in told,
    )
