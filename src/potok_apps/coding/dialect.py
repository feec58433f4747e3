"""How the coding agent is streamed: named events `token`, `stage_update`, `metadata`, `done`.

A failed run ends with `failure`. Tokens are the text of the answer and of the code, in their
order; which stage is at work is told by `stage_update` around them.
"""

from collections.abc import Sequence
from typing import Any

from potok.apps.contract import Encoder, PotokError, Reading
from potok.dialects.encoder import RunEncoder
from potok.dialects.error_facts import facts_of
from potok.dialects.line_safe import encode_json
from potok.events.envelope import StoredEvent
from potok.events.kinds import (
    Data,
    Event,
    PartDiscard,
    RunEnd,
    StageEnd,
    StageStart,
    TextDelta,
    TextStart,
)
from potok.wire.sse import encode_sse
from potok_apps.refusals import sentence_of

__all__ = ["METADATA", "CodingSse"]

METADATA = "coding"
"""The name of the `data` that is this face's `metadata`."""

_PIECE_CHARACTERS_MAX = 2_000
"""Of one token frame, so that it fits into one write of 16 KiB whatever its letters are."""

_DONE = {"ru": "Готово", "en": "Done"}
_STOPPED = {"ru": "Остановлено", "en": "Stopped"}
_ENDED = {
    ("planner", "ru"): "План готов",
    ("coder", "ru"): "Код написан",
    ("critic", "ru"): "Код проверен",
    ("planner", "en"): "The plan is made",
    ("coder", "en"): "The code is written",
    ("critic", "en"): "The code is reviewed",
}
_DISCARDED = RunEnd(
    outcome="failed",
    code="part_discarded",
    message="A part of this answer was taken back, which this protocol cannot say. Ask again.",
)


class CodingSse:
    """Server-sent events of `/api/agent/stream`."""

    name = "coding"
    media_type = "text/event-stream"
    can_retract = False
    needs_history = True

    def encoder(self, reading: Reading) -> Encoder:
        return _Encoder(reading)

    def encode_error(self, error: PotokError) -> bytes:
        return encode_json({"code": error.code, "message": sentence_of(error), **facts_of(error)})


class _Encoder(RunEncoder):
    __slots__ = ("_language", "_parts", "_run", "_touched")

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading)
        self._run = reading.run
        self._language = "ru" if reading.language.startswith("ru") else "en"
        self._parts: set[str] = set()
        # Parts of which something was shown.
        self._touched: set[str] = set()

    def _frames_of(self, stored: StoredEvent) -> list[bytes]:
        told = self._told(stored.event)
        place = f"{self._id_head}{stored.offset}"
        if len(told) == 1:
            name, fields = told[0]
            return [encode_sse(data=encode_json(fields), event=name, id=place)]
        return [
            encode_sse(data=encode_json(fields), event=name, id=f"{place}.{number}")
            for number, (name, fields) in enumerate(told, start=1)
        ]

    def _told(self, event: Event) -> Sequence[tuple[str, dict[str, Any]]]:
        match event:
            case TextDelta(part=part, text=text) if part in self._parts and text:
                self._touched.add(part)
                size = _PIECE_CHARACTERS_MAX
                pieces = [text[at : at + size] for at in range(0, len(text), size)]
                return [("token", {"text": piece}) for piece in pieces]
            case TextStart(part=part, choice=0):
                self._parts.add(part)
            case StageStart():
                return [self._stage(event, "started", event.text or "")]
            case StageEnd():
                ended = _ENDED.get((event.stage, self._language), "")
                return [self._stage(event, "finished", event.text or ended)]
            case Data(name=name, data=data) if name == METADATA and isinstance(data, dict):
                return [("metadata", {"task_id": self._run, **data})]
            case PartDiscard(part=part) if part in self._touched:
                return self._end(_DISCARDED)
            case PartDiscard(part=part):
                self._parts.discard(part)
            case RunEnd():
                return self._end(event)
        return []

    def _stage(
        self, event: StageStart | StageEnd, state: str, message: str
    ) -> tuple[str, dict[str, Any]]:
        fields = {
            "stage": event.stage,
            "state": state,
            "attempt": event.attempt,
            "message": message,
        }
        return "stage_update", fields

    def _end(self, end: RunEnd) -> list[tuple[str, dict[str, Any]]]:
        self._is_ended = True
        if end.outcome == "failed":
            why = end.message or "The run failed."
            return [("failure", {"code": end.code or "failed", "message": why[:2_000]})]
        words = _STOPPED if end.outcome == "cancelled" else _DONE
        return [("done", {"message": words[self._language], "task_id": self._run})]
