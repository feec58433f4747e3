"""The checks of `potok doctor` that look at the event log: a file, or a Redis."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from potok import limits
from potok.assembly.log import LOG_FILE, MISSING_REDIS
from potok.assembly.settings import Settings
from potok.cli.doctor_finding import Finding
from potok.clock import SystemClock
from potok.errors import PotokError
from potok.streamlog.sqlite_check import FileReport, check_file

__all__ = ["examine_log"]


def examine_log(settings: Settings) -> Iterator[Finding]:
    """Look at the log that the server would use."""
    if settings.storage.redis_url is None:
        path = settings.data_dir / LOG_FILE
        yield _judge_file(path, check_file(path))
    else:
        yield from _examine_redis(settings)


def _judge_file(path: Path, report: FileReport | None) -> Finding:
    if report is None:
        return Finding("event log", "ok", f"no {path.name} yet, the first start makes it")
    if report.fault is not None:
        return Finding(
            "event log",
            "problem",
            report.fault,
            "Keep a copy of the folder. Then move the file away, or set POTOK_DATA_DIR to another"
            " folder; a log of a newer Potok needs that Potok.",
        )
    used = ", in use by a running server" if report.is_in_use else ""
    return Finding(
        "event log",
        "ok",
        f"{report.runs} runs in {report.size_bytes / limits.MiB:.1f} MiB, schema"
        f" {report.version} of {report.version_known}, no damage{used}",
    )


def _examine_redis(settings: Settings) -> Iterator[Finding]:
    storage = settings.storage
    assert storage.redis_url is not None
    try:
        from potok.streamlog.redis_look import look
    except ImportError:
        yield Finding("event log", "problem", MISSING_REDIS)
        return
    url = storage.redis_url.get_secret_value()
    try:
        facts = asyncio.run(look(url, durability=storage.durability, clock=SystemClock()))
    except PotokError as error:
        yield Finding("event log", "problem", error.message)
        return
    memory = f"{facts.memory_used / limits.MiB:.1f} MiB used"
    if facts.memory_max:
        memory += f" of {facts.memory_max / limits.MiB:.0f}, then {facts.policy}"
    yield Finding(
        "event log",
        "ok",
        f"{facts.version} at {facts.place}; {facts.keeps}; {memory}; replicas: {facts.replicas};"
        f" it answers in {facts.answer_seconds * 1000:.1f} ms",
    )
    for risk in facts.risks:
        what, _, advice = risk.partition(". ")
        yield Finding("event log", "warning", what, advice)
    if facts.answer_seconds > limits.REDIS_SLOW_SECONDS_WARN:
        slow = (
            f"Redis took {facts.answer_seconds * 1000:.0f} ms to answer; each commit waits so long"
        )
        yield Finding("event log", "warning", slow, "Put it nearer, or look at its load.")
    if abs(facts.skew_seconds) > limits.REDIS_SKEW_SECONDS_WARN:
        yield Finding(
            "event log",
            "warning",
            f"the clock of Redis is {facts.skew_seconds:+.0f} s from this machine's; runs go by"
            " that of Redis",
            "Let both machines take their time from NTP.",
        )
