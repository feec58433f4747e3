"""What a caller asks for, face-free: the canonical run request and its hash.

The hash covers what makes two requests the same run (model or agent, messages or input,
parameters), not how the answer is read, so that a fallback from stream to JSON attaches.
"""

import hashlib
from typing import Any, Literal

import msgspec

from potok.events.fold import Message
from potok.events.json_form import canonical_json

__all__ = [
    "JsonObject",
    "OnDisconnect",
    "RunRequest",
    "ToldMessage",
    "hash_of",
    "last_user_text",
    "text_of",
]

JsonObject = dict[str, Any]
OnDisconnect = Literal["keep", "cancel"]


class RunRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """A checked request. `messages` are OpenAI-shaped and pass through with all their fields.

    Either `model` with `messages`, or `agent` with `input`. `parameters` are the model's own
    (temperature, max_tokens, ...), known or not.
    """

    model: str | None = None
    messages: tuple[JsonObject, ...] = ()
    parameters: JsonObject = msgspec.field(default_factory=dict)
    agent: str | None = None
    input: Any = None
    chat: str | None = None
    message: str | None = None
    """The chat's message that this run makes; set by Potok alone."""
    on_disconnect: OnDisconnect = "keep"
    policy: JsonObject | None = None
    language: str = "en"
    face: str = "native"
    """The dialect that started the run: decides whether text may be taken back."""
    begun: Message | None = None
    """What the answer held before this run, which goes on after it; set by Potok alone."""
    answer: tuple[int, int] | None = None
    """The stored answer that this run makes: its chat's id and its own; set by Potok alone."""


class ToldMessage(msgspec.Struct, frozen=True):
    """A message as a client that keeps its chats itself tells it; `name` is the client's own id."""

    role: Literal["user", "assistant", "system"]
    text: str
    name: str | None = None


def hash_of(request: RunRequest) -> str:
    """Return the hex digest that tells whether two requests are the same run."""
    same: JsonObject = {
        "model": request.model,
        "messages": request.messages,
        "parameters": request.parameters,
        "agent": request.agent,
        "input": request.input,
    }
    if request.begun is not None:
        same["begun"] = msgspec.to_builtins(request.begun)
    return hashlib.sha256(canonical_json(same)).hexdigest()


def text_of(message: JsonObject) -> str:
    """Return a message's plain text; pictures and other parts are skipped."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "".join(
        part["text"]
        for part in content
        if isinstance(part, dict) and isinstance(part.get("text"), str)
    )


def last_user_text(request: RunRequest) -> str:
    """Return the newest user message's text, empty if there is none."""
    for message in reversed(request.messages):
        if message.get("role") == "user":
            return text_of(message)
    return ""
