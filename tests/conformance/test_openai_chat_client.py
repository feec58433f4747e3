"""Our Chat Completions face as the official OpenAI client for Python reads it."""

import json
from typing import Any

import httpx2
import pytest
from openai import APIError, BadRequestError, OpenAI
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from potok.dialects.dialect import Reading
from potok.dialects.openai_chat import OpenAiChatSse
from potok.dialects.openai_chat_body import completion_body
from potok.errors import RequestInvalid
from potok.events.fold import Fold, Message
from potok.events.kinds import Event, PartDiscard, RunEnd
from potok.testing.samples import CREATED, RUN, SAMPLES, store
from potok.wire.sse import SseDecoder

READING = Reading(run=RUN, model="demo", created=CREATED, ids_name_run=True, include_usage=True)

each_sample = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())


def is_whole(sample: tuple[Event, ...]) -> bool:
    discards = any(isinstance(event, PartDiscard) for event in sample)
    end = sample[-1]
    return isinstance(end, RunEnd) and end.outcome == "finished" and not discards


WHOLE = {name: sample for name, sample in SAMPLES.items() if is_whole(sample)}
each_whole = pytest.mark.parametrize("sample", WHOLE.values(), ids=WHOLE.keys())


def fold(sample: tuple[Event, ...]) -> Message:
    folding = Fold()
    for event in sample:
        folding.feed(event)
    return folding.message


def stream_of(sample: tuple[Event, ...]) -> bytes:
    encoder = OpenAiChatSse().encoder(READING)
    beat = encoder.heartbeat()
    return beat + beat.join(encoder.encode(store(sample))) + beat


def ask(body: bytes, *, status: int = 200, kind: str = "text/event-stream") -> Any:
    def answer(request: httpx2.Request) -> httpx2.Response:
        headers = {"content-type": kind}
        return httpx2.Response(status, headers=headers, content=body, request=request)

    with (
        httpx2.Client(transport=httpx2.MockTransport(answer)) as http,
        OpenAI(
            api_key="none", base_url="http://potok.test/v1", http_client=http, max_retries=0
        ) as client,
    ):
        chunks = client.chat.completions.create(
            model="demo", messages=[{"role": "user", "content": "hi"}], stream=True
        )
        yield from chunks


@each_sample
def test_every_chunk_is_valid(sample: tuple[Event, ...]) -> None:
    payloads = [frame.data for frame in SseDecoder().feed(stream_of(sample))]
    chunks = [one for one in payloads if one != "[DONE]" and '"error":' not in one]

    for chunk in chunks:
        ChatCompletionChunk.model_validate(json.loads(chunk), strict=True)

    assert len(chunks) >= len(payloads) - 1


@each_whole
def test_every_whole_answer_is_valid(sample: tuple[Event, ...]) -> None:
    body = json.loads(completion_body(fold(sample), reading=READING))

    completion = ChatCompletion.model_validate(body, strict=True)

    assert completion.id == f"chatcmpl-{RUN}"


@each_whole
def test_a_gathered_stream_is_the_whole_answer(sample: tuple[Event, ...]) -> None:
    state = ChatCompletionStreamState()
    for chunk in ask(stream_of(sample)):
        state.handle_chunk(chunk)
    # Its final completion refuses answers that were too long.
    gathered = state.current_completion_snapshot
    whole = ChatCompletion.model_validate_json(completion_body(fold(sample), reading=READING))

    assert len(gathered.choices) == len(whole.choices)
    for ours, theirs in zip(whole.choices, gathered.choices, strict=True):
        assert (theirs.message.content or "") == (ours.message.content or "")
        assert theirs.finish_reason == ours.finish_reason
        assert calls_of(theirs) == calls_of(ours)
    assert (gathered.usage and gathered.usage.total_tokens) == (
        whole.usage and whole.usage.total_tokens
    )


def calls_of(choice: Any) -> list[tuple[str, str, str]]:
    calls = choice.message.tool_calls or []
    return [(call.id, call.function.name, call.function.arguments) for call in calls]


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        ("failed in the middle", "upstream_lost", ""),
        ("failed before the first word", "upstream_unreachable", ""),
        ("cancelled", "cancelled", "So far"),
        ("a part is taken back", "part_discarded", "Wrong"),
    ],
)
def test_an_end_that_is_no_success_is_raised_after_the_text(
    name: str, code: str, text: str
) -> None:
    seen: list[str] = []

    with pytest.raises(APIError) as failure:
        seen.extend(chunk.choices[0].delta.content or "" for chunk in ask(stream_of(SAMPLES[name])))

    assert failure.value.code == code
    assert "".join(seen) == text


def test_a_refused_request_is_raised_with_its_field() -> None:
    body = OpenAiChatSse().encode_error(RequestInvalid("`n` is wrong.", param="n"))

    with pytest.raises(BadRequestError) as refusal:
        list(ask(body, status=400, kind="application/json"))

    assert refusal.value.param == "n"
    assert refusal.value.code == "invalid_request"
    assert "`n` is wrong." in refusal.value.message
