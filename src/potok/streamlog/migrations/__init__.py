"""Steps of the SQLite log's schema, one module each. A step that was released is never edited."""

from potok.streamlog.migrations import m0001_runs_segments_workers

__all__ = ["STEPS"]

STEPS: tuple[tuple[str, ...], ...] = (m0001_runs_segments_workers.STATEMENTS,)
"""Statements of each step; step n leads to schema version n, counted from 1."""
