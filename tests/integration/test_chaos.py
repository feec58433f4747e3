"""The short form of `scripts/chaos`: some killed and cut processes, and what readers saw of it."""

from pathlib import Path

import pytest

from tests.integration.chaos.engine import Chaos
from tests.integration.chaos.plan import Backend
from tests.redis_server import need_redis

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

SECONDS = 26.0
STREAMS = 64
# Ten faults are planned, eight of them kills and cuts. A machine that is busy with much else may
# have too few live runs for some.
KILLS_AND_CUTS = 5
RUN_SECONDS = 4.5
SEED = 20261121


@pytest.mark.parametrize("backend", ["sqlite", "redis"])
async def test_readers_lose_nothing_while_processes_are_killed_and_links_are_cut(
    tmp_path: Path, backend: Backend
) -> None:
    if backend == "redis":
        need_redis()
    chaos = Chaos(
        backend,
        seconds=SECONDS,
        streams=STREAMS,
        faults=KILLS_AND_CUTS,
        seed=SEED,
        run_seconds=RUN_SECONDS,
        say=print,
    )

    report = await chaos.happen(tmp_path)

    print(report.as_text())
    for one in chaos.examined:
        print(one.faults, end="\n" if one.faults else "")
    figures = (report.lost, report.doubled, report.changed, report.hung, report.tokens_after_cancel)
    assert figures == (0, 0, 0, 0, 0)
    assert report.failures() == []
