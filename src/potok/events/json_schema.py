"""JSON that a request wants for its answer: schemas are checked, and texts against them. Pure.

A schema is a stranger's: it is never fetched from anywhere, and what it may cost is bounded before
it is used.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec

from potok.errors import RequestInvalid
from potok.events.run_request import JsonObject
from potok.limits import (
    JSON_DEPTH_MAX,
    JSON_FAULT_CHARACTERS_MAX,
    JSON_FAULTS_MAX,
    JSON_SCHEMA_BYTES_MAX,
    JSON_SCHEMA_PLACES_MAX,
)

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError, Validator

__all__ = ["JsonWish", "check_schema", "wish_of"]

Json = Any

_encode = msgspec.json.Encoder().encode
_MASK = "the value"
# Keywords whose value is a schema, a list of schemas, or schemas by name.
_ONE = (
    *("not", "if", "then", "else", "contains", "propertyNames", "additionalProperties"),
    *("unevaluatedItems", "unevaluatedProperties", "additionalItems", "items"),
)
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
_NAMED = ("properties", "patternProperties", "dependentSchemas", "dependencies")
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


class JsonWish(msgspec.Struct, frozen=True):
    """What an answer has to be: a JSON object, or any JSON that fits `schema`."""

    schema: JsonObject | None = None

    @property
    def kind(self) -> str:
        """The `type` of the wish in a request."""
        return "json_object" if self.schema is None else "json_schema"

    def find(self, text: str) -> str:
        """Return the JSON in a text, without the words or the fence that stand around it."""
        bare = text.strip()
        if _decoded(bare) is not None:
            return bare
        found = [at for at in (bare.find("{"), bare.find("[")) if at >= 0]
        start, end = min(found, default=0), max(bare.rfind("}"), bare.rfind("]")) + 1
        inner = bare[start:end]
        return inner if _decoded(inner) is not None else bare

    def faults(self, text: str) -> tuple[str, ...]:
        """Return what is wrong with a text, a sentence each; empty if it is as it was wished.

        The sentences quote names of fields, no values.
        """
        if not text:
            return ("There is no text.",)
        decoded = _decoded(text)
        if decoded is None:
            return ("The text is not valid JSON.",)
        value = decoded[0]
        if _depth_of(value) > JSON_DEPTH_MAX:
            return (f"It is nested deeper than {JSON_DEPTH_MAX} levels.",)
        if self.schema is None:
            return () if isinstance(value, dict) else ("The JSON is not an object.",)
        return _sentences(_compile(self.schema, mask=_MASK).iter_errors(value))


def wish_of(parameters: JsonObject) -> JsonWish | None:
    """Return what a request's checked `response_format` wants; None for any text."""
    form = parameters.get("response_format")
    kind = form.get("type") if isinstance(form, dict) else None
    if kind == "json_object":
        return JsonWish()
    named = form.get("json_schema") if isinstance(form, dict) and kind == "json_schema" else None
    schema = named.get("schema") if isinstance(named, dict) else None
    return JsonWish(schema=schema) if isinstance(schema, dict) else None


def check_schema(schema: JsonObject, *, param: str) -> None:
    """Check that a schema is one, and within bounds.

    Raises:
        RequestInvalid: it is not; the sentence says where.
    """
    if len(_encode(schema)) > JSON_SCHEMA_BYTES_MAX:
        raise RequestInvalid(
            f"`{param}` is a schema of more than {JSON_SCHEMA_BYTES_MAX} bytes.", param=param
        )
    other = _other_document(schema)
    if other is not None:
        raise RequestInvalid(
            f"`{param}` names another schema, {_shortened(other)!r}. Put what that says into"
            " `$defs`.",
            param=param,
        )
    if _count_places(schema) > JSON_SCHEMA_PLACES_MAX:
        raise RequestInvalid(
            f"`{param}` says the same in more than {JSON_SCHEMA_PLACES_MAX} places, counting what"
            " its `$ref`s lead to. Make it simpler.",
            param=param,
        )
    try:
        _compile(schema)
    except ValueError as error:
        where = "".join(f"[{step!r}]" for step in getattr(error, "instance_path", ()))
        why = _shortened(str(error).partition("\n")[0])
        raise RequestInvalid(
            f"`{param}` is no valid JSON schema{' at ' + where if where else ''}: {why}.",
            param=param,
        ) from error


