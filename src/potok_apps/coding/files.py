"""Finds the files in what a coder wrote: fenced blocks that name their path. Pure."""

import re
from typing import NamedTuple

__all__ = ["CodeFile", "find_files"]

FILES_MAX = 20
"""Of one answer; a coder that writes more was misunderstood."""

_OPENING = re.compile(r"^ {0,3}(`{3,}|~{3,})[ \t]*([\w+#.-]*)[ \t]*(.*)$")
_PATH = re.compile(r"(?:path=|file=|title=)?[\"'`]?([\w.-]+(?:/[\w.-]+)*\.\w+)[\"'`]?$")
_COMMENT = re.compile(r"^\s*(?:#|//|--|<!--|/\*)\s*(?:file:\s*)?([\w.-]+(?:/[\w.-]+)*\.\w+)\b")
_EXTENSIONS = {
    "bash": "sh",
    "css": "css",
    "go": "go",
    "html": "html",
    "java": "java",
    "javascript": "js",
    "js": "js",
    "json": "json",
    "python": "py",
    "py": "py",
    "rust": "rs",
    "sh": "sh",
    "sql": "sql",
    "ts": "ts",
    "tsx": "tsx",
    "typescript": "ts",
    "yaml": "yaml",
}


class CodeFile(NamedTuple):
    """A file as the coder wrote it."""

    path: str
    language: str
    content: str


def find_files(text: str) -> list[CodeFile]:
    """Return the files of a text, in their order; a later one of a path takes its place.

    A path stands after the block's language, in its first line as a comment, or is made up. A
    block that is not closed is one, too: the coder reached its limit.
    """
    found: dict[str, CodeFile] = {}
    lines: list[str] | None = None
    fence = language = path = ""
    for line in [*text.splitlines(), None]:
        opening = _OPENING.match(line) if line is not None else None
        if lines is None:
            if opening is not None:
                fence, language, lines = opening[1], opening[2].lower(), []
                named = _PATH.search(opening[3].strip())
                path = named[1] if named else ""
            continue
        is_end = opening is not None and opening[1].startswith(fence) and not opening[2]
        if line is not None and not is_end:
            lines.append(line)
            continue
        if lines and len(found) < FILES_MAX:
            made_up = f"file{len(found) + 1}.{_EXTENSIONS.get(language, 'txt')}"
            one = CodeFile(path or _path_in(lines[0]) or made_up, language, "\n".join(lines) + "\n")
            found.pop(one.path, None)
            found[one.path] = one
        lines = None
    return list(found.values())


def _path_in(line: str) -> str:
    found = _COMMENT.match(line)
    return found[1] if found else ""
