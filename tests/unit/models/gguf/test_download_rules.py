"""What a server's reply means for a download that may have begun before."""

from typing import Any

import pytest

from potok.models.gguf.download_rules import Begun, Verdict, checksum_of, range_headers, weigh

BEGUN = Begun(url="https://x.example/m.gguf", etag='"v1"', size_bytes=100)


def verdict(
    status: int, have: int = 40, asked: int = 40, begun: Begun = BEGUN, **headers: str
) -> Verdict:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return weigh(begun, status=status, headers=named, have_bytes=have, asked_bytes=asked)


def test_the_rest_is_asked_for_only_of_the_very_same_bytes() -> None:
    assert range_headers(BEGUN, have_bytes=40) == {"Range": "bytes=40-", "If-Range": '"v1"'}
    assert range_headers(BEGUN, have_bytes=0) == {}
    assert range_headers(Begun(url="u"), have_bytes=40) == {}
    assert range_headers(Begun(url="u", sha256="0" * 64), have_bytes=40) == {"Range": "bytes=40-"}


def test_a_rest_is_written_behind_what_is_there() -> None:
    found = verdict(206, content_range="bytes 40-99/100", etag='"v1"')

    assert (found.kind, found.offset, found.size_bytes, found.etag) == ("write", 40, 100, '"v1"')


def test_a_server_without_ranges_begins_anew() -> None:
    found = verdict(200, content_length="100", etag='"v2"')

    assert (found.kind, found.offset, found.size_bytes, found.etag) == ("write", 0, 100, '"v2"')


def test_a_weak_name_of_bytes_is_none() -> None:
    assert verdict(200, content_length="100", etag='W/"v1"').etag is None


@pytest.mark.parametrize(
    "headers",
    [
        {"content_range": "bytes 0-99/100"},
        {"content_range": "bytes 41-99/100"},
        {"content_range": "bytes */100"},
        {"content_range": "40-99"},
        {},
    ],
)
def test_another_part_than_was_asked_for_is_wrong(headers: dict[str, Any]) -> None:
    assert verdict(206, **headers).kind == "wrong"


def test_a_rest_of_other_bytes_is_never_joined() -> None:
    assert verdict(206, content_range="bytes 40-99/100", etag='"v2"').kind == "again"
    assert verdict(206, content_range="bytes 40-119/120", etag='"v1"').kind == "again"


def test_nothing_more_may_mean_that_all_is_there() -> None:
    assert verdict(416, have=100, asked=100, content_range="bytes */100").kind == "done"
    assert verdict(416, have=140, asked=140, content_range="bytes */100").kind == "again"
    assert verdict(416, have=100, asked=100, begun=Begun(url="u")).kind == "again"


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_may_pass_is_tried_again(status: int) -> None:
    assert verdict(status).kind == "again"


@pytest.mark.parametrize(
    ("status", "words"), [(404, "no such file"), (401, "HF_TOKEN"), (403, "terms"), (418, "418")]
)
def test_what_will_not_pass_is_said(status: int, words: str) -> None:
    found = verdict(status)

    assert found.kind == "wrong"
    assert words in found.fault


def test_a_hubs_checksum_is_taken_if_it_is_one() -> None:
    assert checksum_of({"x-linked-etag": f'"{"AB" * 32}"'}) == "ab" * 32
    assert checksum_of({"x-linked-etag": '"abc"'}) is None
    assert checksum_of({}) is None
