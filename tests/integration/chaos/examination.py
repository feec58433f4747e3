"""Reads everything once more when all is over, and judges what each reader was shown."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import aiohttp

from tests.integration.chaos.faces import (
    Place,
    frame_of_message,
    model_of,
    speaker_of,
    text_in,
    words_of,
)
from tests.integration.chaos.judge import Frame, Verdict, judge_reader, judge_text
from tests.integration.chaos.plan import Face
from tests.integration.chaos.readers import Reader
from tests.integration.chaos.streams import Stream
from tests.integration.chaos.world import World

__all__ = ["Examination", "Examined"]

_AT_ONCE = 6
_READING = aiohttp.ClientTimeout(total=60)


@dataclass(slots=True, kw_only=True)
class Examined:
    """What was found out about one stream.

    Attributes:
        status: Of the run: `finished`, `cancelled`, `failed`, or what it hangs in.
        code: Of its end, if that has one.
        events: In the log.
        is_whole: Whether its text is the uncut one.
        is_honest: Whether its text is that, or where it may be broken off, a beginning of it; and
            is the same in the log, in every protocol and in the run's state.
        verdict: Of all readers together.
        hung: Readers that never saw the end.
        faults: Sentences for whoever looks for the cause.
    """

    number: int
    model: str
    status: str = "unknown"
    code: str | None = None
    events: int = 0
    frames: int = 0
    is_whole: bool = False
    is_honest: bool = False
    verdict: Verdict = field(default_factory=Verdict)
    hung: int = 0
    faults: list[str] = field(default_factory=list)


class Examination:
    """Judges streams against `uncut` texts of the models that tell no stories."""

    def __init__(self, world: World, *, demo_text: str) -> None:
        self._world = world
        self._demo_text = demo_text
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def examine(self, streams: Sequence[Stream]) -> list[Examined]:
        """Judge every stream."""
        return list(await asyncio.gather(*(self._examine(stream) for stream in streams)))

    async def _examine(self, stream: Stream) -> Examined:
        found = Examined(number=stream.plan.number, model=model_of(stream.plan))
        if stream.refused is not None:
            found.faults.append(stream.refused)
        found.hung = sum(not one.is_over and one.refused is None for one in stream.readers)
        if stream.run is None:
            found.faults.append("it was never started")
            return found
        async with self._turns:
            faces: set[Face] = {"sse", *(reader.plan.face for reader in stream.readers)}
            logs = {face: await self._read_whole(stream, face) for face in sorted(faces)}
            state = await self._state_of(stream)
        self._judge_state(stream, found, logs, state)
        for reader in stream.readers:
            self._judge_reader(found, reader, logs[reader.plan.face])
        return found

    def _judge_state(
        self,
        stream: Stream,
        found: Examined,
        logs: dict[Face, list[Frame]],
        state: dict[str, Any],
    ) -> None:
        uncut = self._demo_text if stream.plan.model == "demo" else stream.plan.story.text
        found.status = state["status"]
        found.code = (state.get("error") or {}).get("code")
        found.events = len(logs["sse"])
        said = text_in("sse", logs["sse"])
        found.is_whole = said == uncut
        others = {face: text_in(face, frames) for face, frames in logs.items()}
        others["state"] = state["message"]["text"]  # type: ignore[index]
        differing = sorted(name for name, text in others.items() if text != said)
        is_right = judge_text(said, uncut, is_whole=found.status == "finished")
        found.is_honest = is_right and not differing
        if differing:
            found.faults.append(f"another text in {', '.join(differing)}")
        if not is_right:
            found.faults.append(f"another text than the uncut one: {_difference(said, uncut)}")
        if found.status == "failed" and stream.plan.can_continue:
            found.faults.append(f"failed: {_history(logs['sse'])}")
        ends = [frame for frame in logs["sse"] if frame.kind == "run-end"]
        if len(ends) != 1 or logs["sse"][-1] != ends[0]:
            found.faults.append(f"{len(ends)} ends, the last event is {logs['sse'][-1].kind}")
            found.is_honest = False

    def _judge_reader(self, found: Examined, reader: Reader, log: list[Frame]) -> None:
        verdict = Verdict(lost=1) if reader.refused is not None else Verdict()
        words = partial(words_of, reader.plan.face)
        for frames in reader.replays:
            verdict += judge_reader(frames, log, is_over=False, words_of=words)
        verdict += judge_reader(reader.frames, log, is_over=reader.is_over, words_of=words)
        found.frames += len(reader.frames) + sum(len(frames) for frames in reader.replays)
        found.verdict += verdict
        if not verdict.is_clean:
            found.faults.append(f"a reader of {reader.plan.face}: {verdict} {reader.refused or ''}")

    async def _read_whole(self, stream: Stream, face: Face) -> list[Frame]:
        """Read a run from its start to its end, as somebody who comes later."""
        asked = speaker_of(face).resume(stream.plan, Place(run=stream.run))
        session, url = self._world.session, self._world.workers[0].server.url
        if asked.method == "WS":
            frames: list[Frame] = []
            async with session.ws_connect(url + asked.path) as socket:
                async for message in socket:
                    frame = frame_of_message(message.data)
                    frames += [frame] if frame is not None else []
            return frames
        async with session.request(
            asked.method, url + asked.path, headers=asked.headers, json=asked.body, timeout=_READING
        ) as reply:
            raw = await reply.read()
            if reply.status != 200:
                raise AssertionError(f"{asked.path}: {reply.status} {raw[:300]!r}")
            return speaker_of(face).decoder()(raw)

    async def _state_of(self, stream: Stream) -> dict[str, Any]:
        url = f"{self._world.workers[-1].server.url}/api/runs/{stream.run}"
        async with self._world.session.get(url, timeout=_READING) as reply:
            state: dict[str, Any] = json.loads(await reply.read())
            return state


def _history(log: list[Frame]) -> str:
    """Return what befell a run, in one line."""
    told = [frame.data for frame in log if frame.kind in ("source-change", "run-end")]
    return " ".join(told)


def _difference(said: str, uncut: str) -> str:
    at = next(
        (place for place, pair in enumerate(zip(said, uncut, strict=False)) if pair[0] != pair[1]),
        min(len(said), len(uncut)),
    )
    start = max(at - 30, 0)
    return f"at {at}: {said[start : at + 30]!r} for {uncut[start : at + 30]!r}"
