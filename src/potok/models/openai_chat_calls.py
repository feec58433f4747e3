"""The tool calls of one choice of a Chat Completions answer: fragments in, events out. Pure."""

from typing import Any

import msgspec

from potok.errors import UpstreamMalformed
from potok.events.kinds import Event, ToolDelta, ToolEnd, ToolStart
from potok.limits import DELTA_CHARACTERS_MAX, EVENT_BYTES_MAX

__all__ = ["PartNames", "ToolCalls"]

Json = Any

_KNOWN = frozenset({"index", "id", "type", "function", "custom"})


class PartNames:
    """Gives every part and call of an answer a name of its own, the same for the same reply."""

    __slots__ = ("_taken",)

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, wanted: str) -> str:
        """Return `wanted`, or with a number behind it if another part has that name."""
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}~{number}"
        self._taken.add(name)
        return name


class _Call:
    """A call whose fragments are still coming.

    `name` is empty until the provider tells it; text and extra fields that come before are held,
    for a call cannot begin without a name.
    """

    __slots__ = ("extra", "held", "index", "is_begun", "name", "own_id", "part")

    def __init__(self, *, index: int, own_id: str, part: str) -> None:
        self.index = index
        self.own_id = own_id
        self.part = part
        self.name = ""
        self.held = ""
        self.extra: dict[str, Json] = {}
        self.is_begun = False


class ToolCalls:
    """Puts fragments together that belong to one call.

    They are matched by index, by id where there is no index, and follow the newest call where
    there is neither. A new id with a name begins a new call even under an old index: some servers
    leave the index out, some give every call index 0.
    """

    __slots__ = ("_by_own_name", "_choice", "_names", "_open", "_provider", "count")

    def __init__(self, *, choice: int, names: PartNames, provider: str) -> None:
        self.count = 0
        self._choice = choice
        self._names = names
        self._provider = provider
        self._open: list[_Call] = []
        # The newest call under each index or id of the provider's.
        self._by_own_name: dict[int | str, _Call] = {}

    def take(self, fragment: dict[str, Json], extra: dict[str, Json], events: list[Event]) -> None:
        """Append what one fragment says; `extra` are unknown fields that came beside it.

        Raises:
            UpstreamMalformed: arguments without end for a call without a name.
        """
        body = fragment.get("function") or fragment.get("custom")
        body = body if isinstance(body, dict) else {}
        call = self._call_of(fragment.get("index"), fragment.get("id"), body.get("name"))
        call.extra.update(extra)
        for name, value in fragment.items():
            if name not in _KNOWN and value:
                call.extra[name] = value
        kind = fragment.get("type")
        if kind and kind != "function":
            call.extra["type"] = kind
        text = body.get("arguments", body.get("input"))
        if not isinstance(text, str):
            text = msgspec.json.encode(text).decode() if text else ""
        self._extend(call, text, events)

    def close(self, events: list[Event]) -> None:
        """Append the ends of all open calls.

        Raises:
            UpstreamMalformed: a call never got its name.
        """
        for call in self._open:
            if not call.is_begun:
                raise self._nameless()
            events.append(ToolEnd(call=call.part))
        self._open.clear()
        self._by_own_name.clear()

    def _call_of(self, index: Json, own_id: Json, name: Json) -> _Call:
        index = index if isinstance(index, int) else None
        own_id = own_id if isinstance(own_id, str) else ""
        name = name if isinstance(name, str) else ""
        call: _Call | None
        if index is None and not own_id:
            call = self._open[-1] if self._open else None
            is_other = bool(name and call and call.name)
        else:
            call = self._by_own_name.get(own_id if index is None else index)
            is_other = bool(name and own_id and call and call.own_id not in ("", own_id))
        if call is None or is_other:
            call = self._new(index, own_id)
        call.name = call.name or name
        return call

    def _new(self, index: int | None, own_id: str) -> _Call:
        place = self.count
        self.count += 1
        suffix = f".{self._choice}" if self._choice else ""
        part = self._names.take(own_id or f"call-{place}{suffix}")
        call = _Call(index=place, own_id=own_id, part=part)
        self._open.append(call)
        if index is not None:
            self._by_own_name[index] = call
        if own_id:
            self._by_own_name[own_id] = call
        return call

    def _extend(self, call: _Call, text: str, events: list[Event]) -> None:
        if not call.name:
            call.held += text
            if len(call.held) > EVENT_BYTES_MAX:
                raise self._nameless()
            return
        text, call.held = call.held + text, ""
        extra, call.extra = call.extra or None, {}
        if not call.is_begun:
            call.is_begun = True
            events.append(
                ToolStart(
                    call=call.part,
                    name=call.name,
                    index=call.index,
                    choice=self._choice,
                    extra=extra,
                )
            )
            extra = None
        for at in range(0, max(len(text), 1 if extra else 0), DELTA_CHARACTERS_MAX):
            events.append(
                ToolDelta(
                    call=call.part,
                    text=text[at : at + DELTA_CHARACTERS_MAX],
                    choice=self._choice,
                    tokens=1 if text and at == 0 else 0,
                    extra=extra if at == 0 else None,
                )
            )

    def _nameless(self) -> UpstreamMalformed:
        return UpstreamMalformed(
            f"The provider {self._provider} called a tool without naming it. Try again."
        )
