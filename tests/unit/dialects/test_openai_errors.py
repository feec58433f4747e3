import json

import pytest

from potok import errors
from potok.dialects.openai_errors import encode_openai_error, failure_body, failure_status


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.RequestInvalid("m", param="n"), "invalid_request_error"),
        (errors.ModelUnknown("x"), "invalid_request_error"),
        (errors.BodyTooLarge(what="body", limit_bytes=1), "invalid_request_error"),
        (errors.Unauthorized(), "authentication_error"),
        (errors.OriginRefused("o"), "permission_error"),
        (errors.HostRefused("h"), "permission_error"),
        (errors.RunNotFound("r"), "not_found_error"),
        (errors.IdempotencyConflict("k", run="r"), "idempotency_error"),
        (errors.UpstreamBusy("m"), "rate_limit_exceeded"),
        (errors.UpstreamLimited("m", status=429), "rate_limit_exceeded"),
        (errors.UpstreamRejected("m", status=400), "invalid_request_error"),
        (errors.UpstreamLost("m"), "server_error"),
        (errors.ServerDraining(), "server_error"),
        (errors.GrammarViolation("m"), "server_error"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_type_says_who_acts_next(error: errors.PotokError, kind: str) -> None:
    body = json.loads(encode_openai_error(error))

    assert body["error"]["type"] == kind
    assert body["error"]["code"] == error.code
    assert body["error"]["message"] == error.message


def test_the_field_at_fault_is_named_and_null_where_there_is_none() -> None:
    with_field = json.loads(encode_openai_error(errors.RequestInvalid("m", param="n")))
    without = json.loads(encode_openai_error(errors.ServerDraining()))

    assert with_field["error"]["param"] == "n"
    assert without["error"]["param"] is None


def test_facts_come_along() -> None:
    body = json.loads(encode_openai_error(errors.OffsetExpired(run="r", wanted=1, first=7)))

    assert body["error"]["first"] == "7"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("cancelled", "cancelled"),
        ("upstream_busy", "rate_limit_exceeded"),
        ("upstream_limited", "rate_limit_exceeded"),
        ("upstream_rejected", "invalid_request_error"),
        ("anything", "server_error"),
    ],
)
def test_a_failed_run_gives_the_same_shape(code: str, kind: str) -> None:
    body = json.loads(failure_body(code=code, message="m"))

    assert body == {"error": {"message": "m", "type": kind, "param": None, "code": code}}


def test_a_cancelled_answer_has_a_status_that_no_client_repeats() -> None:
    repeated = {408, 409, 429, *range(500, 600)}

    assert failure_status("cancelled") not in repeated
    assert 400 <= failure_status("cancelled") < 500


def test_an_unknown_code_is_the_servers_failure() -> None:
    assert failure_status("upstream_stalled") == 504
    assert failure_status("never heard of") == 500
