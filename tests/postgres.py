"""A real PostgreSQL that tests start themselves: once per test process, in a folder of its own.

`initdb` and `postgres` come from PATH or from where Debian puts them. PostgreSQL refuses to run as
root, so a root's server belongs to another user.
"""

import atexit
import getpass
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from functools import cache
from itertools import count
from pathlib import Path

import pytest

START_TRIES_MAX = 200

_schemas = count(1)


def new_schema() -> str:
    """Return the name of a schema that no other test uses."""
    return f"potok_{os.getpid()}_{next(_schemas)}"


def postgres_url() -> str:
    """Return the URL of the running server; skips the test where PostgreSQL is not installed."""
    url = started_url()
    if url is None:
        pytest.skip("PostgreSQL is not installed; scripts/setup-system says how")
    return url


async def new_database() -> str:
    """Return the URL of an empty database of its own; skips as `postgres_url`."""
    import asyncpg  # type: ignore[import-untyped]

    url = postgres_url()
    name = new_schema()
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    return f"{url.removesuffix('/postgres')}/{name}"


def _program(name: str) -> str | None:
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
    return found[-1] if found else shutil.which(name)


def _other_user() -> str | None:
    """Return the user to run as, None for this one."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@cache
def started_url() -> str | None:
    """Start the server once; return its URL, None where PostgreSQL is not installed."""
    initdb, postgres = _program("initdb"), _program("postgres")
    if initdb is None or postgres is None:
        return None
    user = _other_user()
    name = user or getpass.getuser()
    folder = Path(tempfile.mkdtemp(prefix="potok-postgres-"))
    if user is not None:
        shutil.chown(folder, user)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    data = folder / "data"
    subprocess.run(
        [initdb, "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"],
        user=user,
        cwd=folder,
        check=True,
        capture_output=True,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "USER": name},
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    options = ["fsync=off", "full_page_writes=off", "max_connections=100", "log_min_messages=fatal"]
    server = subprocess.Popen(
        [
            *(postgres, "-D", str(data), "-p", str(port), "-k", str(folder)),
            *("-c", "listen_addresses=127.0.0.1"),
            *(word for option in options for word in ("-c", option)),
        ],
        user=user,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    atexit.register(_stop, server)
    _wait_until_ready(folder, port, server)
    return f"postgresql://postgres@127.0.0.1:{port}/postgres"


def _wait_until_ready(folder: Path, port: int, server: "subprocess.Popen[bytes]") -> None:
    ask = _program("pg_isready") or "pg_isready"
    for _ in range(START_TRIES_MAX):
        if server.poll() is not None:
            break
        asked = subprocess.run(
            [ask, "-q", "-h", str(folder), "-p", str(port), "-t", "1"], check=False
        )
        if asked.returncode == 0:
            return
        # A short wait by another process: this one may run under an event loop's watch.
        subprocess.run([sys.executable, "-c", "import time; time.sleep(0.05)"], check=True)
    raise RuntimeError("PostgreSQL did not start")


def _stop(server: "subprocess.Popen[bytes]") -> None:
    server.send_signal(signal.SIGQUIT)
    server.wait()
