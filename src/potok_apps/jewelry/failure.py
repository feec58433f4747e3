"""What the house fails with."""

from potok.apps.contract import PotokError

__all__ = ["NobodyAnswered"]


class NobodyAnswered(PotokError):
    """Every agent that was asked has failed."""

    code, retryable = "nobody_answered", True
