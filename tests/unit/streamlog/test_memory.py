from potok.streamlog.memory import MemoryLog
from potok.testing.fakes import CountingIds, FakeClock
from potok.testing.streamlog_base import create, texts, texts_of, write


async def test_a_log_in_memory_keeps_its_runs_over_a_close() -> None:
    log = MemoryLog(FakeClock())
    await log.open()
    run = await create(log, CountingIds())
    await write(log, run, *texts("a"))

    await log.close()
    await log.open()

    assert await texts_of(log, run.run) == ["a"]
