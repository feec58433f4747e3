"""The pages of `docs/clients` as programs: their fenced blocks, joined by language."""

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["EXAMPLE_ADDRESS", "Page", "pages"]

FOLDER = Path(__file__).parents[2] / "docs/clients"
EXAMPLE_ADDRESS = "127.0.0.1:8000"
EXAMPLE_KEY = "question-17"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INSTALLATION = re.compile(r"^(pip|npm) install (.+)\n$")


@dataclass(frozen=True)
class Page:
    """One page: `blocks` are (language, code), installations apart."""

    name: str
    text: str

    @property
    def blocks(self) -> list[tuple[str, str]]:
        return [block for block in self._all() if not _INSTALLATION.match(block[1])]

    @property
    def installs(self) -> dict[str, list[str]]:
        """The packages that the page says to install, by installer."""
        found = [_INSTALLATION.match(code) for _, code in self._all()]
        return {one[1]: one[2].split() for one in found if one}

    @property
    def languages(self) -> set[str]:
        return {language for language, _ in self.blocks}

    def program(self, language: str, *, address: str, key: str = "") -> str:
        """Return all blocks of a language as one program for the server at `address`.

        `key` takes the place of the pages' own Idempotency-Key, so that pages share no answer.
        """
        joined = "\n".join(code for spoken, code in self.blocks if spoken == language)
        return joined.replace(EXAMPLE_ADDRESS, address).replace(EXAMPLE_KEY, key or EXAMPLE_KEY)

    def _all(self) -> list[tuple[str, str]]:
        return [(found[1], found[2]) for found in _BLOCK.finditer(self.text)]


def pages() -> dict[str, Page]:
    """Return all pages but the list of them, by name."""
    files = sorted(FOLDER.glob("*.md"))
    return {file.stem: Page(file.stem, file.read_text()) for file in files if file.stem != "README"}
