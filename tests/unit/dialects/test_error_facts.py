import pytest

from potok.dialects.error_facts import facts_of
from potok.errors import (
    BodyTooLarge,
    IdempotencyConflict,
    MessageMalformed,
    MessageTooLarge,
    ModelUnknown,
    OffsetExpired,
    PotokError,
    RequestInvalid,
    ServerDraining,
)


@pytest.mark.parametrize(
    ("error", "facts"),
    [
        (RequestInvalid("m", param="n"), {"param": "n"}),
        (RequestInvalid("m"), {}),
        (ModelUnknown("x"), {"param": "model"}),
        (
            OffsetExpired(run="r", wanted=1, first=2),
            {"first": "2", "snapshot": "/api/runs/r"},
        ),
        (IdempotencyConflict("k", run="r"), {"run": "r"}),
        (BodyTooLarge(what="body", limit_bytes=9), {"limit_bytes": 9}),
        (MessageTooLarge(limit_bytes=9), {"limit_bytes": 9}),
        (MessageMalformed("w", place="byte 3"), {"place": "byte 3"}),
        (ServerDraining(), {}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_tells_what_a_client_can_act_on(
    error: PotokError, facts: dict[str, object]
) -> None:
    assert facts_of(error) == facts
