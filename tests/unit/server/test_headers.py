import pytest
from starlette.types import Message

from potok.server.headers import header_of, language_of, with_headers, with_request_id


def scope_with(**headers: str) -> dict[str, object]:
    return {
        "headers": [(name.replace("_", "-").encode(), v.encode()) for name, v in headers.items()]
    }


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("ru", "ru"),
        ("ru-RU,ru;q=0.9,en-US;q=0.8,en;q=0.7", "ru"),
        ("en-US,en;q=0.9,ru;q=0.8", "en"),
        ("de, ru;q=0.3, en;q=0.2", "ru"),
        ("RU", "ru"),
        ("ru;q=0, en;q=0.1", "en"),
        ("de", "en"),
        ("*", "en"),
        ("", "en"),
        (";;;,,q=", "en"),
        ("ru;q=x", "en"),
        ("en;q=0.5,ru;q=nan", "en"),
        ("rusyn", "en"),
    ],
)
def test_the_best_language_that_is_spoken_here_is_chosen(accept: str, language: str) -> None:
    assert language_of(scope_with(accept_language=accept)) == language


def test_a_face_may_have_another_language_for_callers_without_a_wish() -> None:
    assert language_of(scope_with(), default="ru") == "ru"


def test_a_header_is_read_without_its_blanks_and_may_be_absent() -> None:
    scope = scope_with(last_event_id=" 12 ")

    assert header_of(scope, "last-event-id") == "12"
    assert header_of(scope, "accept") is None


async def test_safety_headers_never_replace_those_of_the_reply() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    guarded = with_headers(send, (b"vary", b"Origin"))
    await guarded({"type": "http.response.start", "headers": [(b"Cache-Control", b"no-cache")]})
    await guarded({"type": "http.response.body", "body": b"x"})

    names = [name.lower() for name, _ in sent[0]["headers"]]
    assert names.count(b"cache-control") == 1
    assert b"x-content-type-options" in names
    assert b"vary" in names
    assert sent[1] == {"type": "http.response.body", "body": b"x"}


async def headers_sent(*given: tuple[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    named = with_request_id(send, lambda: "r1")
    await named({"type": "http.response.start", "status": 200, "headers": list(given)})
    await named({"type": "http.response.body", "body": b"x"})
    assert sent[1] == {"type": "http.response.body", "body": b"x"}
    return list(sent[0]["headers"])


async def test_a_reply_has_a_request_id_its_own_or_a_new_one() -> None:
    own = (b"X-Request-Id", b"run")

    assert await headers_sent() == [(b"x-request-id", b"r1")]
    assert await headers_sent(own) == [own]
