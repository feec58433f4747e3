"""What is asked of the translator, and the route by which it is asked."""

from collections.abc import Mapping

from potok.apps.contract import JsonObject, Route, Start
from potok.dialects.simple_chat import SimpleChatSse
from potok_apps.reading import read_model, read_text
from potok_apps.refusals import Refusal

__all__ = ["AGENT", "ROUTE", "read_translation"]

AGENT = "translator"

TEXT_CHARACTERS_MAX = 200_000
"""Of one text: a short book's chapter, and dozens of calls of a model."""
LANGUAGE_CHARACTERS_MAX = 60

_CODES = {
    "ar": "Arabic",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "hi": "Hindi",
    "it": "Italian",
    "ja": "Japanese",
    "kk": "Kazakh",
    "ko": "Korean",
    "pl": "Polish",
    "pt": "Portuguese",
    "ru": "Russian",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "zh": "Chinese",
}


def read_translation(body: JsonObject, path: Mapping[str, str]) -> Start:
    """Check a body; raises `Refusal`."""
    read_text(body, "text", characters_max=TEXT_CHARACTERS_MAX)
    language = body.get("target_language", "Spanish")
    if not isinstance(language, str) or not 0 < len(language.strip()) <= LANGUAGE_CHARACTERS_MAX:
        raise Refusal(
            ru="`target_language` — название языка, например Spanish или es.",
            en="`target_language` must be the name of a language, such as Spanish or es.",
            param="target_language",
        )
    name = language.strip()
    return Start(
        agent=AGENT,
        # With its blank edges: they are part of a text's form.
        input={
            "text": body["text"],
            "target_language": _CODES.get(name.lower(), name),
            "model": read_model(body),
        },
    )


ROUTE = Route(
    path="/api/translate/stream",
    dialect=SimpleChatSse(),
    read=read_translation,
    body={
        "type": "object",
        "required": ["text"],
        "properties": {
            "text": {"type": "string", "maxLength": TEXT_CHARACTERS_MAX},
            "target_language": {"type": "string", "default": "Spanish"},
            "model": {"type": "string"},
        },
    },
    example={"text": "Hello, world!", "target_language": "Spanish"},
    reply='data: {"content":"¡Hola"}\nid: 01j...3\n\ndata: [DONE]\nid: 01j...9\n\n',
    summary="Translate a text",
    description="Streams the translation as simple chat does. Markdown is kept, code is not"
    " touched.",
    language="en",
)
