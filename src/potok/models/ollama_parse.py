"""Parses Ollama's own replies into events: newline-delimited JSON in, events out. Pure.

Reads `/api/chat` (`message`) and `/api/generate` (`response`), streamed or as one JSON.
"""

from typing import Any

import msgspec

from potok.errors import FrameTooLarge, PeerError, UpstreamLost, UpstreamMalformed
from potok.events.kinds import Event, RunEnd, Usage
from potok.models.json_pieces import PieceDecoder
from potok.models.openai_chat_calls import PartNames
from potok.models.openai_chat_choice import ChoiceParts
from potok.models.openai_chat_chunks import WireChoice
from potok.models.openai_errors import Refusals
from potok.wire.ndjson import NdjsonDecoder

__all__ = ["OllamaParser"]

Json = Any

_NANOSECONDS = 1e9
# Reasons that say no more than that the answer is over; calls may be what it ended with.
_PLAIN_REASONS = frozenset({"", "stop", "load", "unload"})


class _Line(msgspec.Struct, frozen=True, gc=False):
    """One line. What only the last one holds is read with care, so that no odd count spoils it."""

    message: dict[str, Json] | None = None
    response: str | None = None
    thinking: str | None = None
    done: bool = False
    done_reason: str | None = None
    logprobs: Json = None
    error: Json = None
    status: Json = None
    prompt_eval_count: Json = None
    eval_count: Json = None
    total_duration: Json = None
    load_duration: Json = None
    prompt_eval_duration: Json = None
    eval_duration: Json = None


_lines = msgspec.json.Decoder(_Line)
_TIMES = ("total_duration", "load_duration", "prompt_eval_duration", "eval_duration")


class OllamaParser:
    """Turns the bytes of one reply, cut anywhere, into events.

    Args:
        refusals: Makes the errors for what Ollama says is wrong.

    Parts are named as `OpenAiChatParser` names them. A call comes whole, so each is ended at once.
    The durations are nanoseconds, as Ollama counts, in the `extra` of `usage`.

    Attributes:
        fault: Why nothing more can come; nothing is raised, so that the events before a fault are
            never lost.
        is_done: The `run-end` was given; further bytes are ignored.
    """

    def __init__(self, *, refusals: Refusals) -> None:
        self.fault: PeerError | None = None
        self.is_done = False
        self._refusals = refusals
        self._decoder = NdjsonDecoder()
        self._pieces = PieceDecoder(_lines, growing=frozenset({"message", "response", "thinking"}))
        self._choice = ChoiceParts(index=0, names=PartNames(), provider=refusals.provider)

    @property
    def is_answered(self) -> bool:
        """Counts and the end come in one line: nothing is left out after the answer."""
        return self.is_done

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that `chunk` completes; look at `fault` and `is_done` afterwards."""
        events: list[Event] = []
        if self.fault is not None or self.is_done:
            return events
        fault: PeerError | None = None
        try:
            lines = self._decoder.feed(chunk)
        except FrameTooLarge as error:
            lines, fault = self._decoder.lines_before_fault, error
        self._take_all(lines, events)
        if self.fault is None and not self.is_done:
            self.fault = fault
        return events

    def finish(self) -> list[Event]:
        """Take the end of the body; return the last events, or set `fault`."""
        events: list[Event] = []
        if self.fault is not None or self.is_done:
            return events
        rest = self._decoder.flush()
        self._take_all(rest, events)
        if isinstance(self.fault, UpstreamMalformed) and not _is_page(rest[0]):
            # Half a line is what a broken connection leaves.
            self.fault = None
        if self.fault is None and not self.is_done:
            self.fault = UpstreamLost(
                f"The provider {self._refusals.provider} ended its connection before its answer"
                " was whole. Try again."
            )
        return events

    def _take_all(self, lines: list[bytes], events: list[Event]) -> None:
        for line in lines:
            try:
                self._take(self._pieces.decode(line), events)
            except msgspec.DecodeError as error:
                self.fault = self._malformed(line, error)
            except UpstreamMalformed as error:
                self.fault = error
            if self.fault is not None or self.is_done:
                return

    def _take(self, line: _Line, events: list[Event]) -> None:
        if line.error is not None:
            is_text = isinstance(line.error, str)
            said = {"message": line.error, "status": line.status} if is_text else line.error
            self.fault = self._refusals.from_stream(said)
            return
        delta = _delta_of(line)
        calls = delta.pop("tool_calls", None)
        logprobs = {"content": line.logprobs} if line.logprobs else None
        if delta or logprobs:
            self._choice.take(WireChoice(delta=delta, logprobs=logprobs), events)
        for call in calls if isinstance(calls, list) else ():
            if isinstance(call, dict):
                whole = {"tool_calls": [_fragment_of(call)]}
                self._choice.take(WireChoice(delta=whole), events)
                self._choice.close(events)
        if line.done:
            self._end(line, events)

    def _end(self, line: _Line, events: list[Event]) -> None:
        self._choice.close(events)
        if line.done_reason and line.done_reason not in _PLAIN_REASONS:
            self._choice.finish_reason = line.done_reason
        usage = _usage_of(line)
        if usage is not None:
            events.append(usage)
        events.append(RunEnd(outcome="finished", finish_reason=self._choice.reason))
        self.is_done = True

    def _malformed(self, line: bytes, error: msgspec.DecodeError) -> UpstreamMalformed:
        name = f"The provider {self._refusals.provider}"
        if _is_page(line):
            return UpstreamMalformed(
                f"{name} answers with a web page. Check its address: it is that of the Ollama"
                " server, without a path."
            )
        # The words of the JSON reader name fields and places, never what stood there.
        return UpstreamMalformed(
            f"{name} sent something that is no reply of Ollama ({error}). Check its address, or"
            " try again."
        )


def _is_page(line: bytes) -> bool:
    return line.lstrip().startswith(b"<")


def _delta_of(line: _Line) -> dict[str, Json]:
    # As a delta of Chat Completions: the same fields under the names that are known there.
    if line.message is None:
        delta: dict[str, Json] = {"content": line.response, "reasoning": line.thinking}
    else:
        delta = {name: value for name, value in line.message.items() if name != "role"}
        if "thinking" in delta:
            delta["reasoning"] = delta.pop("thinking")
    return {name: value for name, value in delta.items() if value}


def _fragment_of(call: dict[str, Json]) -> dict[str, Json]:
    function = call.get("function")
    function = function if isinstance(function, dict) else {}
    arguments = function.get("arguments")
    if not isinstance(arguments, str):
        arguments = msgspec.json.encode({} if arguments is None else arguments).decode()
    # Their own index is left out: each call is whole, and some servers count all of them as 0.
    known = {"index", "function"}
    return {
        **{name: value for name, value in call.items() if name not in known},
        "function": {"name": function.get("name"), "arguments": arguments},
    }


def _usage_of(line: _Line) -> Usage | None:
    times = {name: getattr(line, name) for name in _TIMES if _count(getattr(line, name))}
    prompt, said = _count(line.prompt_eval_count), _count(line.eval_count)
    if not (prompt or said or times):
        return None
    seconds = _count(line.eval_duration) / _NANOSECONDS
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=said,
        tokens_per_second=said / seconds if said and seconds else None,
        extra=times or None,
    )


def _count(value: Json) -> int:
    return value if isinstance(value, int) and value > 0 else 0
