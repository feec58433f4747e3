import base64
import json
import struct

import pytest

from potok.dialects.openai_embeddings import embeddings_body, parse_embedding_request
from potok.errors import RequestInvalid

BODY = {"model": "demo", "input": "one"}


@pytest.mark.parametrize(
    ("given", "inputs"),
    [
        ("one", ("one",)),
        (["one", "two"], ("one", "two")),
        ([1, 2], ((1, 2),)),
        ([[1, 2], [3]], ((1, 2), (3,))),
    ],
)
def test_texts_and_tokens_are_read(given: object, inputs: object) -> None:
    assert parse_embedding_request({**BODY, "input": given}).inputs == inputs


def test_the_models_own_parameters_are_passed_on() -> None:
    request = parse_embedding_request({**BODY, "dimensions": 8, "user": "u", "x": 1})

    assert request.parameters == {"dimensions": 8, "user": "u", "x": 1}


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"model": ""}, "model"),
        ({"input": None}, "input"),
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": ["one", ""]}, "input[1]"),
        ({"input": ["one", 7]}, "input[1]"),
        ({"input": [[1], [-1]]}, "input[1]"),
        ({"input": ["x"] * 2_049}, "input"),
        ({"input": {}}, "input"),
        ({"encoding_format": "hex"}, "encoding_format"),
        ({"dimensions": 0}, "dimensions"),
        ({"dimensions": "8"}, "dimensions"),
    ],
)
def test_a_wrong_field_is_named(wrong: dict[str, object], param: str) -> None:
    with pytest.raises(RequestInvalid) as refusal:
        parse_embedding_request({**BODY, **wrong})

    assert refusal.value.param == param


def test_base64_holds_little_endian_floats() -> None:
    body = embeddings_body([(0.5, -2.0)], model="demo", prompt_tokens=1, is_base64=True)

    packed = base64.b64decode(json.loads(body)["data"][0]["embedding"])
    assert struct.unpack("<2f", packed) == (0.5, -2.0)
