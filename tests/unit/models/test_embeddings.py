import pytest

from potok.models.embeddings import Embeddings, parse_embeddings


def test_vectors_come_in_the_order_of_their_index() -> None:
    body = (
        b'{"data": [{"index": 1, "embedding": [2, 3.5]}, {"index": 0, "embedding": [1, 0]}],'
        b' "usage": {"prompt_tokens": 7}}'
    )

    assert parse_embeddings(body, count=2) == Embeddings(((1.0, 0.0), (2.0, 3.5)), 7)


def test_a_reply_without_usage_counts_nothing() -> None:
    made = parse_embeddings(b'{"data": [{"index": 0, "embedding": [1]}]}', count=1)

    assert made == Embeddings(((1.0,),), 0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"data": 7}',
        b'{"data": []}',
        b'{"data": [{"index": 1, "embedding": [1]}]}',
        b'{"data": [{"index": 0, "embedding": []}]}',
        b'{"data": [{"index": 0, "embedding": ["a"]}]}',
        b'{"data": [{"index": 0, "embedding": "AAAA"}]}',
        b'{"data": [{"index": 0, "embedding": [1]}], "usage": {"prompt_tokens": "7"}}',
        b'{"data": [{"index": 0, "embedding": [1]}], "usage": []}'.replace(b"[]}", b"3}"),
    ],
)
def test_what_is_no_list_of_vectors_is_none(body: bytes) -> None:
    assert parse_embeddings(body, count=1) is None
