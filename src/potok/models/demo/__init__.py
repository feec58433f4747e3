"""The built-in demo model: offline, honest about being no language model, the same every time."""

from potok.models.demo.model import DemoModel, DemoProvider

__all__ = ["DemoModel", "DemoProvider"]
