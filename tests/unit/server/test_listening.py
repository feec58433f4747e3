import os
import socket

import pytest

from potok import limits
from potok.errors import AddressTaken, SettingInvalid
from potok.server.listening import listen, next_free_port, who_listens


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def test_a_free_port_is_listened_on_at_once() -> None:
    with listen("127.0.0.1", 0) as listener, socket.socket() as client:
        client.connect(("127.0.0.1", port_of(listener)))

        assert not listener.getblocking()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_localhost_is_the_address_that_is_printed(host: str) -> None:
    with listen(host, 0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_the_other_loopback_works_with_and_without_brackets() -> None:
    with listen("::1", 0) as plain, listen("[::1]", 0) as bracketed:
        assert plain.family == bracketed.family == socket.AF_INET6


def test_connections_of_a_deaf_client_are_given_up_by_the_kernel() -> None:
    with listen("127.0.0.1", 0) as listener, socket.socket() as client:
        client.connect(("127.0.0.1", port_of(listener)))
        listener.setblocking(True)
        connection, _ = listener.accept()
        with connection:
            kept = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)

    assert kept == limits.WRITE_SECONDS_MAX * 1000


def test_a_taken_port_names_who_has_it() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = port_of(listener)

        with pytest.raises(AddressTaken) as caught:
            listen("127.0.0.1", port)

        assert f"127.0.0.1:{port}" in caught.value.message
        assert f"(process {os.getpid()})" in caught.value.message


def test_a_port_that_nobody_listens_on_has_no_owner() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = port_of(listener)

    assert who_listens(port) is None


def test_the_next_free_port_is_not_one_that_is_taken() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = port_of(listener)

        found = next_free_port("127.0.0.1", port)

        assert found is not None
        assert port < found <= port + limits.PORTS_TRIED_MAX
        listen("127.0.0.1", found).close()


def test_the_search_for_a_port_ends_with_the_last_one() -> None:
    assert next_free_port("127.0.0.1", 65_535) is None


@pytest.mark.parametrize("port", [70_000, -1, 65_536])
def test_a_number_that_is_no_port_is_a_wrong_setting(port: int) -> None:
    with pytest.raises(SettingInvalid):
        listen("127.0.0.1", port)


def test_an_address_of_another_machine_is_a_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    with pytest.raises(SettingInvalid, match="cannot listen"):
        listen("elsewhere.example", 0)


def test_a_name_that_nobody_knows_is_a_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    with pytest.raises(SettingInvalid, match="none of this machine"):
        listen("nowhere.invalid", 0)
