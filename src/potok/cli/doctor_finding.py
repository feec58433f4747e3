"""What a check of `potok doctor` found."""

from typing import Literal

import msgspec

__all__ = ["Finding"]


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one check found; `advice` says what to do about a warning or a problem."""

    name: str
    state: Literal["ok", "warning", "problem"]
    detail: str
    advice: str = ""
