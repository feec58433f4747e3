"""What the head of a GGUF file says of its model: name, context, chat template, purpose.

Reads the facts before the tensors and nothing of the tensors. Every count in a file is a
stranger's word and is bounded.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

from potok.limits import GGUF_FACT_BYTES_MAX, GGUF_FACTS_MAX, GGUF_ITEMS_MAX

__all__ = ["MAGIC", "GgufHeader", "NotGguf", "read_header"]

MAGIC: Final = b"GGUF"
"""The first four bytes of every GGUF file."""

Use = Literal["chat", "embedding", "part"]

_VERSIONS = (2, 3)
_STRING, _ARRAY = 8, 9
# Types of values by their number in the file: struct's letter for each of a fixed size.
_FIXED: Final = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
_ENCODERS = ("bert", "t5encoder", "gemma-embedding", "eurobert")
_POOLING_NONE = 0
_DIMENSIONS_MAX = 8


class NotGguf(ValueError):
    """The file is no GGUF, or a broken one; the message ends a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufHeader:
    """Facts of one file.

    `use` is `part` for a file that is no model by itself: an adapter, a projector of pictures, or
    a later part of a model in several files. `context_tokens` is what the model was trained for,
    0 if unknown.
    """

    architecture: str
    name: str
    use: Use
    context_tokens: int
    chat_template: str

    @property
    def knows_tools(self) -> bool:
        """Whether the model's template shows tools to it."""
        return "tools" in self.chat_template

    @property
    def thinks(self) -> bool:
        """Whether the model's template speaks of thinking."""
        words = ("enable_thinking", "<think>", "reasoning_content", "<|channel|>")
        return any(word in self.chat_template for word in words)


def read_header(path: Path) -> GgufHeader:
    """Return the facts of a file; blocks for as long as a vocabulary is read over.

    Raises:
        NotGguf: it is none. OSError: it cannot be read.
    """
    with path.open("rb", buffering=1024 * 1024) as file:
        facts = _Reader(file).facts()
    architecture = _text(facts, "general.architecture")
    context = facts.get(f"{architecture}.context_length")
    return GgufHeader(
        architecture=architecture,
        name=_text(facts, "general.name"),
        use=_use_of(facts, architecture),
        context_tokens=context if isinstance(context, int) and context > 0 else 0,
        chat_template=_text(facts, "tokenizer.chat_template"),
    )


def _use_of(facts: dict[str, Any], architecture: str) -> Use:
    if facts.get("general.type", "model") != "model" or architecture == "clip":
        return "part"
    if facts.get("split.no", 0) != 0:
        return "part"
    pooling = facts.get(f"{architecture}.pooling_type", _POOLING_NONE)
    if pooling != _POOLING_NONE or any(word in architecture for word in _ENCODERS):
        return "embedding"
    return "chat"


def _text(facts: dict[str, Any], name: str) -> str:
    value = facts.get(name, "")
    return value if isinstance(value, str) else ""


class _Reader:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def facts(self) -> dict[str, Any]:
        if self._file.read(4) != MAGIC:
            raise NotGguf("it does not begin with the letters GGUF")
        version = self._number("<I")
        if version not in _VERSIONS:
            raise NotGguf(f"it has version {version} of the format, which is not known here")
        tensors, count = self._number("<Q"), self._number("<Q")
        if max(tensors, count) > GGUF_FACTS_MAX:
            raise NotGguf(f"it claims to have {count} facts and {tensors} tensors")
        facts: dict[str, Any] = {}
        for _ in range(count):
            name = self._string()
            facts[name] = self._value(self._number("<I"))
        self._check_tensors(tensors, facts.get("general.alignment", 32))
        return facts

    def _check_tensors(self, count: int, alignment: Any) -> None:
        # Where the last tensor begins there must be something left of the file.
        furthest = 0
        for _ in range(count):
            self._string()
            dimensions = self._number("<I")
            if dimensions > _DIMENSIONS_MAX:
                raise NotGguf(f"one of its tensors claims to have {dimensions} dimensions")
            self._file.seek(8 * dimensions + 4, 1)
            furthest = max(furthest, self._number("<Q"))
        head, size = self._file.tell(), self._file.seek(0, 2)
        if head > size:
            raise _cut()
        step = alignment if isinstance(alignment, int) and alignment > 0 else 32
        begin = -(-head // step) * step
        if count and size <= begin + furthest:
            raise _cut("its tensors")

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            return self._pass_over_array()
        if kind not in _FIXED:
            raise NotGguf(f"it holds a value of the unknown type {kind}")
        return self._number(_FIXED[kind])

    def _pass_over_array(self) -> None:
        # Vocabularies and the like: nobody here wants them.
        kind, count = self._number("<I"), self._number("<Q")
        if count > GGUF_ITEMS_MAX:
            raise NotGguf(f"one of its lists claims to have {count} items")
        if kind in _FIXED:
            self._file.seek(count * struct.calcsize(_FIXED[kind]), 1)
        elif kind == _STRING:
            read, unpack = self._file.read, struct.Struct("<Q").unpack
            for _ in range(count):
                head = read(8)
                if len(head) < 8:
                    raise _cut()
                length = self._bounded(unpack(head)[0])
                if len(read(length)) < length:
                    raise _cut()
        else:
            raise NotGguf(f"one of its lists has items of the unknown type {kind}")

    def _string(self) -> str:
        length = self._bounded(self._number("<Q"))
        text = self._file.read(length)
        if len(text) < length:
            raise _cut()
        return text.decode("utf-8", "replace")

    def _bounded(self, length: int) -> int:
        if length > GGUF_FACT_BYTES_MAX:
            raise NotGguf(f"one of its texts claims to have {length} bytes")
        return length

    def _number(self, form: str) -> Any:
        size = struct.calcsize(form)
        read = self._file.read(size)
        if len(read) < size:
            raise _cut()
        return struct.unpack(form, read)[0]


def _cut(where: str = "its head") -> NotGguf:
    return NotGguf(f"it ends in the middle of {where}: the file is not whole")
