"""Where graphs keep their state: shared by workers, never half written, and forgotten."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from potok.agents.checkpoints import Checkpoints
from potok.agents.contract import Turn
from potok.agents.registry import AgentRegistry
from potok.agents.session import Session, SessionVar
from potok.clock import RunId
from potok.events.kinds import Event, Status
from potok.events.run_request import RunRequest
from potok.limits import AGENT_STARTS_AT_ONCE
from potok.models.catalogue import Catalogue
from potok.testing.fakes import FakeClock
from potok.testing.gates import Gate
from tests.postgres import new_database, postgres_url

RUN = "01checkpoint0run000000000"


@pytest.fixture
async def checkpoints(tmp_path: Path) -> AsyncIterator[Checkpoints]:
    kept = Checkpoints(tmp_path / "checkpoints.sqlite3")
    yield kept
    await kept.close()


@pytest.fixture
def server() -> str:
    # Outside of any loop: it is started as a process.
    return postgres_url()


@pytest.fixture
async def url(server: str) -> str:
    return await new_database()


def config(run: str = RUN) -> Any:
    return {"configurable": {"thread_id": run, "checkpoint_ns": ""}}


def checkpoint(number: int) -> Any:
    return {
        "v": 4,
        "id": f"1ef{number:04}",
        "ts": "",
        "channel_values": {},
        "channel_versions": {},
        "versions_seen": {},
    }


async def put(checkpoints: Checkpoints, number: int = 0, *, source: str = "loop") -> None:
    saver = await checkpoints.saver()
    metadata: Any = {"source": source, "step": number, "parents": {}}
    await saver.aput(config(), checkpoint(number), metadata, {})


async def is_kept(checkpoints: Checkpoints) -> bool:
    return await (await checkpoints.saver()).aget_tuple(config()) is not None


@pytest.mark.parametrize("steps", range(0, 24, 2))
async def test_a_write_that_is_cut_leaves_the_file_free_for_other_processes(
    checkpoints: Checkpoints, tmp_path: Path, steps: int
) -> None:
    await put(checkpoints, 1)

    writing = asyncio.create_task(put(checkpoints, 2))
    for _ in range(steps):
        await asyncio.sleep(0)
    writing.cancel()
    await asyncio.wait([writing])

    other = sqlite3.connect(tmp_path / "checkpoints.sqlite3", timeout=0)
    other.execute("DELETE FROM writes")
    other.commit()
    other.close()


async def test_what_a_run_kept_is_forgotten_by_a_process_that_ran_no_graph(
    checkpoints: Checkpoints, tmp_path: Path
) -> None:
    await put(checkpoints)
    other = Checkpoints(tmp_path / "checkpoints.sqlite3")

    await other.forget(RUN)
    await other.close()

    assert not await is_kept(checkpoints)


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_forgetting_makes_no_file_where_no_graph_ever_ran(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "checkpoints.sqlite3")

    await checkpoints.forget(RUN)

    assert files_in(tmp_path) == []


async def test_graphs_that_think_long_before_they_speak_hold_up_no_other(
    checkpoints: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("potok.agents.checkpoints.AGENT_START_SECONDS_MAX", 0.01)
    thinking = Gate()

    async def think() -> None:
        async with checkpoints.turn_to_start():
            await thinking.wait()

    thinkers = [asyncio.create_task(think()) for _ in range(AGENT_STARTS_AT_ONCE)]
    async with asyncio.timeout(5), checkpoints.turn_to_start():
        pass
    thinking.open()

    await asyncio.gather(*thinkers)


def session_of(stored: Gate) -> Session:
    request = RunRequest(agent="crew", input="hello")
    turn = Turn(run=RunId(RUN), request=request, stored=stored.wait)
    models = AgentRegistry(Catalogue([], clock=FakeClock()))
    return Session(turn, agent="crew", models=models, locate=lambda: "f")


async def _read(session: Session, heard: list[Event]) -> None:
    async for batch in session.outbox.batches():
        heard += batch


async def test_nothing_is_said_before_the_first_checkpoint_is_written(
    checkpoints: Checkpoints,
) -> None:
    stored, heard = Gate(), list[Event]()
    session = session_of(stored)
    SessionVar.set(session)
    reading = asyncio.create_task(_read(session, heard))
    writing = asyncio.create_task(put(checkpoints, source="input"))
    await stored.until_waited_for()

    saying = asyncio.create_task(session.put(Status(text="Hello", code="hello")))
    for _ in range(10):
        await asyncio.sleep(0)
    before = list(heard)
    stored.open()
    await asyncio.gather(writing, saying)
    session.outbox.close()
    await reading

    assert before == []
    assert [type(event) for event in heard] == [Status]


async def test_workers_that_start_together_all_open_the_same_postgres(url: str) -> None:
    workers = [Checkpoints(Path("none"), url=url) for _ in range(3)]

    await asyncio.gather(*(worker.saver() for worker in workers))

    await put(workers[0])
    assert await is_kept(workers[2])
    await asyncio.gather(*(worker.close() for worker in workers))


async def test_a_connection_to_postgres_that_was_dropped_is_replaced(url: str) -> None:
    import asyncpg  # type: ignore[import-untyped]

    checkpoints = Checkpoints(Path("none"), url=url)
    await put(checkpoints, 1)
    admin = await asyncpg.connect(url)
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    await admin.close()

    await put(checkpoints, 2)

    assert await is_kept(checkpoints)
    await checkpoints.close()


async def test_a_text_with_a_nul_is_kept_by_postgres_too(url: str) -> None:
    checkpoints = Checkpoints(Path("none"), url=url)
    saver = await checkpoints.saver()
    state: Any = {**checkpoint(1), "channel_values": {"message": "a\x00b", "number": 1}}

    await saver.aput(config(), state, {"source": "loop"}, {"message": "1", "number": "1"})

    kept = await saver.aget_tuple(config())
    assert kept is not None
    assert kept.checkpoint["channel_values"] == {"message": "a\ufffdb", "number": 1}
    await checkpoints.close()


async def test_postgres_is_taken_by_every_name_that_the_chats_database_takes(url: str) -> None:
    checkpoints = Checkpoints(
        Path("none"), url=url.replace("postgresql://", "postgresql+asyncpg://", 1)
    )

    await put(checkpoints)

    assert await is_kept(checkpoints)
    await checkpoints.close()
