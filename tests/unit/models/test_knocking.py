import asyncio
import socket

import pytest

from potok.models.knocking import somebody_listens


async def test_an_open_port_answers_and_a_closed_one_does_not() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    assert await somebody_listens(f"http://127.0.0.1:{port}", seconds=5.0)
    server.close()
    await server.wait_closed()
    assert not await somebody_listens(f"http://127.0.0.1:{port}", seconds=5.0)


async def test_whoever_does_not_answer_in_time_is_not_there() -> None:
    async def at_once(_: float) -> None:
        return None

    with socket.socket() as full, socket.socket() as first:
        # Nobody accepts: once its queue is full, a connection waits for ever.
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        first.setblocking(False)
        await asyncio.get_running_loop().sock_connect(first, full.getsockname())

        assert not await somebody_listens(url, seconds=5.0, sleep=at_once)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1/path"])
async def test_a_path_and_a_scheme_do_not_matter(url: str) -> None:
    assert not await somebody_listens(url, seconds=5.0)
