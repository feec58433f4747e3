"""Every exception that Potok raises on purpose, sorted by who acts next.

    PotokError
    |-- CallerError      the caller changes the request
    |   |-- RequestInvalid, ModelUnknown, RunNotFound, OffsetInvalid, OffsetExpired,
    |   |-- IdempotencyConflict, BodyTooLarge, Unauthorized, OriginRefused, HostRefused,
    |   |-- ContentTypeRefused, MessageMalformed, MessageTooLarge, PathUnknown,
    |   |-- MethodRefused, BodyTooSlow, ChatNotFound, ChatBusy, CursorInvalid, ResponseNotFound,
    |   |-- PreviousResponseNotFound, ResponseBusy
    |-- PeerError          the upstream or the other end of a wire misbehaved
    |   |-- UpstreamUnreachable, UpstreamRefused, UpstreamLost, UpstreamStalled,
    |   |-- UpstreamMalformed, FrameTooLarge, ServerUnreachable, ServerRefused, AnswerUnfit,
    |   |-- PromptTooLong, ModelUnusable, UpstreamLimited, UpstreamRejected
    |-- TryAgain           the same request may succeed later
    |   |-- LogUnavailable, LogLost, UpstreamBusy, ServerDraining, ChatsUnavailable
    |-- SetupError         the operator changes the set-up
    |   |-- SettingInvalid, DataFolderUnusable, DataFolderInUse, DatabaseNewer, AddressTaken,
    |   |-- DatabaseUnusable, RedisUnusable, ModelFileRefused, DownloadFailed
    `-- OurBug             Potok broke one of its own rules
        |-- GrammarViolation, StaleEpoch

`code` is part of the wire contract: it never changes once released. The message is one or two
sentences for people that say what to do; it never holds a key, a prompt or a traceback.
"""

from typing import ClassVar


