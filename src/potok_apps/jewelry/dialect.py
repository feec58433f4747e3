"""How the jewelry house is streamed: frames without a name, whose field `type` says what they are.

Two faces share it. A consultation has one voice and flat metadata; the orchestrator's tokens name
their agent, and its metadata stands under `data` by agent.
"""

from typing import Any

from potok.apps.contract import Encoder, PotokError, Reading
from potok.dialects.encoder import RunEncoder
from potok.dialects.error_facts import facts_of
from potok.dialects.line_safe import encode_json
from potok.events.envelope import StoredEvent
from potok.events.kinds import Data, Event, PartDiscard, RunEnd, Status, TextDelta, TextStart
from potok_apps.refusals import sentence_of

__all__ = ["METADATA", "ConsultationSse", "OrchestratorSse"]

METADATA = "metadata"
"""The name of the `data` that is these faces' frame of that type."""

_PIECE_CHARACTERS_MAX = 2_000
"""Of one token frame, so that it fits into one write of 16 KiB whatever its letters are."""
_WHY_CHARACTERS_MAX = 2_000

_DONE = {"ru": "Готово", "en": "Done"}
_STOPPED = {"ru": "Остановлено", "en": "Stopped"}
_SORRY = {
    "ru": "Извините, произошла ошибка. Попробуйте спросить ещё раз.",
    "en": "Sorry, something went wrong. Please ask again.",
}
_DISCARDED = RunEnd(
    outcome="failed",
    code="part_discarded",
    message="A part of this answer was taken back, which this protocol cannot say.",
)

Fields = dict[str, Any]


class _JewelrySse:
    """What both faces have in common."""

    media_type = "text/event-stream"
    can_retract = False
    needs_history = True
    names_agents = False

    def encoder(self, reading: Reading) -> Encoder:
        return _Encoder(reading, names_agents=self.names_agents)

    def encode_error(self, error: PotokError) -> bytes:
        fields = {"type": "error", "error": error.code, "message": sentence_of(error)}
        return encode_json({**fields, **facts_of(error)})


class ConsultationSse(_JewelrySse):
    """Server-sent events of `/api/consultation/{user_id}/stream`."""

    name = "jewelry-consultation"


class OrchestratorSse(_JewelrySse):
    """Server-sent events of `/api/orchestrator/{user_id}/stream`."""

    name = "jewelry-orchestrator"
    names_agents = True


class _Encoder(RunEncoder):
    __slots__ = ("_agents", "_language", "_names_agents", "_touched")

    def __init__(self, reading: Reading, *, names_agents: bool) -> None:
        super().__init__(reading)
        self._language = "en" if reading.language.startswith("en") else "ru"
        self._names_agents = names_agents
        # Who speaks in each part that is shown.
        self._agents: dict[str, str | None] = {}
        # Parts of which something was shown.
        self._touched: set[str] = set()

    def _frames_of(self, stored: StoredEvent) -> list[bytes]:
        told = self._told(stored.event)
        return self._numbered([encode_json(fields) for fields in told], stored.offset)

    def _told(self, event: Event) -> list[Fields]:
        match event:
            case TextDelta(part=part, text=text) if part in self._agents and text:
                self._touched.add(part)
                return self._tokens(text, self._agents[part])
            case TextStart(part=part, channel="answer", choice=0):
                self._agents[part] = event.agent
            case Status():
                return [self._status(event)]
            case Data(name=name, data=data) if name == METADATA and isinstance(data, dict):
                return [{"type": "metadata", **data}]
            case PartDiscard(part=part) if part in self._touched:
                return self._end(_DISCARDED)
            case PartDiscard(part=part):
                self._agents.pop(part, None)
            case RunEnd():
                return self._end(event)
        return []

    def _tokens(self, text: str, agent: str | None) -> list[Fields]:
        size = _PIECE_CHARACTERS_MAX
        speaker = {"agent": agent} if self._names_agents and agent else {}
        return [
            {"type": "token", **speaker, "content": text[at : at + size]}
            for at in range(0, len(text), size)
        ]

    def _status(self, event: Status) -> Fields:
        fields: Fields = {"type": "status", "message": event.text, "code": event.code}
        if self._names_agents and event.agent:
            fields["agent"] = event.agent
        return fields

    def _end(self, end: RunEnd) -> list[Fields]:
        self._is_ended = True
        if end.outcome == "failed":
            why = {"error": end.code or "failed", "details": (end.message or "")}
            why["details"] = why["details"][:_WHY_CHARACTERS_MAX]
            return [{"type": "error", **why, "message": _SORRY[self._language]}]
        words = _STOPPED if end.outcome == "cancelled" else _DONE
        return [{"type": "done", "message": words[self._language]}]
