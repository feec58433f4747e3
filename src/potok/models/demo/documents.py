"""Potok's own documentation as passages, packaged beside this module in two languages."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from potok.models.demo.language import Language
from potok.models.demo.retrieval import Index, Passage

__all__ = ["Library", "library"]

_FOLDER = Path(__file__).parent / "documents"
_TOPICS = (
    "potok",
    "words",
    "promises",
    "start",
    "reading",
    "stopping",
    "once",
    "faces",
    "models",
    "commands",
    "storage",
    "demo",
)
_KEYWORDS_MARK = "<!-- words:"


@dataclass(frozen=True, slots=True)
class Library:
    """All passages in one language, in the order of a reader who begins at the beginning.

    `topics` holds for each passage the number of its document.
    """

    index: Index
    topics: tuple[int, ...]

    @property
    def passages(self) -> tuple[Passage, ...]:
        """The passages in order."""
        return self.index.passages


@lru_cache(maxsize=2)
def library(language: Language) -> Library:
    """Return the documentation in one language; read and indexed at the first call."""
    passages: list[Passage] = []
    topics: list[int] = []
    for number, topic in enumerate(_TOPICS):
        document = (_FOLDER / f"{topic}.{language}.md").read_text(encoding="utf-8")
        found = _passages_of(document, source="definition" if topic == "words" else "document")
        passages += found
        topics += [number] * len(found)
    return Library(Index(passages), tuple(topics))


def _passages_of(document: str, *, source: str) -> list[Passage]:
    passages = []
    for section in document.split("\n## ")[1:]:
        title, _, body = section.partition("\n")
        keywords = ""
        if body.startswith(_KEYWORDS_MARK):
            first, _, body = body.partition("\n")
            keywords = first.removeprefix(_KEYWORDS_MARK).removesuffix("-->")
        passages.append(Passage(text=_unwrap(body), source=source, title=title, keywords=keywords))
    return passages


def _unwrap(body: str) -> str:
    """Join the lines of each paragraph; code and list items keep their lines."""
    lines: list[str] = []
    in_code = False
    for line in body.strip().split("\n"):
        is_fence = line.startswith("```")
        starts_anew = in_code or is_fence or not line or line.startswith("- ")
        if lines and lines[-1] and not starts_anew and not lines[-1].startswith("```"):
            lines[-1] += " " + line
        else:
            lines.append(line)
        in_code = in_code != is_fence
    return "\n".join(lines)
