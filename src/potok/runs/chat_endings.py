"""How an answer's message and its run fit together: what stood before, what is kept. Pure."""

from typing import Any, Literal, cast

import msgspec

from potok.chats.contract import Ending, MessageRecord
from potok.dialects.chats_001_bodies import answer_metadata
from potok.events.fold import Message, Part
from potok.events.run_request import JsonObject, RunRequest, text_of
from potok.streamlog.contract import RunRecord

__all__ = [
    "PREFIX",
    "UI_FACE",
    "Status",
    "before_of",
    "begun_of",
    "ending_of",
    "place_of",
    "placed",
    "prefix_of",
]

PREFIX = "prefix_characters"
"""In a plan: how much of the content stood before the run, which goes on with it."""

Status = Literal["finished", "cancelled", "failed"]

UI_FACE = "ai-sdk-ui"

_THINKING, _TEXT = "reasoning-1", "text-1"


def prefix_of(answer: MessageRecord) -> tuple[str, JsonObject]:
    """Return the text and metadata that an answer had before its run; none unless continued."""
    plan = answer.plan or {}
    if PREFIX not in plan:
        return "", {}
    return answer.content[: int(plan[PREFIX])], dict(plan.get("metadata", {}))


def placed(request: RunRequest, answer: MessageRecord) -> RunRequest:
    """Return a request that knows the answer that it makes.

    A face whose chats have names of their own keeps them: its readers look for those.
    """
    place = (answer.chat_id, answer.id)
    if request.face == UI_FACE:
        return msgspec.structs.replace(request, answer=place)
    return msgspec.structs.replace(
        request, chat=str(answer.chat_id), message=str(answer.id), answer=place
    )


def place_of(request: RunRequest) -> tuple[int, int] | None:
    """Return the chat and the message that a run makes, None for a run that makes none."""
    if request.answer is not None:
        return request.answer
    chat, message = request.chat or "", request.message or ""
    is_place = chat.isdigit() and message.isdigit()
    return (int(chat), int(message)) if is_place else None


def before_of(answer: MessageRecord, request: RunRequest | None = None) -> JsonObject:
    """Return what a plan holds of a settled answer that another run goes on with.

    Args:
        request: Asks to go on after its tools' results, which are kept with their calls.
    """
    metadata = answer.metadata
    parts = metadata.get("parts")
    if request is not None and isinstance(parts, list):
        results = _results_in(request)
        parts = [
            {"result": results[part["id"]], **part} if part.get("id") in results else part
            for part in parts
        ]
        metadata = {**metadata, "parts": parts}
    return {PREFIX: len(answer.content), "metadata": metadata, "status": answer.status}


def _results_in(request: RunRequest) -> dict[str, Any]:
    """Return what tools gave, by the names of their calls."""
    results: dict[str, Any] = {}
    for message in request.messages:
        if message.get("role") == "tool" and isinstance(message.get("tool_call_id"), str):
            said = text_of(message)
            try:
                results[message["tool_call_id"]] = msgspec.json.decode(said)
            except msgspec.DecodeError:
                results[message["tool_call_id"]] = said
    return results


def begun_of(answer: MessageRecord) -> Message:
    """Return a settled answer as its continuation sees it: thoughts, and words that may go on.

    Calls, data and code are no words: they stay in the message as they are.
    """
    thinking = str(answer.metadata.get("thinkingText", ""))
    parts = [Part(type="text", id=_TEXT, text=answer.content)]
    if thinking:
        parts.insert(0, Part(type="reasoning", id=_THINKING, text=thinking, state="done"))
    model = answer.metadata.get("model")
    return Message(model=model if isinstance(model, str) else None, parts=parts)


def ending_of(answer: MessageRecord, record: RunRecord, message: Message) -> Ending:
    """Return how an ended run ends its message."""
    text, before = prefix_of(answer)
    status = cast(Status, record.status)
    others = [part for part in message.parts if not _is_plain(part)]
    is_empty = not message.text.strip() and not others
    if before and is_empty and status != "finished":
        # Nothing came of going on: the answer is what it was.
        was = cast(Status, (answer.plan or {}).get("status", status))
        return Ending(status=was, text="", metadata=before, is_empty=True)
    # As the run's own stream reckons it, whose start is rounded.
    seconds = (record.ended_at or record.last_event_at) - round(record.created_at, 3)
    metadata = answer_metadata(message, before=before, seconds=seconds)
    if others or "parts" in before:
        metadata["parts"] = _joined(before.get("parts"), text, message.parts)
    return Ending(status=status, text=message.text, metadata=metadata, is_empty=is_empty)


def _is_plain(part: Part) -> bool:
    # Its text is the message's own content, or its thinking.
    if part.type in ("tool", "data"):
        return False
    return part.type == "reasoning" or part.channel == "answer"


def _joined(before: object, text: str, parts: list[Part]) -> list[JsonObject]:
    """Return all parts of a message in their order; calls that were cut off are made again."""
    kept: list[JsonObject] = []
    if isinstance(before, list):
        kept = [
            part for part in before if part.get("type") != "tool" or part.get("state") == "done"
        ]
    elif text:
        kept = [{"type": "text", "id": _TEXT, "text": text, "state": "cut"}]
    added: list[JsonObject] = msgspec.to_builtins(parts)
    first = next((part for part in added if part["type"] == "text"), None)
    last = kept[-1] if kept else None
    if first is not None and last is not None and last["type"] == "text":
        goes_on = first["id"] == _TEXT and first.get("channel") == last.get("channel")
        if goes_on and last.get("state") != "done":
            kept[-1] = {**last, "text": last["text"] + first["text"], "state": first.get("state")}
            added.remove(first)
    return [*kept, *added]
