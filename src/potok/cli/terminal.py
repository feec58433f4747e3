"""Where words for people go: colours only where they are seen, no control characters of a model."""

import sys
from typing import TextIO

__all__ = ["Terminal"]

_CONTROL = {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}


class Terminal:
    """One output. `is_shown` says that a person looks at it, and not a program.

    Args:
        is_plain: No colours, whatever the output is.
    """

    def __init__(self, out: TextIO | None = None, *, is_plain: bool = False) -> None:
        self._out = sys.stdout if out is None else out
        self.is_shown = self._out.isatty()
        self._has_styles = self.is_shown and not is_plain
        self._is_dim = False
        self._is_at_line_start = True

    def write(self, text: str, *, dim: bool = False) -> None:
        """Write at once. On a screen, text of a model cannot move the cursor or change settings."""
        if not text:
            return
        if self.is_shown:
            text = text.translate(_CONTROL)
        if dim is not self._is_dim and self._has_styles:
            self._out.write("\x1b[2m" if dim else "\x1b[22m")
            self._is_dim = dim
        self._out.write(text)
        self._out.flush()
        self._is_at_line_start = text.endswith("\n")

    def line(self, text: str = "", *, dim: bool = False) -> None:
        """Write a line of its own, below what stands there."""
        self.break_line()
        self.write(text, dim=dim)
        self.reset()
        self.write("\n")

    def break_line(self) -> None:
        """Go to a new line, unless one has just begun."""
        if not self._is_at_line_start:
            self.write("\n")

    def begin_line(self) -> None:
        """Note that the cursor is at the start of a line: somebody else wrote."""
        self._is_at_line_start = True

    def reset(self) -> None:
        """Leave no style behind."""
        if self._is_dim:
            self._out.write("\x1b[22m")
            self._out.flush()
            self._is_dim = False
