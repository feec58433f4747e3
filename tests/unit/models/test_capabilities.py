import pytest

from potok.models.capabilities import can_chat, capabilities_of, is_well_known
from potok.models.contract import Capabilities


def test_a_family_is_known_by_its_name_with_or_without_a_vendor() -> None:
    for name in ("gpt-5-mini", "openai/gpt-5-mini", "GPT-5"):
        assert capabilities_of(name).reasoning
    assert not capabilities_of("gpt-4o").reasoning


def test_only_models_that_take_a_begun_answer_are_prefilled() -> None:
    assert capabilities_of("anthropic/claude-3-5-sonnet-20241022").continues == "prefill"
    assert capabilities_of("claude-opus-4-6").continues == "prompt"


@pytest.mark.parametrize(
    ("name", "by_schema", "as_object"),
    [
        ("gpt-4o-mini", True, False),
        ("gpt-4.1", True, False),
        ("gpt-5.2", True, False),
        ("gpt-4-turbo", False, True),
        ("gpt-3.5-turbo", False, True),
        ("gpt-4", False, False),
        ("gpt-4-0613", False, False),
        ("deepseek-chat", False, True),
        ("deepseek-reasoner", False, True),
        ("deepseek-r1:8b", False, False),
        ("claude-opus-4-6", False, False),
        ("my-own", False, False),
    ],
)
def test_what_a_family_is_held_to_by_its_provider_is_known(
    name: str, by_schema: bool, as_object: bool
) -> None:
    facts = capabilities_of(name)

    assert (facts.json_schema, facts.json_object) == (by_schema, as_object)


def test_an_unknown_model_is_asked_in_words() -> None:
    assert capabilities_of("my-own") == Capabilities(continues="prompt", tools=True)


@pytest.mark.parametrize(
    ("name", "is_known"),
    [
        ("gpt-4o", True),
        ("chatgpt-4o-latest", True),
        ("o1-mini", True),
        ("o3", True),
        ("o4-mini", True),
        ("claude-sonnet-4-5", True),
        ("llama3", False),
        ("demo", False),
    ],
)
def test_names_that_programs_carry_are_known(name: str, is_known: bool) -> None:
    assert is_well_known(name) is is_known


@pytest.mark.parametrize(
    "name",
    [
        "text-embedding-3-small",
        "whisper-1",
        "tts-1-hd",
        "dall-e-3",
        "omni-moderation-latest",
        "gpt-4o-realtime-preview",
        "gpt-image-1",
        "nomic-embed-text:latest",
        "davinci-002",
    ],
)
def test_models_that_do_not_talk_are_told_by_their_names(name: str) -> None:
    assert not can_chat(name)
    assert can_chat("gpt-4o")
    assert can_chat("qwen3:8b")


@pytest.mark.parametrize(
    ("name", "continues"),
    [
        ("claude-3-7-sonnet-latest", "prefill"),
        ("claude-sonnet-4-20250514", "prefill"),
        ("anthropic/claude-sonnet-4.5", "prefill"),
        ("claude-opus-4-5-20251101", "prefill"),
        ("claude-sonnet-4-6", "prompt"),
        ("claude-opus-4-8", "prompt"),
        ("claude-sonnet-5", "prompt"),
        ("deepseek-chat", "prompt"),
        ("mistral-large-latest", "prompt"),
    ],
)
def test_how_a_family_goes_on(name: str, continues: str) -> None:
    assert capabilities_of(name).continues == continues


@pytest.mark.parametrize(
    ("address", "prefill"),
    [
        ("https://api.deepseek.com/beta", "prefix"),
        ("https://api.mistral.ai/v1", "prefix"),
        ("https://api.deepseek.com/v1", "message"),
        ("http://localhost:11434/v1", "message"),
    ],
)
def test_an_address_tells_how_a_begun_answer_is_marked(address: str, prefill: str) -> None:
    facts = capabilities_of("deepseek-chat", base_url=address)

    assert facts.prefill == prefill
    assert (facts.continues == "prefill") is (prefill == "prefix")
