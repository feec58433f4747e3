"""What a run's log already holds of each call of an agent: nobody hears a thing twice. Pure.

A call's parts carry its name before their own, `<call>/<part>`; what a silent call gave stands as
`data`. So the folded message is the journal, and no second store can disagree with the log.
"""

from typing import Any

import msgspec

from potok.events.fold import Message, Part
from potok.events.kinds import JOURNAL

__all__ = ["Journal", "split_name"]


def split_name(part: str) -> tuple[str, str]:
    """Return the call that made a part, and the part's name within it."""
    call, _, own = part.partition("/")
    return call, own


class Journal:
    """What `said` holds, by call."""

    __slots__ = ("_calls", "_data", "_said", "_stages", "_status")

    def __init__(self, said: Message | None) -> None:
        self._said = said
        self._status = said.status if said is not None else None
        self._calls: dict[str, list[Part]] = {}
        self._data: dict[tuple[str | None, str], Part] = {}
        self._stages: dict[tuple[str, int], str] = {
            (one.stage, one.attempt): one.outcome or "open"
            for one in (said.stages if said is not None else ())
        }
        for part in said.parts if said is not None else ():
            if part.type == "data":
                self._data[part.agent, part.name or ""] = part
            else:
                self._calls.setdefault(split_name(part.id)[0], []).append(part)

    @property
    def has_calls(self) -> bool:
        """Whether anything of any call was logged."""
        return bool(self._calls) or any(name.startswith(JOURNAL) for _, name in self._data)

    def message_of(self, call: str) -> Message | None:
        """Return what a call has said, under the names that its model gave; None for nothing."""
        parts = self._calls.get(call)
        if not parts or self._said is None:
            return None
        own = [
            msgspec.structs.replace(part, id=split_name(part.id)[1], agent=None, stage=None)
            for part in parts
        ]
        return Message(
            run=self._said.run,
            parts=own,
            sources=list(self._said.sources),
            tokens=self._share_of(parts),
        )

    def _share_of(self, parts: list[Part]) -> int:
        # Pieces are counted for the whole run only: by the share of characters.
        said = self._said
        assert said is not None, "a part is some message's"
        whole = sum(len(part.text) for part in said.parts if part.type != "data")
        return round(said.tokens * sum(len(part.text) for part in parts) / whole) if whole else 0

    def has_begun(self, call: str) -> bool:
        """Whether anything of a call was logged."""
        return call in self._calls or (None, f"{JOURNAL}{call}") in self._data

    def result_of(self, call: str) -> Any:
        """Return what a silent call gave; None if it was not logged."""
        part = self._data.get((None, f"{JOURNAL}{call}"))
        return None if part is None else part.data

    def tool_part(self, call: str) -> Part | None:
        """Return the part of a tool's call by its name in the run."""
        parts = self._calls.get(split_name(call)[0], ())
        return next((part for part in parts if part.id == call and part.type == "tool"), None)

    def is_new_data(self, name: str, data: Any, *, agent: str | None) -> bool:
        """Whether readers do not have this very `data` last under its name; else it is that now."""
        part = self._data.get((agent, name))
        if part is not None and part.data == data:
            return False
        # What comes after it is to be given again, too, or the older one would stand.
        self._data.pop((agent, name), None)
        return True

    def is_new_status(self, text: str, *, agent: str | None) -> bool:
        """Whether readers do not have this very status last; else it is that now."""
        last = self._status
        if last is not None and last.text == text and last.agent == agent:
            return False
        self._status = None
        return True

    def take_stage(self, stage: str, attempt: int) -> str | None:
        """Return what readers know of an attempt of a stage: `open`, its outcome, or None.

        Once for each: a loop that does not count its attempts begins the same one again.
        """
        return self._stages.pop((stage, attempt), None)
