"""What an error answer says beside its code and message: facts that a client can act on."""

from potok.errors import (
    BodyTooLarge,
    ChatBusy,
    CursorInvalid,
    IdempotencyConflict,
    MessageMalformed,
    MessageTooLarge,
    ModelUnknown,
    OffsetExpired,
    PotokError,
    PreviousResponseNotFound,
    RequestInvalid,
)

__all__ = ["facts_of"]


def facts_of(error: PotokError) -> dict[str, object]:
    """Return the error's facts by their wire names; offsets are strings (spec 4.1)."""
    match error:
        case RequestInvalid(param=str() as param):
            return {"param": param}
        case PreviousResponseNotFound():
            return {"param": "previous_response_id"}
        case ModelUnknown():
            return {"param": "model"}
        case OffsetExpired():
            return {"first": str(error.first), "snapshot": f"/api/runs/{error.run}"}
        case CursorInvalid():
            return {"param": error.param}
        case ChatBusy():
            return {"run": error.run, "message_id": error.answer}
        case IdempotencyConflict():
            return {"run": error.run}
        case BodyTooLarge() | MessageTooLarge():
            return {"limit_bytes": error.limit_bytes}
        case MessageMalformed():
            return {"place": error.place}
        case _:
            return {}
