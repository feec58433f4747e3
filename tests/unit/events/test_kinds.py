from typing import get_args

import msgspec
import pytest

from potok.events.kinds import KINDS, Event, Status, TextDelta, Unknown, kind_of


def test_the_table_holds_every_noun_but_the_unknown() -> None:
    assert set(get_args(Event)) == {*KINDS.values(), Unknown}


@pytest.mark.parametrize("kind", KINDS)
def test_the_tag_on_the_wire_is_the_name_in_the_table(kind: str) -> None:
    config = KINDS[kind].__struct_config__

    assert (config.tag_field, config.tag) == ("event", kind)
    assert config.frozen


@pytest.mark.parametrize("kind", KINDS)
def test_no_field_can_be_taken_for_a_place(kind: str) -> None:
    names = {field.encode_name for field in msgspec.structs.fields(KINDS[kind])}

    assert not names & {"id", "event"}


def test_an_event_knows_its_wire_name() -> None:
    assert kind_of(TextDelta(part="t1", text="x")) == "text-delta"
    assert kind_of(Unknown(kind="picture", fields={})) == "picture"


def test_an_event_cannot_be_changed() -> None:
    event = Status(text="Думаю", code="thinking")

    with pytest.raises(AttributeError):
        event.text = "x"  # type: ignore[misc]
