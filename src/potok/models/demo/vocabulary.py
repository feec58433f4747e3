"""The word lists that the rules walk, read from `words/*.txt` at first use.

A list has `[sections]`; `#` opens a comment. All words are in lower case, with `е` for `ё`.
"""

from functools import cache
from pathlib import Path

__all__ = ["lines_of", "words_in"]

_FOLDER = Path(__file__).parent / "words"


@cache
def _sections(name: str) -> dict[str, tuple[str, ...]]:
    sections: dict[str, list[str]] = {}
    lines: list[str] = []
    for raw in (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").split("\n"):
        line = raw.strip()
        if line.startswith("["):
            lines = sections.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            lines.append(line)
    return {section: tuple(found) for section, found in sections.items()}


def lines_of(name: str, section: str) -> tuple[str, ...]:
    """Return the lines of one section in order."""
    return _sections(name)[section]


@cache
def words_in(name: str, section: str) -> frozenset[str]:
    """Return all words of one section."""
    return frozenset(word for line in _sections(name)[section] for word in line.split())
