"""Heads of GGUF files: the facts are read, and whatever is no head is refused in words."""

import struct
from pathlib import Path

import pytest

from potok.models.gguf.header import NotGguf, read_header
from tests.tiny_gguf import PLAIN_TEMPLATE, build_tiny_gguf


def head(*facts: bytes, version: int = 3, tensors: int = 0, count: int | None = None) -> bytes:
    told = len(facts) if count is None else count
    return b"GGUF" + struct.pack("<IQQ", version, tensors, told) + b"".join(facts)


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def fact(name: str, kind: int, value: bytes) -> bytes:
    return text(name) + struct.pack("<I", kind) + value


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_the_facts_of_a_model_are_read(tmp_path: Path) -> None:
    path = build_tiny_gguf(tmp_path / "m.gguf", context_tokens=2048)

    header = read_header(path)

    assert (header.architecture, header.name, header.use) == ("llama", "tiny", "chat")
    assert header.context_tokens == 2048
    assert header.chat_template == PLAIN_TEMPLATE
    assert not header.knows_tools
    assert not header.thinks


def test_a_template_tells_of_tools_and_of_thinking(tmp_path: Path) -> None:
    template = "{% if tools %}{% endif %}{% if enable_thinking %}{% endif %}"
    path = build_tiny_gguf(tmp_path / "m.gguf", template=template)

    header = read_header(path)

    assert header.knows_tools
    assert header.thinks


def test_a_model_that_pools_makes_vectors(tmp_path: Path) -> None:
    path = build_tiny_gguf(tmp_path / "m.gguf", pools=True)

    assert read_header(path).use == "embedding"


PARTS = [
    fact("general.type", 8, text("adapter")),
    fact("general.architecture", 8, text("clip")),
    fact("split.no", 2, struct.pack("<H", 1)),
]


@pytest.mark.parametrize("one", PARTS, ids=["adapter", "projector", "second-part"])
def test_what_is_no_model_by_itself_is_a_part(tmp_path: Path, one: bytes) -> None:
    path = written(tmp_path / "m.gguf", head(one))

    assert read_header(path).use == "part"


def test_every_kind_of_value_is_passed_over(tmp_path: Path) -> None:
    kinds = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q"}
    facts = [fact(f"f{kind}", kind, struct.pack(f"<{form}", 1)) for kind, form in kinds.items()]
    facts.append(fact("list", 9, struct.pack("<IQ", 4, 2) + struct.pack("<II", 1, 2)))
    facts.append(fact("words", 9, struct.pack("<IQ", 8, 2) + text("да") + text("")))
    facts.append(fact("general.architecture", 8, text("llama")))
    path = written(tmp_path / "m.gguf", head(*facts))

    assert read_header(path).architecture == "llama"


WRONG = [
    (b"", "does not begin with"),
    (b"<htm", "does not begin with"),
    (head(version=9), "has version 9"),
    (head(count=10**9), "claims to have 1000000000 facts"),
    (head(tensors=10**9), "1000000000 tensors"),
    (head(fact("x", 77, b"")), "unknown type 77"),
    (head(fact("x", 8, struct.pack("<Q", 2**60))), "claims to have 1152921504606846976 bytes"),
    (head(fact("x", 9, struct.pack("<IQ", 4, 2**60))), "claims to have 1152921504606846976 items"),
    (head(fact("x", 9, struct.pack("<IQ", 9, 1))), "items of the unknown type 9"),
]


@pytest.mark.parametrize(("data", "why"), WRONG)
def test_what_is_no_head_is_refused(tmp_path: Path, data: bytes, why: str) -> None:
    path = written(tmp_path / "m.gguf", data)

    with pytest.raises(NotGguf, match=why):
        read_header(path)


def test_a_head_that_is_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = head(
        fact("a", 4, struct.pack("<I", 7)),
        fact("b", 8, text("letters")),
        fact("c", 9, struct.pack("<IQ", 8, 1) + text("word")),
    )
    read_header(written(tmp_path / "whole", whole))

    for cut in range(len(whole)):
        path = written(tmp_path / "cut", whole[:cut])
        with pytest.raises(NotGguf):
            read_header(path)


def test_a_file_without_the_end_of_its_tensors_is_refused(tmp_path: Path) -> None:
    whole = build_tiny_gguf(tmp_path / "m.gguf").read_bytes()
    path = written(tmp_path / "cut.gguf", whole[: len(whole) // 2])

    with pytest.raises(NotGguf, match="in the middle of its tensors"):
        read_header(path)
