import pytest

from potok.models.contract import Capabilities, ModelInfo
from potok.models.ollama_models_parse import capabilities_by_name, parse_tags

TAGS = b"""{"models": [
  {"name": "qwen3:8b", "model": "qwen3:8b", "modified_at": "2023-08-04T15:52:19Z",
   "details": {"family": "qwen3", "context_length": 40960},
   "capabilities": ["completion", "tools", "thinking"]},
  {"name": "gemma3:4b", "capabilities": ["completion", "vision"]},
  {"name": "nomic-embed-text:latest", "capabilities": ["embedding"]},
  {"name": "llama3.2:latest", "details": {"family": "llama"}},
  {"size": 5}, null, "lone"
]}"""


def test_models_that_talk_are_listed_with_what_ollama_says_of_them() -> None:
    models = parse_tags(TAGS, provider="p", models_max=100)

    assert models is not None
    assert list(models) == ["qwen3:8b", "gemma3:4b", "llama3.2:latest", "lone"]
    assert models["qwen3:8b"].info == ModelInfo(
        name="qwen3:8b", provider="p", created=1691164339, context_tokens=40960
    )
    assert models["qwen3:8b"].capabilities == Capabilities(
        continues="prompt", tools=True, json_schema=True, reasoning=True
    )
    assert models["gemma3:4b"].capabilities == Capabilities(continues="prompt", json_schema=True)
    assert models["llama3.2:latest"].capabilities is None


@pytest.mark.parametrize("body", [b"", b"Ollama is running", b"{}", b"[]", b'{"models": 5}'])
def test_what_is_no_list_is_told_from_an_empty_one(body: bytes) -> None:
    assert parse_tags(body, provider="p", models_max=9) is None


@pytest.mark.parametrize("body", [b'{"models": []}', b'{"models": null}'])
def test_an_ollama_without_models_lists_none(body: bytes) -> None:
    assert parse_tags(body, provider="p", models_max=9) == {}


def test_a_list_ends_at_its_limit() -> None:
    models = parse_tags(TAGS, provider="p", models_max=1)

    assert models is not None
    assert list(models) == ["qwen3:8b"]


@pytest.mark.parametrize("name", ["qwen3:8b", "claude-3-imitation", "library/unknown"])
def test_a_model_that_was_not_listed_keeps_to_schemas_and_takes_up_no_answer(name: str) -> None:
    known = capabilities_by_name(name)

    assert known.json_schema
    assert known.continues == "prompt"
