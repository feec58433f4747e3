"""A command on a terminal of its own, with somebody who types and reads."""

import asyncio
import os
import pty
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

SHOWN_SECONDS_MAX = 15.0
READ_BYTES = 65_536
_STYLE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Typist:
    """Types into a command and reads what it shows, without styles."""

    def __init__(self, process: asyncio.subprocess.Process, terminal: int) -> None:
        self._process = process
        self._terminal = terminal
        self._grew = asyncio.Event()
        self._seen = 0
        self.shown = ""
        os.set_blocking(terminal, False)
        asyncio.get_running_loop().add_reader(terminal, self._read)

    def _read(self) -> None:
        try:
            chunk = os.read(self._terminal, READ_BYTES)
        except OSError:  # the command is gone, and its end of the terminal with it
            chunk = b""
        if not chunk:
            self.stop_reading()
        text = _STYLE.sub("", chunk.decode(errors="replace"))
        self.shown += text.replace("\r\n", "\n")
        self._grew.set()

    def stop_reading(self) -> None:
        """Hear no more of the terminal; harmless twice."""
        asyncio.get_running_loop().remove_reader(self._terminal)

    async def sees(self, pattern: str) -> str:
        """Wait until the pattern stands in what was shown after the last match; return that."""
        async with asyncio.timeout(SHOWN_SECONDS_MAX):
            while not (found := re.search(pattern, self.shown[self._seen :])):
                self._grew.clear()
                await self._grew.wait()
        begin, self._seen = self._seen, self._seen + found.end()
        return self.shown[begin : self._seen]

    def types(self, keys: str) -> None:
        """Send keys: Enter is CR, Ctrl-C is ETX (3), Ctrl-D is EOT (4)."""
        os.write(self._terminal, keys.encode())

    async def ended(self) -> int:
        """Wait for the command's end; return its exit status."""
        async with asyncio.timeout(SHOWN_SECONDS_MAX):
            return await self._process.wait()


@asynccontextmanager
async def typing_into(*words: str, **environ: str) -> AsyncIterator[Typist]:
    """Run `potok <words>` on a terminal; it is killed at the end if it still runs."""
    terminal, its_end = pty.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "potok", *words),
            stdin=its_end,
            stdout=its_end,
            stderr=its_end,
            start_new_session=True,
            preexec_fn=_own_the_terminal,
            env={**os.environ, "TERM": "xterm", **environ},
        )
    finally:
        os.close(its_end)
    typist = Typist(process, terminal)
    try:
        yield typist
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()
        typist.stop_reading()
        os.close(terminal)


def _own_the_terminal() -> None:
    # Ctrl-C reaches the processes whose controlling terminal this is.
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
