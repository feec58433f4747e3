"""What the chat routes have in common: JSON of chats and messages, answers as streams."""

from starlette.requests import Request
from starlette.responses import Response

from potok import limits
from potok.chats.contract import Chat, Found, MessageRecord, Project, QueuedMessage
from potok.dialects.chats_001 import Chats001Ndjson, Chats001Sse, Opening
from potok.dialects.chats_001_bodies import iso_time, message_read
from potok.dialects.line_safe import encode_json
from potok.dialects.registry import dialect_for_accept
from potok.errors import PathUnknown, RequestInvalid
from potok.events.envelope import Place
from potok.events.run_request import JsonObject
from potok.runs.chat_endings import prefix_of
from potok.runs.conversations import Conversations
from potok.server.headers import header_of, language_of
from potok.server.problems import RUN_IN_SCOPE
from potok.server.reader import open_reader, reading_of
from potok.server.services import Services
from potok.streamlog.contract import RunRecord

__all__ = [
    "chat_body",
    "chats_of",
    "found_body",
    "json_response",
    "language_asked",
    "message_body",
    "project_body",
    "queued_body",
    "read_limit",
    "stream_answer",
]


def chats_of(services: Services) -> Conversations:
    """Return the chats of a server that keeps any."""
    if services.chats is None:
        raise PathUnknown("/api/web/v1")
    return services.chats


def json_response(value: object, *, status: int = 200) -> Response:
    """Return an answer of one JSON value."""
    return Response(encode_json(value), status_code=status, media_type="application/json")


def language_asked(request: Request) -> str:
    """Return the language of the caller; 001's documents are Russian."""
    return language_of(request.scope, default="ru")


def project_body(project: Project) -> JsonObject:
    """Return a project as clients read it."""
    return {
        "id": project.id,
        "name": project.name,
        "instructions": project.instructions,
        "created_at": iso_time(project.created_at),
        "updated_at": iso_time(project.updated_at),
    }


def chat_body(chat: Chat) -> JsonObject:
    """Return a chat as clients read it."""
    return {
        "id": chat.id,
        "title": chat.title,
        "title_source": chat.title_source,
        "project_id": chat.project_id,
        "model": chat.model,
        "external_id": chat.external_id,
        "archived": chat.is_archived,
        "current_message_id": chat.leaf_id,
        "draft": chat.draft,
        "queue_paused": chat.is_queue_paused,
        "created_at": iso_time(chat.created_at),
        "updated_at": iso_time(chat.updated_at),
    }


def found_body(found: Found) -> JsonObject:
    """Return a chat that a search found, with where and what."""
    match = {"message_id": found.message_id, "snippet": found.text}
    return {**chat_body(found.chat), "match": match}


def message_body(message: MessageRecord) -> JsonObject:
    """Return a message as clients of 001 read it."""
    metadata = message.metadata
    if message.status == "streaming":
        metadata = {**metadata, "status": "streaming", "run": message.run}
    return message_read(
        id=message.id,
        chat_id=message.chat_id,
        role=message.role,
        content=message.content,
        created_at=message.created_at,
        metadata=metadata,
        parent_id=message.parent_id,
        sibling_ids=message.sibling_ids,
    )


def queued_body(item: QueuedMessage) -> JsonObject:
    """Return a waiting message as clients read it."""
    return {
        "id": item.id,
        "chat_id": item.chat_id,
        "content": item.content,
        "model": item.model,
        "client_id": item.client_id,
        "created_at": iso_time(item.created_at),
    }


def read_limit(limit: str | None, *, default: int) -> int:
    """Return how many items a page shall have; raises `RequestInvalid`."""
    if not limit:
        return default
    is_number = limit.isascii() and limit.isdigit() and len(limit) < 10
    if not is_number or not 0 < int(limit) <= limits.LIST_ITEMS_MAX:
        raise RequestInvalid(
            f"`limit` must be a number from 1 to {limits.LIST_ITEMS_MAX}, not {limit[:40]!r}.",
            param="limit",
        )
    return int(limit)


async def stream_answer(
    services: Services,
    request: Request,
    record: RunRecord,
    answer: MessageRecord,
    *,
    place: Place | None = None,
) -> Response:
    """Return the answer's stream: frames of 001 over SSE, or NDJSON where that is accepted."""
    request.scope[RUN_IN_SCOPE] = record.run
    content, metadata = prefix_of(answer)
    opening = Opening(
        id=answer.id,
        chat_id=answer.chat_id,
        parent_id=answer.parent_id,
        sibling_ids=answer.sibling_ids,
        created_at=answer.created_at,
        content=content,
        metadata=metadata,
    )
    wish = dialect_for_accept(
        header_of(request.scope, "accept"), request.query_params.get("format")
    )
    is_ndjson = wish.media_type == Chats001Ndjson.media_type
    return await open_reader(
        services,
        record,
        Chats001Ndjson(opening) if is_ndjson else Chats001Sse(opening),
        place=place,
        reading=reading_of(record, ids_name_run=True),
        keep=True,
    )