class PotokError(Exception):
    """Base of all errors; `retryable` tells whether the same call may succeed later."""

    code: ClassVar[str] = "potok_error"
    retryable: ClassVar[bool] = False
    language: str | None = None
    """The caller's, for a face that says errors in several; None where it is not known."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class CallerError(PotokError):
    """The caller asked for something that cannot be done as asked."""

    code = "invalid_request"


class PeerError(PotokError):
    """The other end of a wire broke its protocol, its promise or the connection."""

    code = "upstream_error"


class TryAgain(PotokError):
    """Nothing is wrong with the request; the same one may succeed later."""

    code = "try_again"
    retryable = True


class SetupError(PotokError):
    """The server cannot start or work as it is set up."""

    code = "setup_error"


class OurBug(PotokError):
    """Potok broke one of its own rules; the caller can do nothing but report it."""

    code = "internal_error"


class RequestInvalid(CallerError):
    """A field of the request is missing, malformed or contradicts another one."""

    code = "invalid_request"

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class ModelUnknown(CallerError):
    """No provider lists the model that was asked for."""

    code = "model_not_found"

    def __init__(self, model: str, *, known: tuple[str, ...] = ()) -> None:
        listed = ", ".join(known[:8]) if known else "none yet"
        more = ", ..." if len(known) > 8 else ""
        super().__init__(
            f"The model {model[:200]!r} is not served here. Models that are: {listed}{more}."
            " GET /v1/models lists all of them."
        )
        self.model = model


class RunNotFound(CallerError):
    """No such run, or it belongs to another principal; the two cannot be told apart."""

    code = "run_not_found"

    def __init__(self, run: str) -> None:
        super().__init__(f"There is no run {run[:64]!r}. GET /api/runs lists the runs you started.")
        self.run = run


class OffsetInvalid(CallerError):
    """The offset is no offset of this run: garbage, or beyond its tail."""

    code = "offset_invalid"

    def __init__(self, offset: str, *, why: str) -> None:
        super().__init__(
            f"The offset {offset[:80]!r} cannot be used: {why}. Use an `id` that this run's stream"
            " gave you, or 0 to read from the start."
        )
        self.offset = offset


class OffsetExpired(CallerError):
    """The reader asked for events that retention has already removed."""

    code = "offset_expired"

    def __init__(self, *, run: str, wanted: int, first: int) -> None:
        super().__init__(
            f"Events after offset {wanted} are no longer kept; the first kept one is {first}."
            f" GET /api/runs/{run} gives the whole answer."
        )
        self.run = run
        self.wanted = wanted
        self.first = first


class IdempotencyConflict(CallerError):
    """The Idempotency-Key was used before with another request."""

    code = "idempotency_conflict"

    def __init__(self, key: str, *, run: str) -> None:
        super().__init__(
            f"The Idempotency-Key {key[:80]!r} already started run {run} with another request."
            " Use a new key for a new request, or send the first request again unchanged."
        )
        self.key = key
        self.run = run


class BodyTooLarge(CallerError):
    """A body or one message in it is over its limit."""

    code = "too_large"

    def __init__(self, *, what: str, limit_bytes: int) -> None:
        super().__init__(f"The {what} is larger than the limit of {limit_bytes} bytes. Send less.")
        self.limit_bytes = limit_bytes


class Unauthorized(CallerError):
    """The server asks for a key and got none, or a wrong one."""

    code = "unauthorized"

    def __init__(self) -> None:
        super().__init__(
            "This server asks for its key: send `Authorization: Bearer <key>` with the value of"
            " its POTOK_API_KEY."
        )


class OriginRefused(CallerError):
    """A web page of another origin tried to use the server."""

    code = "origin_refused"

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"Pages of {origin[:200]!r} may not use this server. List that origin in"
            " POTOK_CORS_ORIGINS to allow it."
        )
        self.origin = origin


class HostRefused(CallerError):
    """The Host header names a host that this server does not answer for."""

    code = "host_refused"

    def __init__(self, host: str) -> None:
        super().__init__(
            f"This server does not answer for the host {host[:200]!r}. Use the address it printed"
            " at its start, or list the name in POTOK_ALLOWED_HOSTS."
        )
        self.host = host


class ContentTypeRefused(CallerError):
    """The body is not declared as JSON."""

    code = "content_type_refused"

    def __init__(self, content_type: str) -> None:
        super().__init__(
            f"The body's Content-Type is {content_type[:100]!r}; send JSON with"
            " `Content-Type: application/json`."
        )


class UpstreamUnreachable(PeerError):
    """No connection to the provider could be made."""

    code, retryable = "upstream_unreachable", True


class UpstreamRefused(PeerError):
    """The provider answered with an error status.

    `status` is the provider's HTTP status; `retry_after_seconds` what it asked for, if anything.
    """

    code = "upstream_refused"

    def __init__(
        self, message: str, *, status: int, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_seconds = retry_after_seconds


class UpstreamLost(PeerError):
    """The provider's connection ended before its answer did."""

    code, retryable = "upstream_lost", True


class UpstreamStalled(PeerError):
    """The provider was silent for longer than its time limit."""

    code, retryable = "upstream_stalled", True


class UpstreamMalformed(PeerError):
    """The provider sent something that its protocol does not know."""

    code = "upstream_malformed"


class LogUnavailable(TryAgain):
    """The event log could not be written or read; nothing that was shown is lost."""

    code = "log_unavailable"


class LogLost(PotokError):
    """The store lost events that it had acknowledged."""

    code = "log_lost"


class UpstreamBusy(TryAgain):
    """All places for live upstream calls are taken, and so are those for waiting ones."""

    code = "upstream_busy"


class ServerDraining(TryAgain):
    """The server is going down: runs already started go on elsewhere or at its next start."""

    code = "server_draining"

    def __init__(self) -> None:
        super().__init__("The server is shutting down. Send the request again in a few seconds.")


class SettingInvalid(SetupError):
    """A setting is unknown or its value cannot be used."""

    code = "setting_invalid"


class DataFolderUnusable(SetupError):
    """The data folder cannot be created or written."""

    code = "data_folder_unusable"


class DataFolderInUse(SetupError):
    """Another server holds the data folder."""

    code = "data_folder_in_use"


class DatabaseNewer(SetupError):
    """The database was written by a newer Potok."""

    code = "database_newer"


class AddressTaken(SetupError):
    """Another process listens on the address."""

    code = "address_taken"


class GrammarViolation(OurBug):
    """An event came where the grammar does not allow it."""

    code = "grammar_violation"


