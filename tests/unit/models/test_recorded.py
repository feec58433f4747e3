"""Every reply in `tests/recorded` means what the file beside it says, wherever its bytes are cut.

`potok.models` is asked nothing else here: a new reply is a `.chunks` file and its `.events.json`.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from potok.errors import PeerError, UpstreamLost, UpstreamMalformed, UpstreamRefused
from potok.events.json_form import encode_event
from potok.models.answer import ReplyParser
from potok.models.ollama_parse import OllamaParser
from potok.models.openai_chat_parse import OpenAiChatParser
from potok.models.openai_errors import Refusals
from tests.unit.models.replies import Outcome, assert_cuts_change_nothing, fold, parse_all

RECORDED = Path(__file__).parents[2] / "recorded"
REPLIES = sorted(RECORDED.glob("*/*.chunks"))
each_reply = pytest.mark.parametrize(
    "reply", REPLIES, ids=[f"{path.parent.name}/{path.stem}" for path in REPLIES]
)

PROVIDERS = {
    *("azure", "deepseek", "gemini", "groq", "llama-cpp", "mistral", "ollama", "ollama-openai"),
    *("openai", "openrouter", "proxies", "vllm"),
}


class Meaning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a reply says: its events, and the fault that ends it, if any."""

    events: list[dict[str, Any]]
    fault: dict[str, Any] | None = None
    choices: int = 1


def meaning_of(reply: Path) -> Meaning:
    return msgspec.json.decode(reply.with_suffix(".events.json").read_bytes(), type=Meaning)


def new_parser(reply: Path) -> ReplyParser:
    refusals = Refusals(provider="test")
    if reply.parent.name == "ollama":
        return OllamaParser(refusals=refusals)
    return OpenAiChatParser(refusals=refusals, choices=meaning_of(reply).choices)


def parse(reply: Path, *chunks: bytes) -> Outcome:
    return parse_all(new_parser(reply), *chunks)


def told(outcome: Outcome) -> list[dict[str, Any]]:
    return [json.loads(encode_event(event)) for event in outcome.events]


def facts_of(fault: PeerError | None) -> dict[str, Any] | None:
    if not isinstance(fault, UpstreamRefused):
        return None if fault is None else {"code": fault.code, "message": fault.message}
    return {"code": fault.code, "message": fault.message, "status": fault.status}


def test_every_provider_has_replies_and_every_reply_its_meaning() -> None:
    meanings = {path.name.removesuffix(".events.json") for path in RECORDED.glob("*/*.json")}

    assert {path.parent.name for path in REPLIES} == PROVIDERS
    assert meanings == {path.stem for path in REPLIES}


def test_what_is_special_about_each_reply_is_written_down() -> None:
    readme = (RECORDED / "README.md").read_text(encoding="utf-8")

    for reply in REPLIES:
        assert f"| `{reply.parent.name}/{reply.stem}` |" in readme


@each_reply
def test_a_reply_means_what_its_file_says(reply: Path) -> None:
    outcome = parse(reply, reply.read_bytes())

    meaning = meaning_of(reply)
    assert told(outcome) == meaning.events
    assert facts_of(outcome.fault) == meaning.fault
    assert outcome.is_done is (outcome.fault is None)
    assert fold(outcome.events).parts


@each_reply
def test_events_do_not_depend_on_where_the_bytes_were_cut(reply: Path) -> None:
    assert_cuts_change_nothing(lambda *chunks: parse(reply, *chunks), reply.read_bytes())


@pytest.mark.parametrize(
    "reply",
    [path for path in REPLIES if meaning_of(path).fault is None],
    ids=lambda path: f"{path.parent.name}/{path.stem}",
)
def test_a_reply_that_breaks_off_anywhere_is_lost_unless_its_answer_was_whole(reply: Path) -> None:
    meaning, stream = meaning_of(reply), reply.read_bytes().rstrip()
    ways = (UpstreamLost, UpstreamMalformed) if stream.startswith(b"{") else (UpstreamLost,)

    for cut in range(1, len(stream)):
        outcome = parse(reply, stream[:cut])
        if outcome.fault is not None:
            assert isinstance(outcome.fault, ways)
            assert told(outcome) == meaning.events[: len(outcome.events)]
        else:
            # Only what stands beside the answer may be missing: its counts.
            without = [event for event in meaning.events if event["event"] != "usage"]
            assert [one for one in told(outcome) if one["event"] != "usage"] == without
