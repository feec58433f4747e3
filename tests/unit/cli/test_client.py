import pytest

from potok.cli.client import Server, may_come_back
from potok.errors import ServerRefused, ServerUnreachable, SettingInvalid
from potok.events.kinds import RunEnd, TextDelta
from tests.unit.cli.fake_server import RUN, Script, playing


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
        ("https://example.com/potok/", "https://example.com/potok"),
    ],
)
def test_an_address_is_taken_as_people_write_it(given: str, url: str) -> None:
    assert Server(given).url == url


@pytest.mark.parametrize("given", ["", "ftp://x", "http://", "http://x:99999", "http://x?y=1"])
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(SettingInvalid, match="is no address of a server"):
        Server(given)


def test_a_run_is_started_with_its_key_and_its_parameters() -> None:
    script = Script()
    with playing(script) as url:
        run = Server(url, api_key="secret").start(
            {
                "model": "demo",
                "messages": [{"role": "user", "content": "Hi"}],
                "reasoning_effort": "medium",
            },
            idempotency_key="k",
        )

    assert run == RUN
    assert script.bodies == [
        {
            "model": "demo",
            "messages": [{"role": "user", "content": "Hi"}],
            "reasoning_effort": "medium",
        }
    ]
    assert script.headers[0]["Idempotency-Key"] == "k"
    assert script.headers[0]["Authorization"] == "Bearer secret"


def test_events_come_with_their_offsets_and_their_json() -> None:
    with playing(Script()) as url:
        lines = list(Server(url).read_events(RUN, after="2"))

    assert [line.offset for line in lines] == ["3", "4", "5", "6"]
    assert lines[0].event == TextDelta(part="t", text="Hello")
    assert lines[0].json == b'{"id": "3", "event": "text-delta", "part": "t", "text": "Hello"}'
    assert isinstance(lines[-1].event, RunEnd)


def test_nothing_comes_after_the_end() -> None:
    with playing(Script()) as url:
        assert list(Server(url).read_events(RUN, after="6")) == []


@pytest.mark.parametrize("cut", range(6))
def test_a_stream_that_is_cut_before_its_end_is_no_end(cut: int) -> None:
    seen: list[str] = []
    with playing(Script(cuts=[cut])) as url:
        lines = Server(url).read_events(RUN, after="0")
        with pytest.raises(ServerUnreachable):
            seen.extend(line.offset for line in lines)

    assert seen == [str(offset) for offset in range(1, cut + 1)]


def test_a_refusal_carries_the_servers_words() -> None:
    script = Script(refusals=[(404, "model_not_found", "There is no such model.")])
    with playing(script) as url, pytest.raises(ServerRefused) as caught:
        Server(url).get("/v1/models")

    assert caught.value.message == "There is no such model."
    assert (caught.value.status, caught.value.server_code) == (404, "model_not_found")
    assert not may_come_back(caught.value)


def test_nobody_at_the_address_says_how_to_start_a_server() -> None:
    with playing(Script()) as url:
        pass

    with pytest.raises(ServerUnreachable, match="connection refused") as caught:
        Server(url).get("/healthz")

    assert "potok serve" in caught.value.message
    assert may_come_back(caught.value)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_server_that_is_busy_or_on_its_way_down_may_come_back(status: int) -> None:
    assert may_come_back(ServerRefused("Wait.", status=status, server_code="x"))