class StaleEpoch(OurBug):
    """A writer whose lease was taken over tried to write; nothing of it was stored."""

    code = "stale_epoch"

    def __init__(self, *, run: str, epoch: int, current: int) -> None:
        super().__init__(f"run {run}: epoch {epoch} may not write any more; it is {current} now")
        self.run = run
        self.epoch = epoch
        self.current = current


class FrameTooLarge(PeerError):
    """The other end sent one line or one event that is over its limit."""

    code = "frame_too_large"

    def __init__(self, *, what: str, limit_bytes: int) -> None:
        super().__init__(
            f"The other end sent one {what} of more than {limit_bytes} bytes, so reading it was"
            " stopped. Ask it for smaller pieces, or for less at once."
        )
        self.what = what
        self.limit_bytes = limit_bytes


class MessageTooLarge(CallerError):
    """A text message on a socket is over its limit."""

    code = "message_too_large"

    def __init__(self, *, limit_bytes: int) -> None:
        super().__init__(
            f"The message is larger than the limit of {limit_bytes} bytes. Send less at once."
        )
        self.limit_bytes = limit_bytes


class MessageMalformed(CallerError):
    """A text message on a socket is not one JSON object; `place` says where it breaks."""

    code = "message_malformed"

    def __init__(self, why: str, *, place: str) -> None:
        super().__init__(
            f"The message cannot be read ({place}): {why}. Send one JSON object in a text message."
        )
        self.why = why
        self.place = place


class PathUnknown(CallerError):
    """Nothing is served at the path."""

    code = "path_unknown"

    def __init__(self, path: str, *, known: tuple[str, ...] = ()) -> None:
        listed = f" What is: {', '.join(known)}." if known else ""
        super().__init__(
            f"Nothing is served at {path[:200]!r}.{listed} GET /openapi.json describes all of it."
        )
        self.path = path


class MethodRefused(CallerError):
    """The path exists, but not for this method."""

    code = "method_not_allowed"

    def __init__(self, method: str, *, path: str, allowed: tuple[str, ...] = ()) -> None:
        instead = f" Use {' or '.join(allowed)}." if allowed else ""
        super().__init__(f"{path[:200]!r} does not take {method[:20]}.{instead}")
        self.method = method
        self.allowed = allowed


class BodyTooSlow(CallerError):
    """The body did not arrive within its time."""

    code, retryable = "body_too_slow", True

    def __init__(self, *, seconds: float) -> None:
        super().__init__(
            f"The body did not arrive within {seconds:.0f} seconds. Send it again, or send less."
        )
        self.seconds = seconds


class ServerUnreachable(PeerError):
    """No Potok server answers at an address that a client of ours was given."""

    code, retryable = "server_unreachable", True


class ServerRefused(PeerError):
    """A Potok server answered a client of ours with an error; the message is the server's own.

    `status` is the HTTP status, `server_code` the error's code on that server.
    """

    code = "server_refused"

    def __init__(self, message: str, *, status: int, server_code: str) -> None:
        super().__init__(message)
        self.status = status
        self.server_code = server_code


class ChatNotFound(CallerError):
    """No such chat, project, message or waiting message, or it belongs to another principal."""

    code = "chat_not_found"

    def __init__(self, what: str, name: object) -> None:
        super().__init__(f"There is no {what} {str(name)[:64]!r} of yours.")
        self.what = what
        self.name = name


class ChatBusy(CallerError):
    """An answer of the chat is still being made; a chat makes one at a time."""

    code = "chat_busy"

    def __init__(self, *, chat: int, message: int, run: str, is_seen: bool = False) -> None:
        """Args: is_seen: whoever was refused has shown that it knows of that answer."""
        super().__init__(
            f"Chat {chat} is still answering. Wait for its end, stop it with POST"
            f" /api/web/v1/chats/{chat}/cancel, or put the text into its queue with POST"
            f" /api/web/v1/chats/{chat}/queue."
        )
        self.chat = chat
        self.answer = message
        self.run = run
        self.is_seen = is_seen


class CursorInvalid(CallerError):
    """A list's cursor is garbage, or was given by another list."""

    code = "cursor_invalid"

    def __init__(self) -> None:
        super().__init__(
            "The cursor was not given by this list. Use the `next_cursor` of its last page, with"
            " the same filters, or none for the first page."
        )
        self.param = "cursor"