def _compile(schema: JsonObject, *, mask: str | None = None) -> "Validator":
    # Large, and most servers never need it.
    from jsonschema_rs import validator_for

    return validator_for(schema, mask=mask, offline=True)


def _decoded(text: str) -> tuple[Json] | None:
    try:
        return (msgspec.json.decode(text),)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return None


def _depth_of(value: Json) -> int:
    # Level by level: an answer of strange depth must not use up the stack.
    depth, level = 0, [value]
    while level and depth <= JSON_DEPTH_MAX:
        inner: list[Json] = []
        for one in level:
            if isinstance(one, dict):
                inner.extend(one.values())
            elif isinstance(one, list):
                inner.extend(one)
        depth, level = depth + 1, inner
    return depth


def _sentences(errors: "Iterable[ValidationError]") -> tuple[str, ...]:
    said: list[str] = []
    for error in errors:
        place = "$" + "".join(
            f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path
        )
        said.append(_shortened(f"At {place}: {error.message}") + ".")
        if len(said) == JSON_FAULTS_MAX:
            break
    return tuple(said)


def _shortened(text: str) -> str:
    return text.rstrip(".")[:JSON_FAULT_CHARACTERS_MAX]


def _count_places(schema: JsonObject) -> int:
    """Count the schemas that a check may walk through; a `$ref` in a circle counts once.

    References double what they lead to wherever two of them stand side by side, so that a schema
    of a few lines could keep a core busy for ever.
    """
    try:
        return _Places(schema).count
    except RecursionError:
        return JSON_SCHEMA_PLACES_MAX + 1


class _Places:
    """Walks a schema as a check would; stops soon after the bound."""

    def __init__(self, root: JsonObject) -> None:
        self.count = 0
        self._root = root
        self._anchors: dict[str, Json] = {}
        self._note_anchors(root)
        self._walk(root, ())

    def _note_anchors(self, value: Json) -> None:
        if isinstance(value, dict):
            for keyword in ("$anchor", "$dynamicAnchor"):
                if isinstance(value.get(keyword), str):
                    self._anchors[f"#{value[keyword]}"] = value
        inner = value.values() if isinstance(value, dict) else value
        for one in inner if isinstance(value, dict | list) else ():
            self._note_anchors(one)

    def _walk(self, value: Json, way: tuple[str, ...]) -> None:
        self.count += 1
        if not isinstance(value, dict) or self.count > JSON_SCHEMA_PLACES_MAX:
            return
        for inner in _schemas_in(value):
            self._walk(inner, way)
        for keyword in _REFERENCES:
            pointer = value.get(keyword)
            if isinstance(pointer, str) and pointer not in way:
                self._walk(self._target_of(pointer), (*way, pointer))

    def _target_of(self, pointer: str) -> Json:
        # In a fragment of an address, so letters may be escaped (RFC 6901 6).
        pointer = unquote(pointer)
        if pointer in self._anchors:
            return self._anchors[pointer]
        found: Json = self._root
        for step in pointer.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict):
                found = found.get(name)
            elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
                found = found[int(name)]
        return found


def _schemas_in(value: JsonObject) -> Iterable[Json]:
    for keyword in _ONE:
        if isinstance(value.get(keyword), dict):
            yield value[keyword]
    for keyword in _LISTS:
        if isinstance(value.get(keyword), list):
            yield from value[keyword]
    for keyword in _NAMED:
        if isinstance(value.get(keyword), dict):
            yield from value[keyword].values()


def _other_document(value: Json, *, is_root: bool = True) -> str | None:
    """Return what in a schema needs another document, or makes itself one."""
    if isinstance(value, list):
        found = (_other_document(one, is_root=False) for one in value)
        return next((one for one in found if one), None)
    if not isinstance(value, dict):
        return None
    own_name = value.get("$id")
    if not is_root and isinstance(own_name, str):
        return own_name
    for keyword in _REFERENCES:
        pointer = value.get(keyword)
        if isinstance(pointer, str) and not pointer.startswith("#"):
            return pointer
    found = (_other_document(one, is_root=False) for one in value.values())
    return next((one for one in found if one), None)
