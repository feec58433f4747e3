"""Hypothesis strategies: any event of any kind, and whole runs that the grammar admits."""

import types
from typing import Any, Literal, get_args, get_origin

import msgspec
from hypothesis import strategies as st

from potok.events.kinds import KINDS, Event, Unknown

# JSON is UTF-8: half surrogate pairs cannot be in it.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
names = st.sampled_from(["a", "b", "c"])
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
_BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    str: texts,
    int: st.integers(-(2**63), 2**63 - 1),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    Any: json_values,
    types.NoneType: st.none(),
}


def _of_type(wanted: Any) -> st.SearchStrategy[Any]:
    origin = get_origin(wanted)
    if origin is types.UnionType:
        return st.one_of([_of_type(one) for one in get_args(wanted)])
    if origin is Literal:
        return st.sampled_from(get_args(wanted))
    if origin is tuple:
        return st.lists(texts, max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(texts, json_values, max_size=3)
    return _BY_TYPE[wanted]


def of_kind(kind: str) -> st.SearchStrategy[Event]:
    """Events of one kind with any fields, grammar or not."""
    noun = KINDS[kind]
    fields = msgspec.structs.fields(noun)
    return st.builds(noun, **{field.name: _of_type(field.type) for field in fields})


unknown = st.builds(
    Unknown,
    kind=texts.filter(lambda kind: kind not in KINDS),
    fields=st.dictionaries(texts.filter(lambda name: name != "event"), json_values, max_size=3),
)
any_event: st.SearchStrategy[Event] = st.one_of([of_kind(kind) for kind in KINDS] + [unknown])


def _with_few_names(kind: str) -> st.SearchStrategy[Event]:
    # Few names, so that events meet.
    noun = KINDS[kind]
    fields = msgspec.structs.fields(noun)
    chosen = {
        field.name: names
        if field.name in ("part", "call", "stage", "name")
        else st.integers(0, 3)
        if field.name in ("tokens", "keep", "choice", "attempt")
        else _of_type(field.type)
        for field in fields
    }
    return st.builds(noun, **chosen)


colliding_event: st.SearchStrategy[Event] = st.one_of(
    [_with_few_names(kind) for kind in KINDS if kind != "run-end"] + [unknown]
)
"""Events whose parts, calls and stages have the same few names."""
