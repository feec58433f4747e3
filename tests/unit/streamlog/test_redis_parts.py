"""What the Redis log decides without a Redis: keys, pages, records, scripts, what it remembers."""

import re
from typing import Any

import pytest
from msgspec.structs import replace

from potok.clock import RunId
from potok.errors import LogLost, OffsetExpired, OffsetInvalid, RedisUnusable, RunNotFound
from potok.events.envelope import Offset
from potok.events.kinds import TextDelta
from potok.streamlog import redis_known
from potok.streamlog.contract import Batch
from potok.streamlog.redis_connections import Address
from potok.streamlog.redis_known import KnownTails
from potok.streamlog.redis_pages import chunk_lines, page_of
from potok.streamlog.redis_parts import lifetimes_of
from potok.streamlog.redis_records import (
    FIELDS,
    cancels_key,
    claim_key,
    encode_attempt,
    events_key,
    fields_of,
    made_by_key,
    new_record,
    principal_key,
    record_key,
    record_of,
)
from potok.streamlog.redis_scripts import all_scripts, script, script_call
from potok.streamlog.rules import encode_lines
from potok.testing.fakes import CountingIds
from potok.testing.streamlog_base import attempt, new_run, texts

RUN = RunId("run-00000000000000000001")
TAG = re.compile(r"\{([^}]+)\}")


def entry(first: int, *pieces: str) -> list[Any]:
    lines = encode_lines(Batch(RUN, 1, texts(*pieces)))
    body = chunk_lines(lines)
    fields = [b"e", b"1", b"n", str(len(lines)).encode(), b"a", b"5.5", b"b", body]
    return [f"{first}-0".encode(), fields]


def reply(tail: int, *entries: list[Any], **more: Any) -> list[Any]:
    answer = {"first": 1, "status": b"", "lost": b"", "gone": 0, **more}
    return [b"ok", tail, *answer.values(), list(entries)]


def texts_of_page(answer: list[Any], after: int, events_max: int = 9) -> list[str]:
    page = page_of(RUN, answer, after=Offset(after), events_max=events_max)
    return [one.event.text for one in page.events if isinstance(one.event, TextDelta)]


def test_a_page_begins_and_ends_within_chunks() -> None:
    answer = reply(5, entry(1, "a", "b"), entry(3, "c", "d", "e"))

    assert texts_of_page(answer, 1, 3) == ["b", "c", "d"]


def test_a_page_says_whether_the_run_ended_there() -> None:
    answer = reply(2, entry(1, "a", "b"), status=b"finished")

    assert page_of(RUN, answer, after=Offset(0), events_max=9).ended
    assert not page_of(RUN, answer, after=Offset(0), events_max=1).ended
    assert page_of(RUN, reply(2, status=b"failed"), after=Offset(2), events_max=1).ended


@pytest.mark.parametrize(
    "answer",
    [
        reply(3),
        reply(3, entry(2, "b", "c")),
        reply(3, entry(1, "a"), entry(3, "c")),
        reply(3, entry(1, "a", "b", "c"), lost=b"1"),
    ],
    ids=["no chunk", "no first chunk", "a hole", "marked"],
)
def test_events_that_are_not_there_are_lost(answer: list[Any]) -> None:
    with pytest.raises(LogLost):
        page_of(RUN, answer, after=Offset(0), events_max=9)


def test_other_refusals_are_told_apart() -> None:
    with pytest.raises(RunNotFound):
        page_of(RUN, [b"missing"], after=Offset(0), events_max=9)
    with pytest.raises(OffsetInvalid):
        page_of(RUN, reply(3), after=Offset(4), events_max=9)
    with pytest.raises(OffsetExpired):
        page_of(RUN, reply(3, first=4), after=Offset(0), events_max=9)
    with pytest.raises(OffsetExpired):
        page_of(RUN, reply(3, status=b"finished", gone=1), after=Offset(0), events_max=9)


def test_keys_of_one_script_have_one_tag_and_other_people_s_texts_none() -> None:
    own = {TAG.findall(key)[0] for key in (record_key(RUN), events_key(RUN))}
    workers = {TAG.findall(key)[0] for key in (made_by_key("w"), cancels_key("w"))}
    hostile = [principal_key("a}{b\r\n", "runs"), claim_key("a}", "{\ud83d"), claim_key("", "a}")]

    assert (own, workers) == ({RUN}, {"workers"})
    assert all(re.fullmatch(r"potok:\{[pk]:[0-9a-f]{40}\}:\w+", key) for key in hostile)
    assert claim_key("ab", "c") != claim_key("a", "bc")


def test_a_record_comes_back_from_its_fields() -> None:
    new = new_run(CountingIds(), key="k")
    record = new_record(new, at=5.5)
    stored = dict(zip(*[iter(map(as_bytes, fields_of(new)))] * 2, strict=True))
    stored |= {b"created": b"5.5", b"at": b"5.5", b"epoch": b"1", b"worker": b"worker-1"}
    stored |= {b"tail": b"0", b"first": b"1", b"status": b""}
    row = [stored.get(name.encode()) for name in FIELDS]

    assert record_of(row) == record
    stored |= {b"attempts": encode_attempt(attempt(1)) + b"\n", b"cancel": b"1", b"keep": b"1"}
    stored |= {b"tail": b"2", b"status": b"failed", b"ended": b"7"}
    assert record_of([stored.get(name.encode()) for name in FIELDS], snapshot=b"{}") == replace(
        record,
        attempts=(attempt(1),),
        cancel_requested=True,
        tail=Offset(2),
        status="failed",
        ended_at=7.0,
        snapshot=b"{}",
    )
    assert record_of([None] * len(FIELDS)) is None


def as_bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def test_every_script_says_how_it_may_be_run_and_what_it_takes() -> None:
    scripts = all_scripts()

    assert len(scripts) > 10
    for one in scripts:
        assert one.source.startswith("#!lua")
        assert "KEYS:" in one.source
        assert one.source.count("local function now(") == 1
    assert script_call("renew", ("a", "b"), 1) == ("EVALSHA", script("renew").sha, 2, "a", "b", 1)


@pytest.mark.parametrize("url", ["http://host", "redis", ""])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(RedisUnusable):
        Address(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://user:secret@host:6380/2", "host:6380/2"),
        ("rediss://host", "host:6379/0"),
        ("unix:///run/redis.sock", "/run/redis.sock/0"),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, shown: str) -> None:
    assert Address(url).shown == shown
    assert Address(url).connection().socket_timeout is None


def test_records_outlive_events_and_both_outlive_retention() -> None:
    lifetimes = lifetimes_of(3600.0, 7200.0)

    assert lifetimes.record_ms > 7_200_000
    assert lifetimes.record_ms > lifetimes.events_ms > 3_600_000


def test_a_known_tail_never_falls_and_is_forgotten_with_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(redis_known, "REDIS_KNOWN_RUNS_MAX", 2)
    known = KnownTails()
    known.saw("a", 5, is_live=True)
    known.saw("a", 3, is_live=True)
    highest = known.get("a")
    known.saw("b", 1, is_live=True)
    known.saw("c", 1, is_live=True)
    oldest = known.get("a")
    known.saw("b", 9, is_live=False)

    assert (highest, oldest, known.get("b"), known.get("c")) == (5, None, None, 1)
