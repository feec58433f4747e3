"""Facts about model families, as data: what may be asked of a model by its name. Pure.

Names come as providers write them, with or without a vendor before a slash. Nothing here is asked
of a provider; a family that is not listed gets the careful defaults.
"""

from typing import Final

import msgspec

from potok.models.contract import Capabilities

__all__ = ["can_chat", "capabilities_of", "is_well_known"]

_PLAIN: Final = Capabilities(continues="prompt", tools=True)
_OBJECT: Final = Capabilities(continues="prompt", tools=True, json_object=True)
_FULL: Final = Capabilities(continues="prompt", tools=True, json_schema=True)
_THINKING: Final = Capabilities(continues="prompt", tools=True, json_schema=True, reasoning=True)
_THINKING_OBJECT: Final = Capabilities(
    continues="prompt", tools=True, json_object=True, reasoning=True
)
_THINKING_PLAIN: Final = Capabilities(continues="prompt", tools=True, reasoning=True)
_PREFILL: Final = Capabilities(continues="prefill", tools=True)
_THINKING_PREFILL: Final = Capabilities(continues="prefill", tools=True, reasoning=True)

# The first row whose word begins the name counts, so that longer words stand before shorter ones.
# `continues` is `prefill` only where the plain Chat Completions call takes a begun answer. That of
# Anthropic's models was removed with 4.6: those, and all later ones, refuse it with 400
# (platform.claude.com, "What's new in Claude 4.6", prefill removal). Blanks at its end are refused
# by the older ones (langchain#35071). A wrong row costs one refused call, see
# `protocol.continuation`.
_FAMILIES: Final = (
    ("gpt-5", _THINKING),
    ("gpt-oss", _THINKING),
    # JSON objects came with the models of November 2023, schemas with GPT-4o (OpenAI's guide
    # "Structured model outputs").
    ("gpt-3.5", _OBJECT),
    ("gpt-4-turbo", _OBJECT),
    ("gpt-4-1106", _OBJECT),
    ("gpt-4-0125", _OBJECT),
    ("gpt-4o", _FULL),
    ("gpt-4.", _FULL),
    ("gpt-4", _PLAIN),
    ("gpt-", _FULL),
    ("chatgpt-", _FULL),
    ("o1", _THINKING),
    ("o3", _THINKING),
    ("o4", _THINKING),
    ("claude-3-7", _THINKING_PREFILL),
    ("claude-3.7", _THINKING_PREFILL),
    ("claude-3", _PREFILL),
    ("claude-opus-4-0", _THINKING_PREFILL),
    ("claude-opus-4-1", _THINKING_PREFILL),
    ("claude-opus-4.1", _THINKING_PREFILL),
    ("claude-opus-4-2025", _THINKING_PREFILL),
    ("claude-opus-4-5", _THINKING_PREFILL),
    ("claude-opus-4.5", _THINKING_PREFILL),
    ("claude-sonnet-4-0", _THINKING_PREFILL),
    ("claude-sonnet-4-2025", _THINKING_PREFILL),
    ("claude-sonnet-4-5", _THINKING_PREFILL),
    ("claude-sonnet-4.5", _THINKING_PREFILL),
    ("claude-haiku-4-5", _THINKING_PREFILL),
    ("claude-haiku-4.5", _THINKING_PREFILL),
    ("claude-", _THINKING_PLAIN),
    ("gemini-", _THINKING),
    # DeepSeek's guide "JSON Output": objects alone; who else serves its models may know less.
    ("deepseek-reasoner", _THINKING_OBJECT),
    ("deepseek-r", _THINKING_PLAIN),
    ("deepseek-chat", _OBJECT),
    ("deepseek", _PLAIN),
    ("qwen3", _THINKING),
    ("qwq", _THINKING_PLAIN),
    ("qwen", _FULL),
    ("grok-", _THINKING),
    ("mistral", _FULL),
    ("magistral", _THINKING),
    ("llama", _FULL),
)

# Addresses whose servers take a begun answer in a way of their own, whatever model they serve.
# DeepSeek: a field `prefix` in the last message, at the beta address alone (its guide "Chat Prefix
# Completion"). Mistral: the same field, without which a last message of the assistant is refused
# (docs.mistral.ai, AssistantMessage).
# No address tells vLLM, SGLang, TGI or llama.cpp, which take `continue_final_message` (vllm#8942,
# llama.cpp#23012) and refuse a begun answer while thinking is on (llama.cpp#15404): an operator
# says so with `prefill = "final"`. Ollama goes on from a last message of the assistant only where
# the model's template does (ollama#6778), which nobody can ask, so that it is asked in words.
_PREFIXING: Final = ("api.deepseek.com/beta", "api.mistral.ai")

# Names that programs and documents carry, so that their examples run with the demo model alone.
_WELL_KNOWN: Final = ("gpt-", "chatgpt-", "o1", "o3", "o4", "claude-", "text-embedding-")

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


def capabilities_of(name: str, *, base_url: str = "") -> Capabilities:
    """Return what is known of a model by its name, and by its provider's address if given."""
    bare = _bare(name)
    facts = next((facts for word, facts in _FAMILIES if bare.startswith(word)), _PLAIN)
    if any(place in base_url for place in _PREFIXING):
        return msgspec.structs.replace(facts, continues="prefill", prefill="prefix")
    return facts


def is_well_known(name: str) -> bool:
    """Whether programs name this model by habit, whoever serves them."""
    return _bare(name).startswith(_WELL_KNOWN)


def can_chat(name: str) -> bool:
    """Whether a listed model is one to talk to, as far as its name tells."""
    bare = _bare(name)
    return not any(word in bare for word in _NO_CHAT)


def _bare(name: str) -> str:
    return name.rpartition("/")[2].lower()
