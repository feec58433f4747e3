"""Stands where a run ends without another call."""

from collections.abc import AsyncGenerator
from typing import Any

from potok.agents.contract import Turn

__all__ = ["NoAgent"]


class NoAgent:
    """An agent that is never asked."""

    name = "none"

    async def can_continue(self, turn: Turn) -> None:
        return None

    def run(self, turn: Turn) -> AsyncGenerator[list[Any], None]:
        raise AssertionError("a run that ends calls no agent")
