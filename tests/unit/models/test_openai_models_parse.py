import pytest

from potok.models.contract import ModelInfo
from potok.models.openai_models_parse import parse_models


def names(body: bytes, *, models_max: int = 100) -> list[str] | None:
    models = parse_models(body, provider="p", models_max=models_max)
    return None if models is None else [model.name for model in models]


@pytest.mark.parametrize(
    "body",
    [
        b'{"object": "list", "data": [{"id": "a", "object": "model"}, {"id": "b"}]}',
        b'{"models": [{"name": "a", "model": "a:latest"}, {"model": "b"}]}',
        b'[{"id": "a"}, {"id": "b"}]',
        b'{"data": ["a", "b"]}',
        b'{"data": [{"id": "a"}, {"id": "a"}, null, 7, {"id": ""}, {"id": 5}, {"id": "b"}]}',
        b'{"data": [{"id": "a"}, {"id": "b"}, {"id": "%s"}]}' % (b"x" * 201),
    ],
)
def test_lists_of_every_shape_are_read(body: bytes) -> None:
    assert names(body) == ["a", "b"]


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{}", b'{"data": {"id": "a"}}', b'"a"', b"[" * 100_000]
)
def test_what_is_no_list_is_told_from_an_empty_one(body: bytes) -> None:
    assert names(body) is None
    assert names(b'{"data": []}') == []


def test_a_list_ends_at_its_limit() -> None:
    assert names(b'["a", "b", "c"]', models_max=2) == ["a", "b"]


def test_facts_are_kept_where_they_are_usable() -> None:
    body = b"""{"data": [
        {"id": "a", "created": 5, "context_length": 8192},
        {"id": "b", "created": 6.5, "max_model_len": 4096},
        {"id": "c", "created": "now", "context_length": null, "context_window": -1},
        {"id": "d", "created": 1e300}
    ]}"""

    assert parse_models(body, provider="p", models_max=9) == (
        ModelInfo(name="a", provider="p", created=5, context_tokens=8192),
        ModelInfo(name="b", provider="p", created=6, context_tokens=4096),
        ModelInfo(name="c", provider="p"),
        ModelInfo(name="d", provider="p"),
    )


@pytest.mark.parametrize(
    ("entry", "created", "context_tokens"),
    [
        (b'"modified_at": "2023-08-04T08:52:19.385406455-07:00"', 1691164339, None),
        (b'"modified_at": "2023-08-04T15:52:19Z"', 1691164339, None),
        (b'"modified_at": "2023-08-04T15:52:19"', 0, None),
        (b'"modified_at": "yesterday"', 0, None),
        (b'"details": {"context_length": 4096}', 0, 4096),
        (b'"details": null', 0, None),
    ],
)
def test_ollamas_facts_are_kept_too(entry: bytes, created: int, context_tokens: int | None) -> None:
    models = parse_models(b'[{"name": "a", %s}]' % entry, provider="p", models_max=1)

    assert models == (
        ModelInfo(name="a", provider="p", created=created, context_tokens=context_tokens),
    )
