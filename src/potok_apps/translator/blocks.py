"""Cuts a Markdown text into blocks that are translated one by one. Pure."""

import re
from typing import NamedTuple

__all__ = ["Block", "cut_blocks"]

BLOCK_CHARACTERS_MAX = 3_000
"""Of text in one call of a model: small enough for short contexts, large enough for sense."""

# A fence ends at one of its own kind that is at least as long (CommonMark 4.5).
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_GAP = re.compile(r"(\n[ \t]*(?:\n[ \t]*)+)")


class Block(NamedTuple):
    """A piece of a text: what stands before it unchanged, and itself; `is_code` is kept as is."""

    before: str
    text: str
    is_code: bool


def cut_blocks(text: str, *, characters_max: int = BLOCK_CHARACTERS_MAX) -> list[Block]:
    """Return a text's blocks; joined as `before + text` they are the text again.

    Paragraphs go together while they fit; a paragraph that is longer is a block of its own.
    """
    blocks: list[Block] = []
    for part, is_code in _split_code(text):
        blocks += [Block("", part, True)] if is_code else _cut_text(part, characters_max)
    return [block for block in blocks if block.before or block.text]


def _split_code(text: str) -> list[tuple[str, bool]]:
    parts: list[tuple[str, bool]] = []
    lines: list[str] = []
    fence: str | None = None
    for line in text.splitlines(keepends=True):
        found = _FENCE.match(line)
        if fence is None and found:
            parts.append(("".join(lines), False))
            lines, fence = [line], found[1]
        elif (
            fence is not None and found and found[1].startswith(fence) and not line.strip("`~ \n\r")
        ):
            parts.append(("".join([*lines, line]), True))
            lines, fence = [], None
        else:
            lines.append(line)
    parts.append(("".join(lines), fence is not None))
    return [part for part in parts if part[0]]


def _cut_text(text: str, characters_max: int) -> list[Block]:
    blocks: list[Block] = []
    pieces = _GAP.split(text)
    for place in range(0, len(pieces), 2):
        gap = pieces[place - 1] if place else ""
        paragraph = pieces[place]
        if blocks and len(blocks[-1].text) + len(gap) + len(paragraph) <= characters_max:
            last = blocks.pop()
            blocks.append(Block(last.before, last.text + gap + paragraph, False))
        else:
            blocks.append(Block(gap, paragraph, False))
    return [fitted for block in blocks for fitted in _with_edges(block)]


def _with_edges(block: Block) -> list[Block]:
    # Blank edges are no model's business: it would trim them, or not.
    body = block.text.strip()
    if not body:
        return [Block(block.before + block.text, "", True)]
    start = block.text.index(body)
    tail = block.text[start + len(body) :]
    fitted = [Block(block.before + block.text[:start], body, False)]
    return [*fitted, Block(tail, "", True)] if tail else fitted
