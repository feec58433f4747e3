"""Takes the address to listen on, and says who has it when it is taken."""

import errno
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from potok import limits
from potok.errors import AddressTaken, SettingInvalid

__all__ = ["listen", "next_free_port", "who_listens"]

_LISTENING = "0A"
_PROC = Path("/proc")
_SOCKET = re.compile(r"socket:\[(\d+)\]")


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on the address; port 0 takes any free one.

    Raises:
        AddressTaken: somebody listens there; the message names the process if it can be seen.
        SettingInvalid: this machine has no such address, or the port needs rights.
    """
    family, address = _resolve(host, port)
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Connections of a server that has just gone do not keep its address from the next one.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        _give_up_on_deaf_clients(listener)
        listener.bind(address)
        # At once, not when the server is ready: two processes may bind one port, not listen on it.
        listener.listen(limits.BACKLOG_CONNECTIONS_MAX)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise _explain(error, host, port) from error
    return listener


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
    name = host.strip("[]")
    try:
        if not 0 <= port <= 65_535:
            # The look-up would take such a number, and cut it to another port.
            raise OverflowError
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, OverflowError, UnicodeError) as error:
        raise SettingInvalid(
            f"The address {host}:{port} is none of this machine. Use 127.0.0.1 for this machine"
            " alone, 0.0.0.0 for its networks, and a port from 1 to 65535."
        ) from error
    # `localhost` has two addresses; the printed one is what people copy.
    found.sort(key=lambda one: one[0] != socket.AF_INET)
    family, _, _, _, address = found[0]
    return family, address


def _give_up_on_deaf_clients(listener: socket.socket) -> None:
    # A client that neither reads nor leaves would keep its socket and what is queued for it: the
    # kernel drops it after the time in which every writer has given up. Connections inherit this.
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None:
        milliseconds = int(limits.WRITE_SECONDS_MAX * 1000)
        listener.setsockopt(socket.IPPROTO_TCP, option, milliseconds)


def _explain(error: OSError, host: str, port: int) -> AddressTaken | SettingInvalid:
    if error.errno == errno.EADDRINUSE:
        who = who_listens(port)
        by = f" by {who}" if who else ""
        return AddressTaken(
            f"The address {host}:{port} is already taken{by}. Stop that process, or choose another"
            " port with --port or POTOK_PORT."
        )
    if error.errno == errno.EACCES:
        return SettingInvalid(
            f"Port {port} needs rights that this process does not have. Choose one above 1023."
        )
    return SettingInvalid(
        f"This machine cannot listen on {host}:{port}: {error.strerror}. Use 127.0.0.1 for this"
        " machine alone, or 0.0.0.0 for its networks."
    )


def next_free_port(host: str, port: int) -> int | None:
    """Return the first port after `port` that can be listened on; None if none is near."""
    for candidate in range(port + 1, min(port + limits.PORTS_TRIED_MAX, 65_535) + 1):
        try:
            listen(host, candidate).close()
        except AddressTaken:
            continue
        return candidate
    return None


def who_listens(port: int) -> str | None:
    """Return `<command> (process <pid>)` of who listens on a port; None where it cannot be seen.

    Reads Linux's /proc; processes of other users show no sockets.
    """
    wanted = set(_listening_inodes(port))
    if not wanted:
        return None
    for process in _PROC.glob("[0-9]*"):
        if wanted & set(_sockets_of(process)):
            try:
                command = (process / "comm").read_text().strip()
            except OSError:
                command = "a process"
            return f"{command} (process {process.name})"
    return None


def _listening_inodes(port: int) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        try:
            rows = (_PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            # slot, local address:port, remote, state, queues, timer, retransmits, uid, _, inode
            fields = row.split()
            if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]


def _sockets_of(process: Path) -> Iterator[str]:
    try:
        descriptors = os.listdir(process / "fd")
    except OSError:
        return
    for descriptor in descriptors:
        try:
            found = _SOCKET.fullmatch(os.readlink(process / "fd" / descriptor))
        except OSError:
            continue
        if found:
            yield found[1]
