"""What Potok counts and times. The default observer does nothing; the server plugs in its own."""

from typing import Protocol

__all__ = ["Observer", "SilentObserver"]


class Observer(Protocol):
    """Hears of facts worth counting; must return at once and never raise."""

    def counted(self, name: str, amount: int = 1) -> None:
        """Hear that something happened `amount` times."""
        ...

    def timed(self, name: str, seconds: float) -> None:
        """Hear that something took `seconds`."""
        ...


class SilentObserver:
    """Ignores everything."""

    def counted(self, name: str, amount: int = 1) -> None:
        return None

    def timed(self, name: str, seconds: float) -> None:
        return None
