"""The coding agent's stream, read as its clients read it."""

import json
from typing import Any

from potok.testing.dialect_suite import DialectSuite
from potok.wire.sse import SseDecoder
from potok_apps.coding.dialect import CodingSse


class TestCodingSse(DialectSuite):
    dialect = CodingSse()
    # Code is shown like the answer.
    shows_text = False

    def decode(self, body: bytes) -> list[Any]:
        frames = SseDecoder().feed(body)
        return [(frame.event, json.loads(frame.data), frame.id) for frame in frames]

    def id_of(self, frame: bytes) -> str:
        return SseDecoder().feed(frame)[-1].id

    def text_of(self, frames: list[Any]) -> str:
        return "".join(fields["text"] for event, fields, _ in frames if event == "token")
