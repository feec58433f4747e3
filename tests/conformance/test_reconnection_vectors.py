"""The rules of reconnection, row by row, as the TypeScript client runs them too."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from potok.protocol import reconnection_words as words
from potok.protocol.reconnection import Reconnection, Rules

VECTORS = Path(__file__).parents[2] / "spec" / "vectors" / "reconnection.json"
ROWS: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding="utf-8"))
FRACTION = 0.5

INPUTS: dict[str, type[words.Input]] = {
    "begun": words.Begun,
    "opened": words.Opened,
    "received": words.Received,
    "heartbeat_seen": words.HeartbeatSeen,
    "retry_said": words.RetrySaid,
    "closed": words.Closed,
    "failed": words.Failed,
    "refused": words.Refused,
    "snapshot_taken": words.SnapshotTaken,
    "time_passed": words.TimePassed,
    "offline": words.Offline,
    "online": words.Online,
    "visible": words.Visible,
    "cancelled": words.Cancelled,
}
COMMANDS: dict[type[words.Command], str] = {
    words.Connect: "connect",
    words.WaitUntil: "wait_until",
    words.Deliver: "deliver",
    words.Abort: "abort",
    words.GapSaid: "gap_said",
    words.GiveUp: "give_up",
    words.Finished: "finished",
}


def read_input(row: dict[str, Any]) -> words.Input:
    fields = {name: value for name, value in row.items() if name != "input"}
    kind = INPUTS[row["input"]]
    assert fields.keys() <= {field.name for field in dataclasses.fields(kind)}, (
        "a field is misspelt"
    )
    heard: words.Input = msgspec.convert(fields, kind)
    return heard


def write_command(command: words.Command) -> dict[str, Any]:
    return {"command": COMMANDS[type(command)], **msgspec.to_builtins(command)}


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_a_reader_does_what_the_row_says(row: dict[str, Any]) -> None:
    rules = msgspec.convert(row.get("rules", {}), Rules)
    reconnection = Reconnection(after=row["after"], rules=rules)

    for number, step in enumerate(row["steps"]):
        said = reconnection.receive(
            read_input(step["input"]), now=step["at"], fraction=step.get("fraction", FRACTION)
        )
        assert [write_command(command) for command in said] == step["expect"], f"step {number}"

    assert (reconnection.after, reconnection.is_buffered) == (row["left_at"], row["is_buffered"])


def test_the_rows_use_every_input_and_every_command() -> None:
    steps = [step for row in ROWS for step in row["steps"]]

    assert {step["input"]["input"] for step in steps} == set(INPUTS)
    assert {said["command"] for step in steps for said in step["expect"]} == set(COMMANDS.values())


def test_no_two_rows_have_one_name() -> None:
    names = [row["name"] for row in ROWS]

    assert len(names) == len(set(names))
