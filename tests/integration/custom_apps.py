"""Registers an app for a server process without installing it: its entry point on the path."""

from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def app_on_path(folder: Path, *, source: Path, entry: str) -> str:
    """Write the metadata of an app into `folder`; return the PYTHONPATH that makes it found.

    `entry` is as in pyproject.toml: `tutor = custom_agent:app`.
    """
    metadata = folder / "test_app-0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: test-app\nVersion: 0\n")
    (metadata / "entry_points.txt").write_text(f"[potok.apps]\n{entry}\n")
    return f"{folder}:{source}"
