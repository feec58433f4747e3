from typing import Any

import pytest

from potok.errors import RequestInvalid
from potok.events.json_schema import JsonWish, check_schema, wish_of
from potok.limits import JSON_DEPTH_MAX, JSON_FAULTS_MAX

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


def doubled(levels: int, *, by_anchor: bool = False, letter: str = "a") -> dict[str, Any]:
    """A schema of a few lines whose check takes two to the power of `levels` steps.

    `letter` is how references write the letter a.
    """

    def reference(level: int) -> dict[str, str]:
        return {"$ref": f"#{letter}{level}" if by_anchor else f"#/$defs/{letter}{level}"}

    named: dict[str, Any] = {
        f"a{level}": {"allOf": [reference(level + 1), reference(level + 1)]}
        for level in range(levels)
    }
    named[f"a{levels}"] = {"type": "string"}
    if by_anchor:
        named = {name: {**schema, "$anchor": name} for name, schema in named.items()}
    return {**reference(0), "$defs": named}


@pytest.mark.parametrize(
    ("form", "wish"),
    [
        (None, None),
        ({"type": "text"}, None),
        ({"type": "grammar"}, None),
        ({"type": "json_object"}, JsonWish()),
        (
            {"type": "json_schema", "json_schema": {"name": "p", "schema": PERSON}},
            JsonWish(schema=PERSON),
        ),
    ],
)
def test_a_request_says_what_its_answer_has_to_be(form: Any, wish: JsonWish | None) -> None:
    assert wish_of({"response_format": form}) == wish


@pytest.mark.parametrize(
    "text",
    [
        '{"name":"Ada","age":36}',
        '  {"name":"Ada","age":36}\n',
        '```json\n{"name":"Ada","age":36}\n```',
        'Here it is:\n\n{"name":"Ada","age":36}\n\nAnything else?',
    ],
)
def test_the_json_in_a_text_is_found_without_what_stands_around_it(text: str) -> None:
    wish = JsonWish(schema=PERSON)

    found = wish.find(text)

    assert found == '{"name":"Ada","age":36}'
    assert wish.faults(found) == ()


@pytest.mark.parametrize("text", ["", "No.", '{"name":', "{]", '{"a": NaN}', "{a} and {b}"])
def test_a_text_without_json_is_left_as_it_is(text: str) -> None:
    wish = JsonWish()

    assert wish.find(text) == text
    assert len(wish.faults(text)) == 1


def test_faults_name_places_and_never_what_stands_there() -> None:
    faults = JsonWish(schema=PERSON).faults('{"name":"secret","age":"secret"}')

    assert faults == ('At $.age: the value is not of type "integer".',)
    assert JsonWish().faults("[1]") == ("The JSON is not an object.",)


def test_only_so_many_faults_are_told() -> None:
    wish = JsonWish(schema={"items": {"type": "string"}})

    assert len(wish.faults(str(list(range(50))))) == JSON_FAULTS_MAX


def test_json_that_is_nested_too_deeply_is_a_fault() -> None:
    deep = "[" * JSON_DEPTH_MAX + "]" * JSON_DEPTH_MAX

    assert JsonWish(schema={}).faults(deep) == ()
    assert "deeper" in JsonWish(schema={}).faults(f"[{deep}]")[0]


@pytest.mark.parametrize(
    "schema",
    [
        {},
        PERSON,
        {"$schema": "http://json-schema.org/draft-07/schema#", "type": "string"},
        {"$ref": "#/$defs/node", "$defs": {"node": {"items": {"$ref": "#/$defs/node"}}}},
        {"properties": {"$id": {"type": "string"}, "$ref": {"type": "string"}}},
        doubled(8, by_anchor=True),
    ],
)
def test_schemas_as_clients_send_them_are_taken(schema: dict[str, Any]) -> None:
    check_schema(schema, param="schema")


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "objekt"},
        {"type": "OBJECT"},
        {"properties": {"a": {"properties": []}}},
        {"required": "name"},
        {"pattern": "("},
        {"$ref": "#/$defs/nothing"},
        {"$ref": "http://127.0.0.1:1/schema.json"},
        {"properties": {"a": {"$id": "http://127.0.0.1:1/a"}}},
        {"$schema": "http://127.0.0.1:1/meta"},
        {"enum": ["x" * 300_000]},
        doubled(40),
        doubled(40, letter="%61"),
        doubled(40, by_anchor=True),
    ],
    ids=str,
)
def test_what_is_no_schema_or_costs_too_much_is_refused_by_its_name(schema: dict[str, Any]) -> None:
    with pytest.raises(RequestInvalid) as refusal:
        check_schema(schema, param="here.schema")

    assert refusal.value.param == "here.schema"
    assert "`here.schema`" in refusal.value.message
    assert len(refusal.value.message) < 500
