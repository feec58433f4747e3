"""What a request of the AI SDK tells of its chat: every message that its page shows.

A message counts by its words. A file leaves its name in brackets, so that a message of files alone
is one, too; what a model is shown of it is none of this module's business.
"""

from typing import NamedTuple

from potok.events.run_request import JsonObject, ToldMessage
from potok.limits import NAME_CHARACTERS_MAX

__all__ = ["ToldChat", "told_in"]


class ToldChat(NamedTuple):
    """The messages, the newest last; `is_again` asks for one more answer to a known question."""

    messages: tuple[ToldMessage, ...]
    is_again: bool


def told_in(body: JsonObject) -> ToldChat:
    """Return what a body that `parse_ui_chat` has checked tells.

    `messageId` beside `submit-message` is a message that was edited in place: whoever sends it with
    its old words wants a new answer, too.
    """
    is_again = body.get("trigger") == "regenerate-message" or body.get("messageId") is not None
    return ToldChat(tuple(_told(message) for message in body["messages"]), is_again)


def _told(message: JsonObject) -> ToldMessage:
    pieces: list[str] = []
    for part in message["parts"]:
        if part["type"] == "text":
            pieces.append(part["text"])
        elif part["type"] == "file" and message["role"] != "assistant":
            name = part.get("filename") or part.get("mediaType")
            pieces.append(f"[{name}]")
    # As the model is shown them: an answer's words are one text, a question's are paragraphs.
    text = ("" if message["role"] == "assistant" else "\n").join(pieces)
    name = message.get("id")
    fits = isinstance(name, str) and 0 < len(name) <= NAME_CHARACTERS_MAX
    return ToldMessage(role=message["role"], text=text, name=name if fits else None)
