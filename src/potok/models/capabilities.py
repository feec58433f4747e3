"""Facts about model families, as data: what may be asked of a model by its name. Pure.

Names come as providers write them, with or without a vendor before a slash. Nothing here is asked
of a provider; a family that is not listed gets the careful defaults.
"""

from typing import Final

from potok.models.contract import Capabilities

__all__ = ["can_chat", "capabilities_of", "is_well_known"]

_PLAIN: Final = Capabilities(continues="prompt", tools=True)
_FULL: Final = Capabilities(continues="prompt", tools=True, json_schema=True)
_THINKING: Final = Capabilities(continues="prompt", tools=True, json_schema=True, reasoning=True)
_THINKING_PLAIN: Final = Capabilities(continues="prompt", tools=True, reasoning=True)
_PREFILL: Final = Capabilities(continues="prefill", tools=True)

# The first row whose word begins the name counts, so that longer words stand before shorter ones.
# `continues` is `prefill` only where the plain Chat Completions call takes a begun answer.
_FAMILIES: Final = (
    ("gpt-5", _THINKING),
    ("gpt-oss", _THINKING),
    ("gpt-3.5", _PLAIN),
    ("gpt-", _FULL),
    ("chatgpt-", _FULL),
    ("o1", _THINKING),
    ("o3", _THINKING),
    ("o4", _THINKING),
    ("claude-3", _PREFILL),
    # Newer ones refuse a begun answer.
    ("claude-", _THINKING_PLAIN),
    ("gemini-", _THINKING),
    ("deepseek-r", _THINKING_PLAIN),
    ("deepseek-reasoner", _THINKING_PLAIN),
    ("deepseek", _PLAIN),
    ("qwen3", _THINKING),
    ("qwq", _THINKING_PLAIN),
    ("qwen", _FULL),
    ("grok-", _THINKING),
    ("mistral", _FULL),
    ("magistral", _THINKING),
    ("llama", _FULL),
)

# Names that programs and documents carry, so that their examples run with the demo model alone.
_WELL_KNOWN: Final = ("gpt-", "chatgpt-", "o1", "o3", "o4", "claude-")

# Words in the names of models that make vectors, pictures, sound or verdicts, and no answers.
_NO_CHAT: Final = (
    "audio",
    "babbage",
    "bge-",
    "clip",
    "computer-use",
    "dall-e",
    "davinci",
    "embed",
    "image",
    "instruct-0914",
    "minilm",
    "moderation",
    "realtime",
    "rerank",
    "sora",
    "speech",
    "transcribe",
    "tts",
    "whisper",
)


def capabilities_of(name: str) -> Capabilities:
    """Return what is known of a model by its name."""
    bare = _bare(name)
    for word, facts in _FAMILIES:
        if bare.startswith(word):
            return facts
    return _PLAIN


def is_well_known(name: str) -> bool:
    """Whether programs name this model by habit, whoever serves them."""
    return _bare(name).startswith(_WELL_KNOWN)


def can_chat(name: str) -> bool:
    """Whether a listed model is one to talk to, as far as its name tells."""
    bare = _bare(name)
    return not any(word in bare for word in _NO_CHAT)


def _bare(name: str) -> str:
    return name.rpartition("/")[2].lower()
