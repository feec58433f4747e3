from typing import Any

import pytest

from potok.models.demo.forms import Findings, fill

STRING = {"type": "string"}


def filled(schema: Any, question: str, answer: str = "the answer") -> Any:
    return fill(schema, Findings(question), answer=answer)


def test_what_a_question_says_is_found_in_its_order() -> None:
    schema = {
        "type": "object",
        "properties": {
            "name": STRING,
            "age": {"type": "integer"},
            "height": {"type": "number"},
            "born": {"type": "string", "format": "date"},
            "mail": {"type": "string", "format": "email"},
            "mood": {"type": "string", "enum": ["sad", "happy"]},
        },
    }

    value = filled(schema, 'Note: "Anna" is 41, 1.72 m, born 1985-02-03, happy, a@b.example')

    assert value == {
        "name": "Anna",
        "age": 41,
        "height": 1.72,
        "born": "1985-02-03",
        "mail": "a@b.example",
        "mood": "happy",
    }


def test_the_first_string_that_was_not_found_is_the_answer() -> None:
    schema = {"type": "object", "properties": {"said": STRING, "more": STRING}}

    assert filled(schema, "what is it?") == {"said": "the answer", "more": ""}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"const": 7}, 7),
        ({"enum": ["a", "b"]}, "a"),
        ({"type": "null"}, None),
        ({"type": ["null", "integer"]}, 0),
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": "number", "maximum": -1.5}, -1.5),
        ({"type": "boolean"}, True),
        ({"type": "string", "maxLength": 3}, "the"),
        ({"type": "string", "minLength": 12}, "the answer--"),
        ({"type": "string", "format": "date"}, "1970-01-01"),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [0, 0]),
        ({"type": "array", "items": {"type": "boolean"}, "maxItems": 0}, []),
        ({"anyOf": [{"type": "integer"}, STRING]}, 0),
        ({"type": "object"}, {}),
        ({}, None),
        (True, None),
    ],
)
def test_what_was_not_found_is_the_least_that_is_allowed(schema: Any, value: Any) -> None:
    assert filled(schema, "?") == value


def test_a_no_is_false() -> None:
    assert filled({"type": "boolean"}, "Not today") is False


def test_references_are_followed_and_circles_end() -> None:
    schema = {
        "$ref": "#/$defs/node",
        "$defs": {
            "node": {
                "type": "object",
                "properties": {"size": {"type": "integer"}, "next": {"$ref": "#/$defs/node"}},
            }
        },
    }

    value = filled(schema, "of size 3")

    assert value["size"] == 3
    assert value["next"]["size"] == 0


def test_a_list_takes_all_numbers_that_were_said() -> None:
    schema = {"type": "array", "items": {"type": "integer"}}

    assert filled(schema, "add 1, 2 and 30") == [1, 2, 30]
