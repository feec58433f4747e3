"""A model file on its way into the folder: its part on the disk, the checks, the last step.

Everything here blocks. One process at a time works on a part: it is locked.
"""

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self

import msgspec

from potok.errors import ModelFileRefused
from potok.limits import DOWNLOAD_SPARE_BYTES, DOWNLOAD_WRITE_BYTES, MiB
from potok.models.gguf.download_rules import Begun
from potok.models.gguf.files import SUFFIX
from potok.models.gguf.header import MAGIC, NotGguf, read_header

__all__ = ["Arrival"]

Advance = Callable[[int], None]
"""Is told how many bytes of the file are done."""


class Arrival:
    """The part of one model, locked until it is closed.

    Attributes:
        have_bytes: What is on the disk.
        target: Where the model will be.
    """

    _file: BinaryIO

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.target = folder / f"{name}{SUFFIX}"
        self.have_bytes = 0
        self._part = folder / f"{name}{SUFFIX}.part"
        self._facts = folder / f"{name}{SUFFIX}.part.json"

    @classmethod
    def open(cls, folder: Path, name: str) -> Self:
        """Open a part, or begin one.

        Raises:
            ModelFileRefused: the name is taken, another process works on it, or the folder cannot
                be written.
        """
        arrival = cls(folder, name)
        with arrival._told():
            folder.mkdir(parents=True, exist_ok=True)
            arrival._refuse_taken()
            arrival._file = arrival._part.open("a+b")
        try:
            fcntl.flock(arrival._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            arrival.close()
            raise ModelFileRefused(
                f"Another command is fetching {name} just now. Wait for it, or choose another"
                " --name."
            ) from None
        arrival.have_bytes = arrival._file.seek(0, os.SEEK_END)
        return arrival

    def close(self) -> None:
        """Give the lock back; what came is kept."""
        self._file.close()

    def begun(self, url: str) -> Begun:
        """Return what is known of the part; one of another address is thrown away."""
        try:
            begun = msgspec.json.decode(self._facts.read_bytes(), type=Begun)
        except (OSError, msgspec.DecodeError):
            begun = None
        if begun is None or begun.url != url:
            self.cut(0)
            begun = Begun(url=url)
        return begun

    def note(self, begun: Begun) -> None:
        """Write down what is known, so that a later command can go on."""
        with self._told():
            self._facts.write_bytes(msgspec.json.encode(begun))

    def cut(self, length: int) -> None:
        """Keep the first `length` bytes."""
        with self._told():
            self._file.truncate(length)
            self._file.seek(length)
        self.have_bytes = length

    def write(self, data: bytes | bytearray) -> None:
        """Append bytes; raises `ModelFileRefused` for a full disk, and as soon as it is no GGUF."""
        with self._told():
            self._file.write(data)
            self._file.flush()
        self.have_bytes += len(data)
        if self.have_bytes - len(data) < len(MAGIC) <= self.have_bytes:
            self.check_magic()

    def make_room(self, bytes_needed: int) -> None:
        """Raise `ModelFileRefused` if the disk has no room for so many bytes more."""
        free = shutil.disk_usage(self.target.parent).free
        if bytes_needed + DOWNLOAD_SPARE_BYTES > free:
            needed = (bytes_needed + DOWNLOAD_SPARE_BYTES) // MiB
            raise ModelFileRefused(
                f"The disk of {self.target.parent} has {free // MiB} MiB free, and {self.name}"
                f" needs {needed} MiB more. Make room, or set POTOK_DATA_DIR to another disk. What"
                " came so far is kept."
            )

    def check_magic(self) -> None:
        """Throw the part away if it is no GGUF; raises `ModelFileRefused`."""
        self._file.seek(0)
        magic = self._file.read(len(MAGIC))
        self._file.seek(0, os.SEEK_END)
        if magic != MAGIC:
            self.discard()
            shown = " It is a web page." if magic.lstrip()[:1] == b"<" else ""
            raise ModelFileRefused(
                f"What came for {self.name} is no GGUF file.{shown} Check the address."
            )

    def take(self, source: Path, *, sha256: str | None, advance: Advance) -> None:
        """Bring a file of this machine in: by a second link to it, else by a copy.

        Raises:
            ModelFileRefused: as `finish`; the file itself stays as it is.
        """
        self.cut(0)
        try:
            read_header(source)
            with source.open("rb") as original:
                self._check(_sha256(original, advance) if sha256 else None, sha256)
            os.link(source.resolve(), self.target)
        except NotGguf as error:
            self.discard()
            raise ModelFileRefused(f"{source} is no model: {error}.") from error
        except FileExistsError:
            self._refuse_taken()
        except OSError:
            # Another disk, or one that knows no links.
            self._copy(source, advance)
            self.finish(sha256=sha256, advance=advance)
        self.discard()

    def finish(self, *, sha256: str | None, advance: Advance) -> None:
        """Check the whole file and give it its name; raises `ModelFileRefused`, part gone."""
        self.check_magic()
        self._file.seek(0)
        self._check(_sha256(self._file, advance) if sha256 else None, sha256)
        try:
            read_header(self._part)
        except NotGguf as error:
            self.discard()
            raise ModelFileRefused(f"What came for {self.name} is no model: {error}.") from error
        with self._told():
            os.fsync(self._file.fileno())
            self._name_it()

    def discard(self) -> None:
        """Throw away what came."""
        for path in (self._part, self._facts):
            path.unlink(missing_ok=True)

    def _name_it(self) -> None:
        # A link never takes the place of another file, a renaming would.
        try:
            os.link(self._part, self.target)
        except FileExistsError:
            self._refuse_taken()
        except OSError:
            self._refuse_taken()
            self._part.replace(self.target)
        self.discard()

    def _copy(self, source: Path, advance: Advance) -> None:
        with self._told(), source.open("rb") as original:
            self.make_room(source.stat().st_size)
            while data := original.read(DOWNLOAD_WRITE_BYTES):
                self.write(data)
                advance(self.have_bytes)

    def _check(self, found: str | None, wanted: str | None) -> None:
        if found != wanted:
            self.discard()
            raise ModelFileRefused(
                f"{self.name} has the checksum {found}, and should have {wanted}. Nothing of it is"
                " kept: add it again, or check the checksum."
            )

    def _refuse_taken(self) -> None:
        if self.target.exists():
            raise ModelFileRefused(
                f"There is already a model {self.name}. Choose another --name, or remove it: potok"
                f" models remove {self.name}"
            )

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> ModelFileRefused:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return ModelFileRefused(
                f"The disk of {self.target.parent} is full. Make room and add {self.name} again:"
                " what came so far is kept."
            )
        why = error.strerror or type(error).__name__
        return ModelFileRefused(f"{self.target.parent} cannot be written: {why}.")


def _sha256(file: BinaryIO, advance: Advance) -> str:
    digest = hashlib.sha256()
    done = 0
    while data := file.read(DOWNLOAD_WRITE_BYTES):
        digest.update(data)
        done += len(data)
        advance(done)
    return digest.hexdigest()
