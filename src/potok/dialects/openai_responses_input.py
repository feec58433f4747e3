"""A response's input items: checked, named, and turned into messages for a model."""

from collections.abc import Callable, Sequence
from typing import Any

from potok.errors import RequestInvalid
from potok.events.fold import Message
from potok.events.messages import json_word
from potok.events.run_request import JsonObject

__all__ = ["answer_messages", "input_messages", "name_items", "read_items"]

_ROLES = ("user", "assistant", "system", "developer")
# Kinds whose content a model's messages have no place for: they are stored and listed, not sent.
_SILENT = frozenset({"reasoning"})


def read_items(value: object) -> list[JsonObject]:
    """Return the input as items; a plain string is one message of the user's.

    Raises:
        RequestInvalid: an item is none that Potok can pass on; `param` names it.
    """
    if isinstance(value, str):
        if not value:
            raise RequestInvalid("`input` is empty; say something.", param="input")
        content = [{"type": "input_text", "text": value}]
        return [{"type": "message", "role": "user", "content": content}]
    if not isinstance(value, list):
        raise RequestInvalid(
            f"`input` must be a string or an array of items, not {json_word(value)}.", param="input"
        )
    if not value:
        raise RequestInvalid("`input` is empty; send at least one item.", param="input")
    return [_read_item(item, f"input[{place}]") for place, item in enumerate(value)]


def name_items(items: Sequence[JsonObject], *, run: str) -> list[JsonObject]:
    """Return the items with ids, their own or ones made from the run and their place."""
    return [
        {"status": "completed", **item, "id": item.get("id") or f"in_{run}_{place}"}
        for place, item in enumerate(items)
    ]


def input_messages(items: Sequence[JsonObject]) -> list[JsonObject]:
    """Return a model's messages for checked items; calls side by side are one message's."""
    messages: list[JsonObject] = []
    for item in items:
        match item["type"]:
            case "message":
                messages.append({"role": item["role"], "content": _content(item)})
            case "function_call":
                call = {"name": item["name"], "arguments": item["arguments"]}
                _add_call(messages, item["call_id"], call)
            case "function_call_output":
                messages.append(
                    {
                        "role": "tool",
                        "tool_call_id": item["call_id"],
                        "content": _output(item["output"]),
                    }
                )
    return messages


def answer_messages(message: Message) -> list[JsonObject]:
    """Return what an earlier response said, for the model that goes on after it."""
    calls = [part for part in message.parts if part.type == "tool" and part.choice == 0]
    said = message.text
    messages: list[JsonObject] = []
    if said:
        messages.append({"role": "assistant", "content": said})
    for call in calls:
        if call.state == "done":
            _add_call(messages, call.id, {"name": call.name or "", "arguments": call.text})
    return messages


def _add_call(messages: list[JsonObject], call: str, function: JsonObject) -> None:
    one = {"id": call, "type": "function", "function": function}
    last = messages[-1] if messages else {}
    if last.get("role") != "assistant":
        messages.append({"role": "assistant", "content": None, "tool_calls": [one]})
    else:
        messages[-1] = {**last, "tool_calls": [*last.get("tool_calls", ()), one]}


def _read_item(item: object, param: str) -> JsonObject:
    if not isinstance(item, dict):
        raise RequestInvalid(f"`{param}` must be an object, not {json_word(item)}.", param=param)
    kind = item.get("type", "message" if "role" in item else None)
    if not isinstance(kind, str):
        raise RequestInvalid(f"`{param}` needs a `type` or a `role`.", param=param)
    check = _CHECKS.get(kind)
    if check is None and kind not in _SILENT:
        known = ", ".join([*_CHECKS, *sorted(_SILENT)])
        raise RequestInvalid(
            f"`{param}.type` must be one of {known}; others need services that Potok has not.",
            param=f"{param}.type",
        )
    if check is not None:
        check(item, param)
    return {**item, "type": kind}


def _check_message(item: JsonObject, param: str) -> None:
    if item.get("role") not in _ROLES:
        raise RequestInvalid(
            f"`{param}.role` must be one of {', '.join(_ROLES)}.", param=f"{param}.role"
        )
    content = item.get("content")
    if isinstance(content, str):
        return
    if not isinstance(content, list) or not content:
        raise RequestInvalid(
            f"`{param}.content` must be a string or an array of parts.", param=f"{param}.content"
        )
    for place, part in enumerate(content):
        _part(part, f"{param}.content[{place}]")


def _check_call(item: JsonObject, param: str) -> None:
    for field in ("call_id", "name", "arguments"):
        _string(item, field, param)


def _check_output(item: JsonObject, param: str) -> None:
    _string(item, "call_id", param)
    output = item.get("output")
    if isinstance(output, str):
        return
    if not isinstance(output, list):
        raise RequestInvalid(
            f"`{param}.output` must be a string or an array of parts.", param=f"{param}.output"
        )
    for place, part in enumerate(output):
        _part(part, f"{param}.output[{place}]")


def _string(item: JsonObject, field: str, param: str) -> str:
    value = item.get(field)
    if not isinstance(value, str):
        raise RequestInvalid(
            f"`{param}.{field}` must be a string, not {json_word(value)}.", param=f"{param}.{field}"
        )
    return value


def _content(item: JsonObject) -> object:
    content = item["content"]
    if isinstance(content, str):
        return content
    parts = [_part(part, "input") for part in content]
    if all(part["type"] == "text" for part in parts):
        return "".join(part["text"] for part in parts)
    return parts


def _output(output: Any) -> str:
    if isinstance(output, str):
        return output
    return "".join(str(_part(part, "input").get("text", "")) for part in output)


def _part(part: object, param: str) -> JsonObject:
    """Return a content part as Chat Completions has it."""
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(part, dict) or not isinstance(kind, str):
        raise RequestInvalid(f"`{param}` must be an object with a `type`.", param=param)
    match kind:
        case "input_text" | "output_text" | "text":
            return {"type": "text", "text": _string(part, "text", param)}
        case "refusal":
            return {"type": "text", "text": _string(part, "refusal", param)}
        case "input_image":
            image = {"url": _string(part, "image_url", param)}
            detail = part.get("detail")
            named = {"detail": detail} if isinstance(detail, str) else {}
            return {"type": "image_url", "image_url": {**image, **named}}
        case "input_file":
            fields = {name: part[name] for name in ("filename", "file_data") if name in part}
            _string(part, "file_data", param)
            return {"type": "file", "file": fields}
    raise RequestInvalid(
        f"`{param}.type` must be input_text, output_text, input_image or input_file.",
        param=f"{param}.type",
    )


_CHECKS: dict[str, Callable[[JsonObject, str], None]] = {
    "message": _check_message,
    "function_call": _check_call,
    "function_call_output": _check_output,
}