class ChatsUnavailable(TryAgain):
    """The chats' database could not be asked; what it holds is not lost."""

    code = "chats_unavailable"


class DatabaseUnusable(SetupError):
    """The chats' database cannot be used as it is set up."""

    code = "database_unusable"


class RedisUnusable(SetupError):
    """The Redis server cannot be used as it is set up; the message names no password."""

    code = "redis_unusable"


class ResponseNotFound(RunNotFound):
    """No such response, or it is another principal's, was deleted, or was not to be stored."""

    code = "response_not_found"

    def __init__(self, response: str) -> None:
        super().__init__(response)
        self.message = f"There is no response {response[:80]!r} that you may retrieve."
        self.args = (self.message,)


class PreviousResponseNotFound(CallerError):
    """The response to go on after is not there."""

    code = "previous_response_not_found"

    def __init__(self, response: str) -> None:
        super().__init__(
            f"There is no response {response[:80]!r} to go on after. Send the whole conversation"
            " as `input` instead."
        )
        self.response = response


class ResponseBusy(CallerError):
    """The response is still being made, so it cannot be deleted or gone on after yet."""

    code = "response_in_progress"

    def __init__(self, response: str) -> None:
        super().__init__(
            f"The response {response[:80]!r} has not ended yet. Wait for its end, or cancel it"
            " first."
        )
        self.response = response


class AgentStalled(PeerError):
    """A branch of an agent gave nothing for too long."""

    code = "agent_stalled"

    def __init__(self, agent: str, *, seconds: float) -> None:
        super().__init__(f"The agent {agent!r} gave nothing for {seconds:g} seconds.")
        self.agent, self.seconds = agent, seconds


class AgentFailed(PeerError):
    """The code of an agent raised something that it should have handled."""

    code = "agent_failed"

    def __init__(self, agent: str) -> None:
        super().__init__(
            f"The agent {agent!r} failed; what came before is kept. The server's log says where."
        )
        self.agent = agent


class AppUnavailable(TryAgain):
    """An installed app cannot be used as things are."""

    code = "app_unavailable"

    def __init__(self, app: str, *, why: str) -> None:
        super().__init__(f"The app {app!r} is unavailable. {why}".strip())
        self.app = app


class AnswerUnfit(PeerError):
    """A model did not give the JSON that was asked for, nor when it was asked to mend it."""

    code = "answer_unfit"

    def __init__(self, model: str, *, why: str) -> None:
        super().__init__(
            f"The model {model[:200]!r} did not give the JSON that the request asks for, although"
            f" it was asked to mend it. {why} Try again, ask a model that keeps to JSON schemas,"
            " or loosen the schema."
        )
        self.model = model


class PromptTooLong(UpstreamRefused):
    """The conversation has more tokens than the model's context; another model may take it."""

    code = "context_length_exceeded"

    def __init__(self, *, model: str, tokens: int, tokens_max: int) -> None:
        super().__init__(
            f"The conversation has {tokens} tokens, and the context of {model} has {tokens_max}."
            " Send less, or use a model with a longer context.",
            status=400,
        )
        self.tokens = tokens
        self.tokens_max = tokens_max


class ModelUnusable(PeerError):
    """A model file on this machine cannot be served now; the sentence says why."""

    code = "model_unusable"


class DownloadFailed(SetupError):
    """A model could not be fetched; what came of it is kept, and asking again goes on with it."""

    code, retryable = "download_failed", True


class ModelFileRefused(SetupError):
    """A file cannot become a model here: no GGUF, a wrong checksum, no room, a taken name."""

    code = "model_file_refused"


class ToolsUnavailable(PeerError):
    """A server of tools cannot be asked for them."""

    code = "tools_unavailable"


class ToolFailed(PeerError):
    """A tool says that it could not do what it was asked; its model is told in its words."""

    code = "tool_failed"


class UpstreamLimited(UpstreamRefused):
    """The provider limits how much it is asked; the same request may succeed later."""

    code, retryable = "upstream_limited", True


class UpstreamRejected(UpstreamRefused):
    """The provider takes the request itself for wrong (400, 413, 422): the caller changes it."""

    code = "upstream_rejected"
