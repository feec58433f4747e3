"""What a crash leaves of a SQLite log: its file, and its write-ahead log up to some byte.

Does not imitate: pages that the disk wrote in another order, or a file system that lost a name.
"""

import shutil
from pathlib import Path

__all__ = ["torn_copy", "wal_bytes"]


def wal_bytes(path: Path) -> int:
    """Return how long the write-ahead log of a SQLite file is; 0 where there is none."""
    wal = _wal_of(path)
    return wal.stat().st_size if wal.exists() else 0


def torn_copy(path: Path, folder: Path, *, wal_bytes_kept: int) -> Path:
    """Copy a SQLite file and the first bytes of its write-ahead log; return the copy's path.

    A process that is killed leaves at least what was written when its last commit was
    acknowledged; a machine that loses power may leave less, unless each commit waited for the disk.

    Args:
        folder: Made here; the copy has the file's own name.
    """
    folder.mkdir(parents=True)
    copy = folder / path.name
    shutil.copyfile(path, copy)
    wal = _wal_of(path)
    if wal.exists():
        _wal_of(copy).write_bytes(wal.read_bytes()[:wal_bytes_kept])
    return copy


def _wal_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")
