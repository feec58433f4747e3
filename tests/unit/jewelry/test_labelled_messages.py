"""Routing against labels of somebody who has not seen the router."""

import json
from pathlib import Path

from potok_apps.jewelry.routing import route_message

LABELLED = json.loads((Path(__file__).parent / "labelled_messages.json").read_text("utf-8"))


def test_at_least_twenty_seven_of_thirty_messages_go_where_a_person_sends_them() -> None:
    wrong = [
        one["message"]
        for one in LABELLED
        if set(route_message(one["message"]).agents) != set(one["agents"])
    ]

    assert len(LABELLED) == 30
    assert len(wrong) <= 3, wrong
