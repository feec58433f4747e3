import pytest

from potok.errors import SettingInvalid
from potok.server.access import (
    Access,
    is_loopback,
    is_origin_of_host,
    name_in_host,
    tidy_origin,
)
from potok.server.principals import LOCAL, KeyedPrincipals

KEYED = KeyedPrincipals({"secret": LOCAL})


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("localhost", True),
        ("localhost:8000", True),
        ("LocalHost.:1", True),
        ("127.0.0.1:65535", True),
        ("[::1]", True),
        ("[::1]:8000", True),
        ("", False),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example:8000", False),
        ("127.0.0.2", False),
        ("localhost:8000:1", False),
        ("user@localhost", False),
        ("localhost/x", False),
        ("localhost\r\nx: y", False),
        ("::1", False),
    ],
)
def test_a_server_on_loopback_answers_for_loopback_names_only(host: str, is_ours: bool) -> None:
    access = Access()

    answer = access.answers_for(host)

    assert answer is is_ours


def test_a_server_on_loopback_answers_for_the_names_it_was_given() -> None:
    access = Access(hosts=("Chat.Example.com",))

    answers = [access.answers_for(host) for host in ("chat.example.com:443", "example.com")]

    assert answers == [True, False]


def test_a_key_does_not_open_loopback_to_foreign_names() -> None:
    access = Access(principals=KEYED)

    answer = access.answers_for("evil.example")

    assert not answer


def test_a_server_for_others_answers_for_any_name_until_some_are_listed() -> None:
    open_to_names = Access(bind_host="0.0.0.0", principals=KEYED)
    listed = Access(bind_host="0.0.0.0", principals=KEYED, hosts=("potok.example",))

    answers = [(open_to_names.answers_for(h), listed.answers_for(h)) for h in ("a.example:80",)]
    own = [listed.answers_for(host) for host in ("potok.example", "localhost:8000")]

    assert answers == [(True, False)]
    assert own == [True, True]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "potok.example"])
def test_a_server_that_others_can_reach_never_runs_without_a_key(host: str) -> None:
    with pytest.raises(SettingInvalid, match="POTOK_API_KEY"):
        Access(bind_host=host)


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "chat.example.com",
        "https://a.example/path",
        "https://user@a.example",
        "https://",
        "https://a b",
    ],
)
def test_an_origin_that_is_none_is_refused_at_the_start(origin: str) -> None:
    with pytest.raises(SettingInvalid, match="POTOK_CORS_ORIGINS"):
        Access(cors_origins=(origin,))


def test_every_origin_is_allowed_only_where_a_key_is_needed() -> None:
    access = Access(cors_origins=("*",), principals=KEYED)

    allowed = access.allows_origin("https://anything.example")

    assert allowed
    assert not access.allows_origin("null")


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("https://chat.example.com", True),
        ("https://CHAT.example.com:443", True),
        ("http://chat.example.com", False),
        ("https://chat.example.com:8443", False),
        ("https://chat.example.com.evil.example", False),
        ("null", False),
        (None, False),
    ],
)
def test_only_listed_origins_are_allowed(origin: str | None, is_allowed: bool) -> None:
    access = Access(cors_origins=("https://chat.example.com/",))

    answer = access.allows_origin(origin)

    assert answer is is_allowed


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("host.local", False),
    ],
)
def test_loopback_addresses_are_known(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        ("http://localhost:8000", "localhost:8000", True),
        ("http://localhost:8000", "127.0.0.1:8000", False),
        ("http://localhost:3000", "localhost:8000", False),
        ("https://chat.example.com", "chat.example.com", True),
        ("https://chat.example.com", "Chat.Example.com:443", True),
        ("http://chat.example.com", "chat.example.com:80", True),
        ("null", "localhost", False),
        ("file://", "localhost", False),
    ],
)
def test_a_page_is_of_the_host_that_its_origin_names(
    origin: str, host: str, expected: bool
) -> None:
    assert is_origin_of_host(origin, host) is expected


def test_names_and_origins_are_brought_to_one_form() -> None:
    names = [name_in_host(host) for host in ("[FE80::1]:1", "A.example.:80", "a b")]
    origins = [tidy_origin(origin) for origin in ("HTTP://A.example:80/", "https://a.example:80")]

    assert names == ["fe80::1", "a.example", None]
    assert origins == ["http://a.example", "https://a.example:80"]
