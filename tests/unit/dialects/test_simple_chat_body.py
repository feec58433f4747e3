import json

import pytest

from potok.dialects.dialect import Reading
from potok.dialects.simple_chat_body import simple_chat_body, simple_chat_failure
from potok.events.fold import Fold, Message
from potok.testing.samples import CREATED, RUN, SAMPLES

READING = Reading(run=RUN, model="demo", created=CREATED)


def message_of(sample: str) -> Message:
    fold = Fold()
    for event in SAMPLES[sample]:
        fold.feed(event)
    return fold.message


def test_a_whole_answer_is_its_text_model_usage_and_run() -> None:
    body = json.loads(simple_chat_body(message_of("an answer"), reading=READING))

    assert body == {
        "message": "Привет, мир!",
        "model": "demo",
        "usage": {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19},
        "run": RUN,
    }


def test_usage_that_nobody_told_is_null() -> None:
    body = json.loads(simple_chat_body(message_of("hostile text"), reading=READING))

    assert body["usage"] is None


@pytest.mark.parametrize(
    ("sample", "code", "why"),
    [
        ("failed in the middle", "upstream_lost", "The provider went away."),
        ("cancelled", "cancelled", "The run was cancelled before its answer was whole."),
    ],
)
def test_what_is_not_whole_is_an_error_without_the_text(sample: str, code: str, why: str) -> None:
    failure = simple_chat_failure(message_of(sample), run=RUN)

    assert failure is not None
    assert failure[0] == code
    assert json.loads(failure[1]) == {"error": why, "code": code, "run": RUN}


def test_a_finished_answer_is_no_failure() -> None:
    assert simple_chat_failure(message_of("an answer"), run=RUN) is None
