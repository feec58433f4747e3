"""What a graph kept is forgotten once its run has ended, whoever has made it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from potok.agents.checkpoints import Checkpoints
from potok.agents.registry import AgentRegistry
from potok.assembly.apps import CHECKPOINTS_FILE, InstalledApps
from potok.assembly.settings import load_settings
from potok.clock import RunId, WorkerId
from potok.errors import RunNotFound
from potok.events.envelope import Offset
from potok.events.run_request import RunRequest
from potok.models.catalogue import Catalogue
from potok.streamlog.contract import RunRecord, RunStatus
from potok.testing.fakes import CountingIds, FakeClock

ENDED, LIVE, FOREIGN, OLD = "01ended", "01live", "01foreign", "01old"


def record_of(run: str, status: RunStatus) -> RunRecord:
    return RunRecord(
        run=RunId(run),
        principal="local",
        request=RunRequest(agent="translator", input={"text": "Hello"}),
        request_hash="",
        status=status,
        epoch=1,
        worker=WorkerId("w"),
        created_at=0.0,
        last_event_at=0.0,
        tail=Offset(0),
    )


class Records:
    """A log that knows a few runs, and whose runs end when a test says so."""

    def __init__(self, statuses: Mapping[str, RunStatus] | None = None) -> None:
        self._statuses = statuses or {}
        self.ended: list[Callable[[RunRecord], None]] = []

    async def read_run(self, run: str) -> RunRecord:
        if run not in self._statuses:
            raise RunNotFound(run)
        return record_of(run, self._statuses[run])

    def on_end(self, listener: Callable[[RunRecord], None]) -> None:
        self.ended.append(listener)


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A data folder in which a process that is gone kept the state of four runs."""
    checkpoints = Checkpoints(tmp_path / CHECKPOINTS_FILE)
    saver = await checkpoints.saver()
    for run in (ENDED, LIVE, FOREIGN, OLD):
        config: Any = {"configurable": {"thread_id": run, "checkpoint_ns": ""}}
        checkpoint: Any = {"v": 4, "id": "1", "ts": "", "channel_values": {}}
        await saver.aput(config, checkpoint, cast(Any, {"source": "loop"}), {})
    await checkpoints.close()
    return tmp_path


async def left_after(folder: Path, ended: RunRecord, records: Records) -> set[str]:
    """Let a new process hear of a run's end; return whose state is still kept."""
    clock = FakeClock()
    apps = InstalledApps(
        load_settings({"POTOK_DATA_DIR": str(folder)}),
        models=AgentRegistry(Catalogue([], clock=clock)),
        clock=clock,
        ids=CountingIds(),
    )
    apps.watch(cast(Any, records), cast(Any, records))
    records.ended[0](ended)
    while apps._forgetting:
        await next(iter(apps._forgetting))
    await apps.host.close()
    checkpoints = Checkpoints(folder / CHECKPOINTS_FILE)
    kept = set(await checkpoints.kept_runs())
    await checkpoints.close()
    return kept


async def test_a_run_that_another_process_made_is_forgotten_and_so_are_those_it_left(
    folder: Path,
) -> None:
    records = Records({ENDED: "finished", LIVE: "running", OLD: "failed"})

    left = await left_after(folder, record_of(ENDED, "running"), records)

    assert left == {LIVE, FOREIGN}


async def test_a_run_that_was_left_to_another_worker_is_kept(folder: Path) -> None:
    records = Records({LIVE: "running"})

    left = await left_after(folder, record_of(LIVE, "running"), records)

    assert left == {ENDED, LIVE, FOREIGN, OLD}


async def test_a_run_that_was_removed_whole_is_forgotten(folder: Path) -> None:
    left = await left_after(folder, record_of(ENDED, "running"), Records())

    assert left == {LIVE, FOREIGN, OLD}


async def test_a_models_run_is_none_of_the_apps(folder: Path) -> None:
    record = msgspec.structs.replace(record_of(ENDED, "running"), request=RunRequest(model="demo"))

    left = await left_after(folder, record, Records({ENDED: "finished"}))

    assert left == {ENDED, LIVE, FOREIGN, OLD}
