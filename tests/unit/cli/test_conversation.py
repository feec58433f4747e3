import io
import os
import signal
import threading
from collections.abc import Iterator

import pytest

from potok.cli.client import Server
from potok.cli.conversation import Conversation
from potok.cli.terminal import Terminal
from potok.errors import ServerRefused
from potok.testing.fakes import CountingIds
from tests.unit.cli.fake_server import RUN, WAIT_SECONDS_MAX, Script, deltas, playing


class Screen(io.StringIO):
    """An output that tells when certain words stand in it."""

    def __init__(self) -> None:
        super().__init__()
        self.wanted = ""
        self.is_there = threading.Event()

    def write(self, text: str) -> int:
        written = super().write(text)
        if self.wanted and self.wanted in self.getvalue():
            self.is_there.set()
        return written


def conversation(url: str, out: io.StringIO) -> Conversation:
    return Conversation(
        Server(url),
        Terminal(out),
        ids=CountingIds(),
        model="demo",
        parameters={},
        pause=lambda seconds: None,
    )


def pressing_stop_at(screen: Screen, words: str) -> Iterator[threading.Thread]:
    """Press Ctrl-C once the screen shows some words."""
    screen.wanted = words

    def press() -> None:
        if screen.is_there.wait(WAIT_SECONDS_MAX):
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    yield thread
    thread.join()


def test_what_was_said_goes_along_with_the_next_question() -> None:
    script, out = Script(), io.StringIO()
    with playing(script) as url:
        talk = conversation(url, out)
        outcomes = [talk.ask("One"), talk.ask("Two")]

    assert outcomes == ["finished", "finished"]
    assert out.getvalue() == "Hello there\nHello there\n"
    sent = [body["messages"] for body in script.bodies if body]
    assert [message["content"] for message in sent[1]] == ["One", "Hello there", "Two"]


@pytest.mark.parametrize("cut", range(6))
def test_an_answer_that_is_cut_anywhere_is_shown_once(cut: int) -> None:
    out = io.StringIO()
    with playing(Script(cuts=[cut])) as url:
        outcome = conversation(url, out).ask("Hi")

    assert (outcome, out.getvalue()) == ("finished", "Hello there\n")


def test_a_start_whose_answer_got_lost_is_sent_again_with_the_same_key() -> None:
    script, out = Script(refusals=[(503, "server_draining", "Shutting down.")]), io.StringIO()
    with playing(script) as url:
        conversation(url, out).ask("Hi")

    keys = {sent["Idempotency-Key"] for sent in script.headers if "Idempotency-Key" in sent}
    assert [path for _, path in script.requests].count("/api/runs") == 2
    assert len(keys) == 1


def test_the_first_stop_ends_the_run_and_keeps_its_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    script = Script(events=deltas("Hello", " there", " again"), waits_after=4)
    screen = Screen()
    with playing(script) as url:
        talk = conversation(url, screen)
        for _ in pressing_stop_at(screen, "Hello there"):
            outcome = talk.ask("Hi")

    assert outcome == "cancelled"
    assert ("POST", f"/api/runs/{RUN}/cancel") in script.requests
    assert screen.getvalue() == "Hello there\n"
    assert talk.messages[-1] == {"role": "assistant", "content": "Hello there"}
    assert "was stopped" in capsys.readouterr().err


def test_the_next_question_can_be_stopped_too() -> None:
    script = Script(events=deltas("Hello", " there", " again"), waits_after=4)
    screen = Screen()
    with playing(script) as url:
        talk = conversation(url, screen)
        outcomes = []
        for words in ("Hello there", "Hello there\nHello there"):
            screen.is_there.clear()
            script.cancelled.clear()
            for _ in pressing_stop_at(screen, words):
                outcomes.append(talk.ask("Hi"))

    assert outcomes == ["cancelled", "cancelled"]


def test_the_second_stop_leaves_an_answer_that_does_not_end() -> None:
    script = Script(events=deltas("Hello", " there", " again"), waits_after=4, hears_cancel=False)
    screen = Screen()
    with playing(script) as url:
        talk = conversation(url, screen)

        def press_again() -> None:
            if script.cancel_came.wait(WAIT_SECONDS_MAX):
                os.kill(os.getpid(), signal.SIGINT)

        again = threading.Thread(target=press_again)
        again.start()
        for _ in pressing_stop_at(screen, "Hello there"):
            with pytest.raises(KeyboardInterrupt):
                talk.ask("Hi")
        again.join()

    assert talk.messages[-1] == {"role": "assistant", "content": "Hello there"}


def test_after_an_answer_the_stop_key_is_what_it_was_before() -> None:
    before = signal.getsignal(signal.SIGINT)
    with playing(Script()) as url:
        conversation(url, io.StringIO()).ask("Hi")

    assert signal.getsignal(signal.SIGINT) is before


def test_a_failed_answer_without_a_word_leaves_no_trace(
    capsys: pytest.CaptureFixture[str],
) -> None:
    end = {"event": "run-end", "outcome": "failed", "code": "x", "message": "The provider left."}
    with playing(Script(events=[*deltas()[:1], end])) as url:
        talk = conversation(url, io.StringIO())
        outcome = talk.ask("Hi")

    assert (outcome, talk.messages) == ("failed", [])
    assert "The provider left." in capsys.readouterr().err


def test_a_refused_question_is_not_part_of_the_conversation() -> None:
    script = Script(refusals=[(404, "model_not_found", "There is no such model.")])
    with playing(script) as url:
        talk = conversation(url, io.StringIO())
        with pytest.raises(ServerRefused, match="no such model"):
            talk.ask("Hi")

    assert talk.messages == []


def test_an_answer_that_reached_its_limit_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    events = deltas("Hello")
    events[-1]["finish_reason"] = "length"
    with playing(Script(events=events)) as url:
        conversation(url, io.StringIO()).ask("Hi")

    assert "limit of tokens" in capsys.readouterr().err
