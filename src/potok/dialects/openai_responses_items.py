"""Output items of a response, from the parts of a folded message.

Parts have items in the order of their starts: thinking, messages, calls. Code of agents, choices
beyond the first, and the data of agents have none, as no client of this API knows them.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from potok.events.fold import Part

__all__ = ["Json", "has_item", "item_id", "item_of", "items_of", "open_item"]

Json = dict[str, Any]

_PREFIXES = {"text": "msg", "reasoning": "rs", "tool": "fc"}
_STATES = {"open": "in_progress", "done": "completed", "cut": "incomplete"}


def has_item(part: Part) -> bool:
    """Whether clients see the part."""
    return part.type in _PREFIXES and part.choice == 0 and part.channel == "answer"


def item_id(kind: str, run: str, index: int) -> str:
    """Return the id of a run's item; `kind` is `text`, `reasoning` or `tool`."""
    return f"{_PREFIXES[kind]}_{run}_{index}"


def items_of(parts: Iterable[Part], *, run: str) -> Iterator[Json]:
    """Yield the items of a message, whole or so far."""
    shown = (part for part in parts if has_item(part))
    for index, part in enumerate(shown):
        yield item_of(part, item_id(part.type, run, index))


def item_of(part: Part, name: str) -> Json:
    """Return the item of one part."""
    status = _STATES[part.state]
    if part.type == "tool":
        return {
            "id": name,
            "type": "function_call",
            "status": status,
            "call_id": part.id,
            "name": part.name or "",
            "arguments": part.text,
        }
    if part.type == "reasoning":
        thought: Json = {"type": "reasoning_text", "text": part.text}
        return {
            "id": name,
            "type": "reasoning",
            "status": status,
            "summary": [],
            "content": [thought],
        }
    content: Json = {
        "type": "output_text",
        "text": part.text,
        "annotations": [],
        "logprobs": (part.logprobs or {}).get("content", []),
    }
    if part.refusal:
        content = {"type": "refusal", "refusal": part.text}
    return {
        "id": name,
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": [content],
    }


def open_item(part: Part, name: str) -> Json:
    """Return the item of a part that has said nothing yet."""
    item = item_of(part, name)
    if "content" in item:
        item["content"] = []
    return {**item, "status": "in_progress"}
