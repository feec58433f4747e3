"""Potok: LLM answers and agent runs as durable streams."""

__all__ = ["__version__"]

__version__ = "0.1.0"
