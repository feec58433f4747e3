"""What `/openapi.json` says of refusals that any route may give, each in the shape of its face."""

from collections.abc import Iterator
from typing import Any

import msgspec

from potok import errors
from potok.dialects.dialect import Dialect
from potok.errors import PotokError
from potok.limits import BODY_BYTES_MAX, BODY_SECONDS_MAX
from potok.server.openapi_examples import RUN
from potok.server.problems import Faces, face_of, status_of

__all__ = ["add_refusals"]

Json = dict[str, Any]

_SCHEMAS = {
    "native": "Problem",
    "ai-sdk-ui": "Problem",
    "openai-chat": "OpenAiProblem",
    "simple-chat": "SimpleProblem",
}

_ALWAYS: tuple[tuple[str, PotokError], ...] = (
    ("The request is wrong.", errors.RequestInvalid("`limit` must be a number.", param="limit")),
    ("The server asks for its key.", errors.Unauthorized()),
    ("A page of another origin.", errors.OriginRefused("https://elsewhere.example")),
    ("A store cannot be used now.", errors.LogUnavailable("The log cannot be written now.")),
)
_WITH_BODY: tuple[tuple[str, PotokError], ...] = (
    ("The body did not arrive in time.", errors.BodyTooSlow(seconds=BODY_SECONDS_MAX)),
    ("The body is too large.", errors.BodyTooLarge(what="body", limit_bytes=BODY_BYTES_MAX)),
    ("The body is not declared as JSON.", errors.ContentTypeRefused("text/plain")),
)
_STARTING: tuple[tuple[str, PotokError], ...] = (
    ("Nobody serves the model.", errors.ModelUnknown("nobody/none", known=("demo",))),
    ("The key started another request.", errors.IdempotencyConflict("1", run=RUN)),
    ("Too many answers are being made.", errors.UpstreamBusy("Too many answers are being made.")),
    ("The provider failed.", errors.UpstreamUnreachable("The provider cannot be reached.")),
    ("The provider was silent.", errors.UpstreamStalled("The provider did not answer in time.")),
)
_NAMING: tuple[tuple[str, PotokError], ...] = (
    ("No such thing, or not yours; the two cannot be told apart.", errors.RunNotFound(RUN)),
)
_RESUMING: tuple[tuple[str, PotokError], ...] = (
    (
        "The events after that place are gone; `snapshot` has the whole answer.",
        errors.OffsetExpired(run=RUN, wanted=3, first=7),
    ),
)


def add_refusals(document: Json, *, faces: Faces = ()) -> None:
    """Add to each operation the refusals that it does not describe itself.

    Args:
        faces: Those of apps, whose errors have shapes of their own.
    """
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for says, error in _refusals_of(operation):
                status = str(status_of(error))
                dialect = face_of(path, faces)
                operation["responses"].setdefault(status, _reply(says, error, dialect))


def _refusals_of(operation: Json) -> Iterator[tuple[str, PotokError]]:
    given = {(one["in"], one["name"]) for one in operation.get("parameters", ())}
    resumes = ("header", "Last-Event-ID") in given
    yield from _ALWAYS
    if "requestBody" in operation:
        yield from _WITH_BODY
    if resumes or any(place == "path" for place, _ in given):
        yield from _NAMING
    if resumes:
        yield from _RESUMING
    if ("header", "Idempotency-Key") in given or ("query", "key") in given:
        yield from _STARTING


def _reply(says: str, error: PotokError, dialect: Dialect) -> Json:
    named = _SCHEMAS.get(dialect.name)
    schema = {"$ref": f"#/components/schemas/{named}"} if named else {"type": "object"}
    example = msgspec.json.decode(dialect.encode_error(error))
    content = {"schema": schema, "example": example}
    return {"description": says, "content": {"application/json": content}}
