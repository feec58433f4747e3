"""What an operator may say about models on this machine."""

from dataclasses import dataclass

__all__ = ["GgufOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufOptions:
    """How the files of one place are served.

    Args:
        context_tokens: Tokens of one conversation, prompt and answer together; never more than
            the model was trained for. Each slot needs memory for so many.
        slots: Answers of one model at once; further ones wait in their order.
        threads: Threads that compute; 0 leaves it to llama.cpp, which takes the physical cores.
        idle_seconds: A model that nobody asked for so long is taken out of memory; 0 never.
        loaded_max: Models in memory at once.
    """

    context_tokens: int = 8192
    slots: int = 2
    threads: int = 0
    idle_seconds: float = 600.0
    loaded_max: int = 2
