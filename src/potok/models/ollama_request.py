"""What is sent to Ollama: parameters as OpenAI names them, in the form that Ollama reads. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from potok.errors import RequestInvalid
from potok.events.run_request import JsonObject
from potok.models.ollama_messages import ollama_messages

__all__ = ["chat_body", "generate_body"]

Json = Any

# Parameters that stand beside `options` in Ollama's requests, under the same name.
_BESIDE = frozenset(
    {"keep_alive", "think", "format", "logprobs", "top_logprobs", "truncate", "shift"}
)
# Options that Ollama calls by another name; of two for one the first wins.
_RENAMED = {"max_completion_tokens": "num_predict", "max_tokens": "num_predict"}
# Parameters of Chat Completions that are read otherwise, or that Ollama has nothing for.
_NO_OPTIONS = frozenset(
    {
        *("model", "messages", "stream", "stream_options", "n", "options", "tools", "tool_choice"),
        *("response_format", "reasoning_effort", "parallel_tool_calls", "logit_bias", "user"),
        *("metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"),
        *("modalities", "audio", "prediction", "verbosity", "web_search_options"),
        *("functions", "function_call", *_BESIDE, *_RENAMED),
    }
)
_EFFORTS: Mapping[Json, Json] = {"none": False, "minimal": "low", "xhigh": "high"}


def chat_body(
    model: str, messages: Sequence[JsonObject], parameters: Mapping[str, Json]
) -> JsonObject:
    """Return the body of a `POST /api/chat`.

    Raises:
        RequestInvalid: a message or a parameter that Ollama cannot take.
    """
    body: JsonObject = {"model": model, "messages": ollama_messages(messages), "stream": True}
    tools = parameters.get("tools")
    if tools and parameters.get("tool_choice") != "none":
        body["tools"] = tools
    return body | _settings_of(parameters)


def generate_body(
    model: str,
    prompt: str,
    parameters: Mapping[str, Json],
    *,
    system: str | None = None,
    template: str | None = None,
    suffix: str | None = None,
    is_raw: bool = False,
    images: Sequence[str] = (),
) -> JsonObject:
    """Return the body of a `POST /api/generate`; see `OllamaModel.generate_stream`.

    Raises:
        RequestInvalid: a parameter that Ollama cannot take.
    """
    texts = {"system": system, "template": template, "suffix": suffix}
    body: JsonObject = {"model": model, "prompt": prompt, "stream": True}
    body |= {name: text for name, text in texts.items() if text is not None}
    if is_raw:
        body["raw"] = True
    if images:
        body["images"] = list(images)
    return body | _settings_of(parameters)


def _settings_of(parameters: Mapping[str, Json]) -> JsonObject:
    if parameters.get("n") not in (None, 1):
        raise RequestInvalid(
            "A model of Ollama gives one answer to a call. Leave `n` out, and ask as often as you"
            " want answers.",
            param="n",
        )
    settings = {
        name: parameters[name] for name in sorted(_BESIDE) if parameters.get(name) is not None
    }
    effort = parameters.get("reasoning_effort")
    if effort is not None and isinstance(effort, str):
        settings.setdefault("think", _EFFORTS.get(effort, effort))
    form = _format_of(parameters.get("response_format"))
    if form is not None:
        settings.setdefault("format", form)
    options = _options_of(parameters)
    if options:
        settings["options"] = options
    return settings


def _options_of(parameters: Mapping[str, Json]) -> JsonObject:
    options: JsonObject = {}
    for name, value in parameters.items():
        # Ollama warns in its own log of options that it does not know, and goes on.
        if name not in _NO_OPTIONS and value is not None:
            options[name] = [value] if name == "stop" and isinstance(value, str) else value
    for name, own_name in _RENAMED.items():
        if parameters.get(name) is not None:
            options.setdefault(own_name, parameters[name])
    own = parameters.get("options")
    return options | own if isinstance(own, dict) else options


def _format_of(wish: Json) -> Json:
    kind = wish.get("type") if isinstance(wish, dict) else None
    if kind == "json_object":
        return "json"
    if kind != "json_schema":
        return None
    schema = wish.get("json_schema")
    return (schema.get("schema") if isinstance(schema, dict) else None) or "json"
