"""One child process that serves one file: started, watched, killed. Knows no HTTP.

Threads wait for the process, never the loop: so it works in any loop, in any thread.
"""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from potok.errors import ModelUnusable
from potok.limits import GGUF_COMPLAINTS_MAX, GGUF_START_SECONDS_MAX
from potok.models.gguf import child
from potok.models.time_limits import Sleep, time_limit

__all__ = ["INSTALL_LINE", "Process", "is_installed"]

INSTALL_LINE = "pip install '.[gguf]' in a checkout of Potok"
"""What installs the library that serves model files."""

_LINE_BYTES_MAX = 64 * 1024
_CAUSE = "error loading model: "


def is_installed() -> bool:
    """Whether the library is there; looks at the disk."""
    return find_spec("xllamacpp") is not None


class Process:
    """A running child.

    Attributes:
        address: Where it listens, `http://127.0.0.1:<port>`.
        pid: Its process id.
        ended: Done once the process is gone.
    """

    def __init__(self, address: str, reader: "_Reader") -> None:
        self.address = address
        self.pid = reader.child.pid
        self.ended = reader.ended
        self._reader = reader

    @property
    def is_alive(self) -> bool:
        """Whether it still runs, as far as anybody has heard."""
        return not self.ended.done()

    async def kill(self) -> None:
        """End the process; it is gone when this returns."""
        self._reader.kill()
        await asyncio.shield(self.ended)

    @classmethod
    async def start(cls, name: str, order: Mapping[str, Any], *, sleep: Sleep) -> "Process":
        """Start a child and wait until its model is loaded.

        Raises:
            ModelUnusable: the library is missing, or it cannot load the file.
        Cancelling kills the child.
        """
        reader = await _start_reader(order)
        try:
            async with time_limit(GGUF_START_SECONDS_MAX, sleep=sleep):
                answer = await asyncio.shield(reader.answer)
        except TimeoutError:
            reader.kill()
            raise ModelUnusable(
                f"The model {name} was not loaded within {GGUF_START_SECONDS_MAX:.0f} seconds."
            ) from None
        except BaseException:
            reader.kill()
            raise
        if "address" in answer:
            return cls(answer["address"], reader)
        reader.kill()
        await asyncio.shield(reader.ended)
        raise ModelUnusable(
            f"The model {name} cannot be loaded: {_cause(reader.complaints)}. If its file is"
            " whole, lower context_tokens or slots, or update xllamacpp."
        )


async def _start_reader(order: Mapping[str, Any]) -> "_Reader":
    starting = asyncio.create_task(
        asyncio.to_thread(_Reader.start_child, order, asyncio.get_running_loop())
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        # The fork cannot be taken back any more.
        starting.add_done_callback(_kill_started)
        raise


def _kill_started(starting: "asyncio.Task[_Reader]") -> None:
    if not starting.cancelled() and starting.exception() is None:
        starting.result().kill()


class _Reader(threading.Thread):
    """Reads what a child writes, to its end, and collects the child when it is dead."""

    def __init__(
        self, child: "subprocess.Popen[bytes]", lifeline: int, loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(name=f"gguf-{child.pid}", daemon=True)
        self.child = child
        self.complaints: deque[str] = deque(maxlen=GGUF_COMPLAINTS_MAX)
        self.answer: asyncio.Future[dict[str, Any]] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        self._lifeline = lifeline
        self._loop = loop

    @classmethod
    def start_child(cls, order: Mapping[str, Any], loop: asyncio.AbstractEventLoop) -> "_Reader":
        """Start the process and its reader; blocks for as long as a fork takes."""
        theirs, ours = os.pipe()
        try:
            process = subprocess.Popen(
                # -P: the folder of the program holds modules that are not meant to be found.
                [sys.executable, "-P", str(Path(child.__file__))],
                stdin=theirs,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                # Ctrl-C in a terminal is the server's: its runs go on later, so nothing may break.
                process_group=0,
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        reader = cls(process, ours, loop)
        reader.start()
        with suppress(BrokenPipeError):
            os.write(ours, json.dumps(dict(order)).encode() + b"\n")
        return reader

    def run(self) -> None:
        assert self.child.stdout is not None
        with self.child.stdout as output:
            self._read(output)
        self.child.wait()
        os.close(self._lifeline)
        self._tell(self.answer, {})
        self._tell(self.ended, None)

    def kill(self) -> None:
        """Send the signal; `ended` tells when it has worked."""
        with suppress(ProcessLookupError):
            self.child.kill()

    def _read(self, output: IO[bytes]) -> None:
        is_ready = False
        while line := output.readline(_LINE_BYTES_MAX):
            if is_ready:
                continue  # what it says later may hold what people wrote
            text = line.decode("utf-8", "replace").rstrip()
            if text.startswith(child.ANSWER):
                is_ready = True
                self._tell(self.answer, json.loads(text.removeprefix(child.ANSWER)))
            elif len(self.complaints) < GGUF_COMPLAINTS_MAX:
                self.complaints.append(text)

    def _tell(self, future: "asyncio.Future[Any]", value: Any) -> None:
        def set_result() -> None:
            if not future.done():
                future.set_result(value)

        # A loop that is closed has nobody left who waits.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(set_result)


def _cause(complaints: "deque[str]") -> str:
    for line in complaints:
        if _CAUSE in line:
            return line.partition(_CAUSE)[2].strip().rstrip(".")
    for line in reversed(complaints):
        if line.strip():
            return line.strip().rstrip(".")
    return "llama.cpp did not say why"
