"""Fills JSON schemas with what a question says: pure, always valid for what it understands.

It is no understanding: numbers, quoted words, names and the words of an `enum` are found in the
question, in their order; whatever is not there gets the smallest value that the schema allows.
"""

import re
from typing import Any

from potok.limits import DEMO_FORM_DEPTH_MAX, DEMO_FORM_ITEMS_MAX

__all__ = ["Findings", "fill"]

Json = dict[str, Any]

_QUOTED = re.compile(r"[\"“«`']([^\"”»`']{1,200})[\"”»`']")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w])")
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_MAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")
_NAME = re.compile(r"(?<![.!?] )(?<!^)\b[A-ZА-ЯЁ][\w-]+(?: [A-ZА-ЯЁ][\w-]+)*")
_FORMATS = {"date": "1970-01-01", "date-time": "1970-01-01T00:00:00Z", "email": "a@example.com"}
_NO = re.compile(r"\b(?:no|not|never|without|false|off|не|нет|без|никогда)\b", re.IGNORECASE)


class Findings:
    """What was found in a text; each value is given out once."""

    def __init__(self, text: str) -> None:
        # A lone half of a surrogate pair could never be sent on, so it is replaced here.
        text = text.encode("utf-8", "replace").decode()
        self.text = text
        dates, mails = _DATE.findall(text), _MAIL.findall(text)
        without = _DATE.sub(" ", _MAIL.sub(" ", text))
        self.numbers = [float(found) for found in _NUMBER.findall(without)]
        self.words = [*_QUOTED.findall(text), *_NAME.findall(_QUOTED.sub(" ", without))]
        self.formats: dict[str, list[str]] = {"date": dates, "email": mails}
        self.says_no = bool(_NO.search(text))


def fill(schema: object, findings: Findings, *, answer: str, root: object = None) -> Any:
    """Return a value for a JSON schema.

    Args:
        answer: The first string that nothing was found for: what the model would have said.
        root: The whole schema, which `$ref`s point into; the schema itself by default.
    """
    return _Filler(findings, answer, schema if root is None else root).value(schema, depth=0)


class _Filler:
    def __init__(self, findings: Findings, answer: str, root: object) -> None:
        self._findings = findings
        self._answer = answer
        self._root = root

    def value(self, schema: object, *, depth: int) -> Any:
        """Return a value for a part of the schema."""
        schema = self._resolved(schema)
        if not isinstance(schema, dict) or depth > DEMO_FORM_DEPTH_MAX:
            return None
        if "const" in schema:
            return schema["const"]
        if isinstance(options := schema.get("enum"), list) and options:
            return self._mentioned(options)
        for name in ("anyOf", "oneOf", "allOf"):
            if isinstance(branches := schema.get(name), list) and branches:
                return self.value(branches[0], depth=depth + 1)
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((one for one in kind if one != "null"), "null")
        if kind == "object" or "properties" in schema:
            return self._object(schema, depth)
        match kind:
            case "array":
                return self._array(schema, depth)
            case "integer" | "number":
                return self._number(schema, is_whole=kind == "integer")
            case "boolean":
                return not self._findings.says_no
            case "string":
                return self._string(schema)
        return None

    def _resolved(self, schema: object) -> object:
        for _ in range(DEMO_FORM_DEPTH_MAX):
            if not isinstance(schema, dict) or not isinstance(schema.get("$ref"), str):
                break
            found: Any = self._root
            for step in schema["$ref"].removeprefix("#").strip("/").split("/"):
                if step:
                    found = found.get(step) if isinstance(found, dict) else None
            schema = found
        return schema

    def _mentioned(self, options: list[Any]) -> Any:
        said = self._findings.text.lower()
        return next((one for one in options if str(one).lower() in said), options[0])

    def _object(self, schema: Json, depth: int) -> Json:
        properties = schema.get("properties")
        if not isinstance(properties, dict):
            return {}
        return {name: self.value(one, depth=depth + 1) for name, one in properties.items()}

    def _array(self, schema: Json, depth: int) -> list[Any]:
        found = self._findings
        low = _bound(schema, "minItems", 0)
        high = _bound(schema, "maxItems", DEMO_FORM_ITEMS_MAX)
        items = self._resolved(schema.get("items", {}))
        kind = items.get("type") if isinstance(items, dict) else None
        there = {"string": len(found.words), "integer": len(found.numbers)}
        count = max(low, min(high, there.get(str(kind), 1) or 1, DEMO_FORM_ITEMS_MAX))
        return [self.value(items, depth=depth + 1) for _ in range(count)]

    def _number(self, schema: Json, *, is_whole: bool) -> float | int:
        found = self._findings.numbers
        value = found.pop(0) if found else 0.0
        low, high = schema.get("minimum"), schema.get("maximum")
        if isinstance(low, int | float):
            value = max(value, low)
        if isinstance(high, int | float):
            value = min(value, high)
        return int(value) if is_whole or value == int(value) else value

    def _string(self, schema: Json) -> str:
        form = schema.get("format")
        if isinstance(form, str) and form in _FORMATS:
            there = self._findings.formats.get(form, [])
            return str(there.pop(0)) if there else _FORMATS[form]
        text: str
        if self._findings.words:
            text = self._findings.words.pop(0)
        else:
            text, self._answer = self._answer, ""
        high = _bound(schema, "maxLength", len(text))
        low = _bound(schema, "minLength", 0)
        return text[:high].ljust(low, "-")


def _bound(schema: Json, name: str, default: int) -> int:
    value = schema.get(name)
    return value if type(value) is int and value >= 0 else default
