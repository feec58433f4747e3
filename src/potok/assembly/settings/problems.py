"""Turns what pydantic found into sentences that name the setting and never show a key."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from potok.assembly.settings.group import Group

__all__ = ["describe_group", "describe_table"]

_VALUE_CHARACTERS_MAX = 80


def describe_group(
    error: ValidationError, group: type[Group], *, environ: Mapping[str, str], file: str
) -> Iterator[str]:
    """Give a sentence for each field that is wrong, by the name under which it was set."""
    for fault in _fields_of(error):
        variable = group.variable_of(fault["field"])
        place = (
            variable if environ.get(variable) else f"{fault['field']} in [{group.table}] of {file}"
        )
        yield _sentence(place, group.model_fields[fault["field"]], fault["input"])


def describe_table(
    error: ValidationError, model: type[BaseModel], *, table: str, file: str
) -> Iterator[str]:
    """Give a sentence for each key that is wrong in a table without variables."""
    for fault in _fields_of(error):
        name = fault["field"]
        place = f"{name} in [{table}] of {file}"
        field = model.model_fields.get(name)
        if field is not None:
            yield _sentence(place, field, fault["input"])
        elif name == "api_key":
            yield (
                f"{place} is not read: keys stay out of files. Put the key into a variable of the"
                " environment, and that variable's name into api_key_env."
            )
        else:
            known = ", ".join(model.model_fields)
            yield f"{place} is no setting of Potok. Known: {known}."


def _fields_of(error: ValidationError) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    for detail in error.errors(include_url=False, include_context=False):
        field = str(detail["loc"][0])
        if field not in seen:
            seen.add(field)
            yield {"field": field, "input": detail["input"]}


def _sentence(place: str, field: FieldInfo, value: object) -> str:
    # The account or the query of an address may hold a key.
    if _is_secret(field.annotation) or set(str(value)) & {"@", "?"}:
        return f"{place} must be {field.description}; its value is not shown."
    if place.isupper() and str(value).startswith("tcp://"):
        return (
            f"{place} must be {field.description}; it is {value!r}, which Kubernetes sets for a"
            " service of that name. Set it yourself, or set enableServiceLinks: false."
        )
    shown = repr(value)
    if len(shown) > _VALUE_CHARACTERS_MAX:
        shown = f"{shown[:_VALUE_CHARACTERS_MAX]}..."
    return f"{place} must be {field.description}; it is {shown}."


def _is_secret(annotation: object) -> bool:
    return annotation is SecretStr or any(_is_secret(inner) for inner in get_args(annotation))
