"""The tokens of chat models that nodes call themselves, as text of the run.

Such a model is not ours to continue: a node that a crash interrupted lets it answer anew.
"""

from potok.agents.session import Session
from potok.dialects.registry import DIALECTS
from potok.errors import PeerError
from potok.events.kinds import Event, PartDiscard, TextDelta, TextEnd, TextStart

__all__ = ["ChatModelText"]


class ChatModelText:
    """One run's answers of such models; several may be under way at once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        dialect = DIALECTS.get(session.turn.request.face)
        self._can_retract = dialect is not None and dialect.can_retract
        self._numbers: dict[str, int] = {}
        self._answers: dict[tuple[str, str], _Answer] = {}

    async def take(self, place: str, *, agent: str | None, id: str, text: str) -> None:
        """Take a chunk; `id` is its answer's, `place` the piece of work that asked for it."""
        if not text:
            return
        answer = self._answers.get((place, id))
        if answer is None:
            # Its node's answer before is whole: chat models are asked one after the other there.
            await self._session.put(*self._ends(place))
            self._numbers[place] = self._numbers.get(place, 0) + 1
            call = f"{place}.m{self._numbers[place]}"
            known = self._session.journal.message_of(call)
            said = known.parts[0] if known is not None else None
            answer = _Answer(
                f"{call}/t",
                heard=said.text if said is not None else "",
                is_begun=said is not None,
                is_ended=said is not None and said.state != "open",
            )
            self._answers[place, id] = answer
            if said is None:
                await self._session.put(TextStart(part=answer.part, agent=agent))
        await self._session.put(*answer.take(text, can_retract=self._can_retract))

    async def close(self) -> None:
        """End what is open: the graph is done."""
        for place in {place for place, _ in self._answers}:
            await self._session.put(*self._ends(place))

    def _ends(self, place: str) -> list[Event]:
        return [
            event
            for (where, _), answer in self._answers.items()
            if where == place
            for event in answer.end()
        ]


class _Answer:
    """One answer: its part, and what of it readers have from before a crash."""

    def __init__(self, part: str, *, heard: str, is_begun: bool, is_ended: bool) -> None:
        self.part = part
        self._expected = heard
        self._matched = 0
        self._is_begun = is_begun
        self._is_ended = is_ended

    def take(self, text: str, *, can_retract: bool) -> list[Event]:
        left = self._expected[self._matched :]
        if left:
            same = _common(left, text)
            self._matched += same
            if same == len(text):
                return []
            if same < len(left):
                return self._diverge(text[same:], can_retract=can_retract)
            text = text[same:]
        if self._is_ended:
            return []
        return [TextDelta(part=self.part, text=text)]

    def _diverge(self, rest: str, *, can_retract: bool) -> list[Event]:
        if not can_retract or self._is_ended or not self._matched:
            raise PeerError(
                "The answer cannot go on after the server stopped: asked again, the model said"
                " something else."
            )
        self._expected = ""
        discard = PartDiscard(part=self.part, reason="worker_lost", keep=self._matched)
        return [discard, TextDelta(part=self.part, text=rest)]

    def end(self) -> list[Event]:
        if self._is_ended:
            return []
        self._is_ended = True
        return [TextEnd(part=self.part)]


def _common(one: str, other: str) -> int:
    length = min(len(one), len(other))
    return next((at for at in range(length) if one[at] != other[at]), length)
