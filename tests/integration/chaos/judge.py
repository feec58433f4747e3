"""What a reader was shown, held against what the log holds in the end. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Frame", "Verdict", "judge_reader", "judge_text"]


class Frame(NamedTuple):
    """One frame as it came: its id, its kind if its protocol has them, its data."""

    id: str
    kind: str
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Frames that a reader should have got and did not, got twice, or got otherwise."""

    lost: int = 0
    doubled: int = 0
    changed: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return self == Verdict()

    def __add__(self, other: "Verdict") -> "Verdict":
        return Verdict(
            lost=self.lost + other.lost,
            doubled=self.doubled + other.doubled,
            changed=self.changed + other.changed,
        )


def judge_reader(
    seen: Sequence[Frame],
    log: Sequence[Frame],
    *,
    is_over: bool = True,
    words_of: Callable[[Frame], str] = lambda frame: "",
) -> Verdict:
    """Compare a reader's frames with a whole, later reading of the same run in the same protocol.

    A frame that the log does not hold was shown and is not stored: it counts as lost. So does
    what comes between two frames that a reader got one after the other, and, where the reader
    takes its stream for over, all that follows its last one.

    Args:
        words_of: What a frame says, in protocols that may join neighbouring frames for a reader
            that lags: then one frame may say exactly what several of the log do.
    """
    places = {frame.id: place for place, frame in enumerate(log)}
    lost = doubled = changed = 0
    expected = 0
    for frame in seen:
        place = places.get(frame.id)
        if place is None:
            lost += 1
            continue
        if place < expected:
            doubled += 1
            changed += frame != log[place]
            continue
        said = words_of(frame)
        if (
            place == expected
            or not said
            or said != "".join(map(words_of, log[expected : place + 1]))
        ):
            changed += frame != log[place]
            lost += place - expected
        expected = place + 1
    if is_over:
        lost += len(log) - expected
    return Verdict(lost=lost, doubled=doubled, changed=changed)


def judge_text(said: str, uncut: str, *, is_whole: bool) -> bool:
    """Whether an answer is the uncut one, or where it may be broken off, a beginning of it."""
    return said == uncut if is_whole else uncut.startswith(said)
