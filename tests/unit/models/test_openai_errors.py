import json
from typing import Any

import pytest

from potok.limits import UPSTREAM_WORDS_CHARACTERS_MAX
from potok.models.openai_errors import (
    Refusals,
    StreamOptionsRefused,
    redact,
    retry_after_seconds,
)

KEY = "sk-proj-Ab12Cd34Ef56Gh78"
PROMPT = "Составь письмо Анне Петровой о договоре № 45-17 от 3 мая."
NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


def refusals(*, has_key: bool = True) -> Refusals:
    return Refusals(
        provider="openai",
        model="gpt-x",
        key_setting="OPENAI_API_KEY",
        has_key=has_key,
        secrets=(KEY,),
        prompts=(PROMPT, "да"),
    )


def sentence(status: int, error: Any = None, *, has_key: bool = True) -> str:
    body = b"" if error is None else json.dumps(error, ensure_ascii=False).encode()
    made = refusals(has_key=has_key).from_reply(status=status, headers={}, body=body, now=NOW)
    return made.message


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (302, "sends calls on to ''"),
        (400, "did not accept the request (400): change it."),
        (401, "refused the key: check OPENAI_API_KEY."),
        (402, "has no credit left"),
        (403, "does not let this key use the model 'gpt-x'"),
        (404, "does not know the model 'gpt-x'"),
        (413, "finds the request too large"),
        (429, "limits how much it is asked: try again a little later"),
        (500, "failed (500). Try again"),
        (529, "failed (529). Try again"),
    ],
)
def test_every_status_has_a_sentence_that_says_what_to_do(status: int, advice: str) -> None:
    assert sentence(status).startswith(f"The provider openai {advice}")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "upstream_rejected"),
        (413, "upstream_rejected"),
        (422, "upstream_rejected"),
        (429, "upstream_limited"),
        (401, "upstream_refused"),
        (404, "upstream_refused"),
        (500, "upstream_refused"),
    ],
)
def test_whose_mistake_it_is_stands_in_the_code(status: int, code: str) -> None:
    reply = refusals().from_reply(status=status, headers={}, body=b"", now=NOW)
    inside = refusals().from_stream({"message": "x", "code": status})

    assert (reply.code, inside.code) == (code, code)
    assert reply.retryable == (status == 429)


def test_a_missing_key_is_told_from_a_wrong_one() -> None:
    assert sentence(401, has_key=False).endswith("asks for a key: set OPENAI_API_KEY.")


@pytest.mark.parametrize(
    "error",
    [
        {"error": {"message": "no such thing"}},
        {"error": "no such thing"},
        {"message": "no such thing"},
        {"detail": "no such thing"},
        {"detail": [{"msg": "no such thing", "input": PROMPT}]},
        {"object": "error", "message": {"detail": [{"msg": "no such thing"}]}},
        [{"error": {"message": "no such thing", "status": "NOT_FOUND"}}],
    ],
)
def test_a_providers_own_words_are_found_in_every_shape(error: Any) -> None:
    assert sentence(400, error).endswith("It says: no such thing")


@pytest.mark.parametrize(
    "error",
    [None, {}, [], 7, {"error": {}}, {"error": {"message": 5, "code": {}}}, {"detail": [{}, 1]}],
)
def test_an_error_without_words_still_makes_a_sentence(error: Any) -> None:
    assert sentence(400, error) == (
        "The provider openai did not accept the request (400): change it."
    )


def test_plain_words_are_shown_and_error_pages_are_not() -> None:
    plain = refusals().from_reply(status=500, headers={}, body=b"out of memory", now=NOW)
    page = refusals().from_reply(status=502, headers={}, body=b"<html>Bad gateway", now=NOW)

    assert plain.message.endswith("It says: out of memory")
    assert page.message == "The provider openai failed (502). Try again, or use another model."


@pytest.mark.parametrize(
    "words",
    [
        f"Incorrect API key provided: {KEY}.",
        "Incorrect API key provided: sk-proj-Ab12**********Gh78.",
        f"Authorization was 'Bearer {KEY}'",
        "bad gsk_0aB1cD2eF3gH4iJ5kL",
        "bad key AIzaSyA1234567890bcdef",
        "bad 0123456789abcdef0123456789abcdef",
        f"{'word ' * 118}{KEY}",
    ],
)
def test_no_sentence_holds_a_key(words: str) -> None:
    shown = sentence(401, {"error": {"message": words}})

    for part in (KEY, "Ab12", "Gh78", "0aB1", "AIza", "0123456789"):
        assert part not in shown


@pytest.mark.parametrize(
    "words",
    [
        f"Invalid content: {PROMPT}",
        f"Invalid content: {PROMPT[9:40]}",
        "cannot parse\n Составь   письмо Анне Петровой о",
        "'да' is too short",
    ],
)
def test_words_that_repeat_the_prompt_are_not_shown(words: str) -> None:
    assert "It says" not in sentence(400, {"error": {"message": words}})


def test_long_words_are_cut() -> None:
    shown = sentence(400, {"error": {"message": "long " * 400}})

    words = shown.partition("It says: ")[2]
    assert len(words) == UPSTREAM_WORDS_CHARACTERS_MAX
    assert words.endswith("...")


def test_names_of_models_and_addresses_are_no_keys() -> None:
    words = (
        "gpt-4o-mini-2024-07-18 claude-3-5-sonnet-20241022 meta-llama/Llama-3.3-70B-Instruct"
        " https://platform.openai.com/account/api-keys max_tokens req_0123456789abcdef01234567"
    )

    assert redact(words) == words


def test_a_redirect_names_its_target_and_none_of_its_secrets() -> None:
    made = refusals().from_reply(
        status=307,
        headers={"location": f"https://me:pass@other.example/v1?key={KEY}"},
        body=b"",
        now=NOW,
    )

    assert "'other.example/v1'" in made.message
    assert "pass" not in made.message
    assert KEY not in made.message


@pytest.mark.parametrize("status", [400, 422])
def test_a_refusal_of_stream_options_is_told_from_others(status: int) -> None:
    body = b'{"error": {"message": "Unknown parameter: stream_options"}}'

    made = refusals().from_reply(status=status, headers={}, body=body, now=NOW)

    assert isinstance(made, StreamOptionsRefused)
    assert made.status == status


@pytest.mark.parametrize("kind", [{"code": "insufficient_quota"}, {"type": "insufficient_quota"}])
def test_an_empty_account_is_told_from_a_busy_one(kind: dict[str, str]) -> None:
    body = json.dumps({"error": kind}).encode()

    made = refusals().from_reply(status=429, headers={"retry-after": "1"}, body=body, now=NOW)

    assert made.status == 402
    assert "no credit left" in made.message
    assert refusals().from_stream(kind).status == 402


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"}, 30.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:00 GMT"}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Tue, 99 Nov 2023 22:13:00 GMT"}, None),
        ({"retry-after": ""}, None),
    ],
)
def test_the_wait_that_is_asked_for_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(headers, now=NOW) == seconds


def test_the_wait_is_in_the_error_and_in_its_sentence() -> None:
    made = refusals().from_reply(status=429, headers={"retry-after": "20"}, body=b"", now=NOW)

    assert made.retry_after_seconds == 20.0
    assert "try again in 20 seconds" in made.message
