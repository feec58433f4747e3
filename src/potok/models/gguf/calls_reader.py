"""Reads `{"calls": [{"name", "arguments"}]}` or `{"answer"}` character by character. Pure.

A grammar has written it, so its form is given; only blanks, and where it breaks off, are not.
"""

import json
from typing import Literal

from potok.models.gguf.calling import ANSWER, ARGUMENTS, NAME

__all__ = ["CallsReader", "Piece"]

Piece = tuple[Literal["answer", "name", "arguments", "end"], str]
"""Text of the answer; a call's name; text of its arguments; the call is whole."""

# Where things stand: fields of the reply, and of one call in its list.
_REPLY, _CALL = 1, 3


class CallsReader:
    """Holds what one reply has been so far."""

    def __init__(self) -> None:
        self._depth = 0
        # The text in quotes that is being read, without them; None outside of one.
        self._quoted: str | None = None
        self._escape = ""
        self._key = ""
        self._is_key = True
        # The value whose text is passed on as it stands, and the depth at which it ends.
        self._raw: Literal["answer", "arguments"] | None = None
        self._raw_depth = 0
        self._out: list[Piece] = []

    def feed(self, text: str) -> list[Piece]:
        """Return the pieces that `text` completes; texts that go on come piece by piece."""
        for character in text:
            if self._quoted is not None:
                self._in_quotes(character)
            else:
                self._outside(character)
        out, self._out = self._out, []
        return out

    def _outside(self, character: str) -> None:
        if self._raw is not None and self._depth == self._raw_depth and character in ",}]":
            self._end_raw()
        if character == '"':
            self._quoted = ""
            self._say_raw(character)
            return
        if character in "{[":
            self._depth += 1
            self._is_key = character == "{"
        elif character in "}]":
            self._depth -= 1
            if self._raw is None and self._depth == _CALL - 1 and character == "}":
                self._out.append(("end", ""))
        elif character == "," and self._raw is None:
            self._is_key = True
        elif character == ":" and self._raw is None:
            self._is_key = False
            self._begin_raw()
            return
        self._say_raw(character)

    def _begin_raw(self) -> None:
        if self._depth == _CALL and self._key == ARGUMENTS:
            self._raw, self._raw_depth = "arguments", _CALL
        elif self._depth == _REPLY and self._key == ANSWER:
            self._raw, self._raw_depth = "answer", _REPLY

    def _end_raw(self) -> None:
        self._raw = None

    def _say_raw(self, character: str) -> None:
        if self._raw == "answer" and self._depth == _REPLY and character == '"':
            # A plain text: what is in its quotes is said, not the quotes.
            return
        if self._raw is not None and not (self._is_blank(character)):
            self._say(self._raw, character)

    def _is_blank(self, character: str) -> bool:
        return self._quoted is None and character in " \t\r\n"

    def _in_quotes(self, character: str) -> None:
        assert self._quoted is not None
        is_text = self._raw == "answer" and self._depth == _REPLY
        if self._raw is not None and not is_text:
            self._pass_quoted(character)
        elif self._escape or character == "\\":
            self._escape += character
            self._try_escape(is_text=is_text)
        elif character == '"':
            self._end_quoted(is_text=is_text)
        elif is_text:
            self._say("answer", character)
        else:
            self._quoted += character

    def _pass_quoted(self, character: str) -> None:
        assert self._raw is not None
        self._say(self._raw, character)
        if self._escape:
            self._escape = ""
        elif character == "\\":
            self._escape = character
        elif character == '"':
            self._quoted = None

    def _try_escape(self, *, is_text: bool) -> None:
        found = _unescaped(self._escape)
        if found is None:
            return
        letter, rest = found
        self._escape = ""
        if is_text:
            self._say("answer", letter)
        elif self._quoted is not None:
            self._quoted += letter
        for character in rest:
            self._in_quotes(character)

    def _end_quoted(self, *, is_text: bool) -> None:
        text, self._quoted = self._quoted or "", None
        if is_text:
            return
        if self._is_key:
            self._key = text
        elif self._depth == _CALL and self._key == NAME:
            self._out.append(("name", text))

    def _say(self, kind: Literal["answer", "arguments"], text: str) -> None:
        if self._out and self._out[-1][0] == kind:
            self._out[-1] = (kind, self._out[-1][1] + text)
        else:
            self._out.append((kind, text))


def _unescaped(escape: str) -> tuple[str, str] | None:
    """Return the letter that an escape means, and what does not belong to it; None for half of one.

    The first half of a letter outside the basic plane waits for its other half.
    """
    if len(escape) == 1 or (escape[1] == "u" and len(escape) < 6):
        return None
    if escape[1] != "u":
        return str(json.loads(f'"{escape}"')), ""
    rest = escape[6:]
    if 0xD800 <= int(escape[2:6], 16) <= 0xDBFF:
        if len(rest) < 6 and ("\\u".startswith(rest) or rest.startswith("\\u")):
            return None
        if not rest.startswith("\\u"):
            return "\ufffd", rest
    letter = str(json.loads(f'"{escape}"'))
    return letter.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), ""
