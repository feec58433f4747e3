"""What llama.cpp's refusals mean."""

import pytest

from potok.errors import PromptTooLong
from potok.models.gguf.refusals import refusal_of

TOO_LONG = (
    b'{"error":{"code":400,"message":"request (3020 tokens) exceeds the available context size'
    b' (2048 tokens)","type":"exceed_context_size_error","n_prompt_tokens":3020,"n_ctx":2048}}'
)
NO_PICTURES = b'{"error":{"code":500,"message":"image input is not supported","type":"x"}}'


def test_a_conversation_that_is_too_long_is_told_with_its_figures() -> None:
    refusal = refusal_of(TOO_LONG, model="gguf/tiny")

    assert isinstance(refusal, PromptTooLong)
    assert (refusal.tokens, refusal.tokens_max, refusal.status) == (3020, 2048, 400)
    assert "3020 tokens" in refusal.message
    assert "2048" in refusal.message


def test_what_a_model_cannot_take_is_the_requests_fault() -> None:
    refusal = refusal_of(NO_PICTURES, model="gguf/tiny")

    assert refusal is not None
    assert refusal.status == 400
    assert not refusal.retryable


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"error":"x"}', b'{"error":{"message":"slot unavailable"}}']
)
def test_everything_else_is_left_to_its_status(body: bytes) -> None:
    assert refusal_of(body, model="gguf/tiny") is None
