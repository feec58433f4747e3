"""JSON bytes that stay one line in every reader, also in those that split decoded text.

JSON escapes CR and LF itself. Python's `str.splitlines`, and with it the line iterators of common
HTTP clients, also breaks at U+0085, U+2028 and U+2029, which JSON may carry raw.
"""

import msgspec

__all__ = ["encode_json", "keep_one_line"]

_encode = msgspec.json.Encoder().encode


def encode_json(value: object) -> bytes:
    """Return `value` as one line of compact JSON."""
    return keep_one_line(_encode(value))


def keep_one_line(json: bytes) -> bytes:
    """Return the same JSON with the line breaks of Unicode escaped."""
    if json.isascii():
        return json
    if b"\xc2\x85" in json:
        json = json.replace(b"\xc2\x85", b"\\u0085")
    if b"\xe2\x80" in json:
        json = json.replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")
    return json
