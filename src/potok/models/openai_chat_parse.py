"""Parses Chat Completions replies into events: bytes in, events out. Pure.

Takes what servers really send: streams without `[DONE]`, calls without an index, one JSON where a
stream was asked for, errors inside a stream.
"""

from typing import Any

import msgspec

from potok.errors import FrameTooLarge, PeerError, UpstreamLost, UpstreamMalformed
from potok.events.kinds import Event, RunEnd, Usage
from potok.limits import UPSTREAM_REPLY_BYTES_MAX
from potok.models.openai_chat_calls import PartNames
from potok.models.openai_chat_choice import ChoiceParts
from potok.models.openai_chat_chunks import WireChoice, WireChunk, new_chunk_decoder
from potok.models.openai_errors import Refusals
from potok.wire.sse import SseDecoder

__all__ = ["OpenAiChatParser"]

Json = Any


class OpenAiChatParser:
    """Turns the bytes of one reply, cut anywhere, into events.

    Args:
        refusals: Makes the errors for what the provider says is wrong.
        choices: How many answers were asked for (`n`).

    The parts of choice 0 are named `text-1`, `reasoning-1`, those of choice 1 `text-1.1`, and
    calls by the provider's id, else `call-<index>`. Text and thinking end where another part of
    their choice begins; calls stay open until their choice is finished, since their fragments may
    be mixed. Usage comes once, before the `run-end`.

    Attributes:
        fault: Why nothing more can come, None while all is well. Nothing is raised, so that the
            events before a fault are never lost: give them away first, then raise this.
        is_answered: Every choice asked for is finished: only usage and `[DONE]` may be missing.
        is_done: The `run-end` was given; further bytes are ignored.
    """

    def __init__(self, *, refusals: Refusals, choices: int = 1) -> None:
        self.fault: PeerError | None = None
        self.is_answered = False
        self.is_done = False
        self._refusals = refusals
        self._choices_asked = choices
        self._decoder = SseDecoder()
        self._chunks = new_chunk_decoder()
        # None until the first byte that is no blank tells a stream from one JSON.
        self._is_stream: bool | None = None
        self._whole = bytearray()
        self._choices: dict[int, ChoiceParts] = {}
        self._names = PartNames()
        self._usage: dict[str, Json] | None = None
        self._timings: dict[str, Json] = {}

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that `chunk` completes; look at `fault` and `is_done` afterwards."""
        events: list[Event] = []
        if self.fault is not None or self.is_done:
            return events
        if not self._is_stream:
            chunk = self._sort(chunk)
        if self._is_stream and chunk:
            self._feed_stream(chunk, events)
        return events

    def finish(self) -> list[Event]:
        """Take the end of the body; return the last events, or set `fault`."""
        events: list[Event] = []
        if self.fault is not None or self.is_done:
            return events
        if self._is_stream is False:
            self._feed_whole(events)
            return events
        # Some servers leave out the blank line after their last frame.
        self._feed_stream(b"\n\n", events)
        if isinstance(self.fault, UpstreamMalformed):
            self.fault = None
        if not (self.fault or self.is_done):
            self._end(events, is_said=False)
        return events

    def _sort(self, chunk: bytes) -> bytes:
        # Returns what belongs to a stream; one JSON is gathered until its end.
        if self._is_stream is None:
            chunk = chunk.lstrip()
            if chunk.startswith(b"<"):
                self.fault = UpstreamMalformed(
                    f"The provider {self._refusals.provider} answers with a web page. Check its"
                    " base URL: it usually ends in /v1."
                )
            elif chunk:
                self._is_stream = not chunk.startswith(b"{")
        if self._is_stream is False:
            self._whole += chunk
            if len(self._whole) > UPSTREAM_REPLY_BYTES_MAX:
                self._whole.clear()
                self.fault = FrameTooLarge(what="JSON", limit_bytes=UPSTREAM_REPLY_BYTES_MAX)
        return chunk

    def _feed_stream(self, chunk: bytes, events: list[Event]) -> None:
        fault: PeerError | None = None
        try:
            frames = self._decoder.feed(chunk)
        except FrameTooLarge as error:
            frames, fault = self._decoder.events_before_fault, error
        for frame in frames:
            self._take_frame(frame.event, frame.data, events)
            if self.is_done or self.fault is not None:
                return
        self.fault = fault

    def _take_frame(self, event: str, data: str, events: list[Event]) -> None:
        if event == "error":
            self.fault = self._refusals.from_stream(_any_json(data))
        elif data.startswith("{"):
            self._take_json(data, events)
        elif data.strip() == "[DONE]":
            self._end(events, is_said=True)
        elif data.strip():
            self._take_json(data, events)

    def _feed_whole(self, events: list[Event]) -> None:
        body = bytes(self._whole)
        self._whole.clear()
        self._take_json(body, events)
        if self.fault is None:
            self._end(events, is_said=True)

    def _take_json(self, text: str | bytes, events: list[Event]) -> None:
        try:
            chunk = self._chunks.decode(text)
        except msgspec.DecodeError as error:
            # The words of the JSON reader name fields and places, never what stood there.
            self.fault = UpstreamMalformed(
                f"The provider {self._refusals.provider} sent something that is no Chat"
                f" Completions reply ({error}). Check its base URL, or try again."
            )
            return
        if chunk.error is not None:
            self.fault = self._refusals.from_stream(chunk.error)
        elif chunk.object == "error":
            self.fault = self._refusals.from_stream(_any_json(text))
        else:
            self._take_chunk(chunk, events)

    def _take_chunk(self, chunk: WireChunk, events: list[Event]) -> None:
        if chunk.usage:
            # Some servers count in every chunk: the last one has the sum.
            self._usage = chunk.usage
        elif chunk.x_groq is not None and isinstance(chunk.x_groq.get("usage"), dict):
            self._usage = chunk.x_groq["usage"]
        if chunk.timings is not None:
            self._timings = chunk.timings
        for wire in chunk.choices or ():
            try:
                self._choice_of(wire).take(wire, events)
            except UpstreamMalformed as fault:
                self.fault = fault
                return
            if wire.finish_reason:
                self._take_reason(wire.finish_reason)

    def _take_reason(self, reason: str) -> None:
        if reason == "error":
            self.fault = self._refusals.from_stream(None)
        choices = self._choices.values()
        self.is_answered = len(choices) >= self._choices_asked and all(
            choice.finish_reason for choice in choices
        )

    def _choice_of(self, wire: WireChoice) -> ChoiceParts:
        index = wire.index or 0
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = ChoiceParts(
                index=index, names=self._names, provider=self._refusals.provider
            )
        return choice

    def _end(self, events: list[Event], *, is_said: bool) -> None:
        # `is_said`: the provider itself says that this is the end, so a missing reason is a habit
        # of that server; without it, it is a cut.
        choices = [self._choices[index] for index in sorted(self._choices)]
        if not choices or not (is_said or all(c.finish_reason for c in choices)):
            self.fault = UpstreamLost(
                f"The provider {self._refusals.provider} ended its connection before its answer"
                " was whole. Try again."
            )
            return
        try:
            for choice in choices:
                choice.close(events)
        except UpstreamMalformed as fault:
            self.fault = fault
            return
        usage = self._usage or _usage_in(self._timings)
        if usage is not None:
            events.append(_usage_event(usage, speed=self._timings.get("predicted_per_second")))
        reasons = tuple(choice.reason for choice in choices)
        events.append(
            RunEnd(
                outcome="finished",
                finish_reason=reasons[0],
                finish_reasons=reasons if len(reasons) > 1 else None,
            )
        )
        self.is_done = True


def _any_json(text: str | bytes) -> Json:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text if isinstance(text, str) else None


def _usage_in(timings: dict[str, Json]) -> dict[str, Json] | None:
    said = _count(timings, "predicted_n")
    if not said:
        return None
    read = _count(timings, "prompt_n") + _count(timings, "cache_n")
    return {"prompt_tokens": read, "completion_tokens": said}


def _usage_event(usage: dict[str, Json], *, speed: Json) -> Usage:
    prompt, completion = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    details = usage.get("completion_tokens_details")
    known = {"prompt_tokens", "completion_tokens", "cost"}
    if usage.get("total_tokens") == prompt + completion:
        known.add("total_tokens")
    extra = {name: value for name, value in usage.items() if name not in known and value}
    cost = usage.get("cost")
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        reasoning_tokens=_count(details if isinstance(details, dict) else {}, "reasoning_tokens"),
        tokens_per_second=speed if isinstance(speed, float) and speed > 0 else None,
        cost=float(cost) if isinstance(cost, int | float) else None,
        extra=extra or None,
    )


def _count(usage: dict[str, Json], name: str) -> int:
    count = usage.get(name)
    return count if isinstance(count, int) and count > 0 else 0
