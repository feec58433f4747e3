"""`scripts/chaos`: runs chaos on the backends that are asked for, prints and writes the report."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import uvloop

from tests.integration.chaos.engine import Chaos
from tests.integration.chaos.plan import Backend
from tests.integration.chaos.report import Report

_RUN_SECONDS = 9.0
_FAULTS_SHOWN_MAX = 30


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__)
    parser.add_argument("--backend", choices=("sqlite", "redis", "both"), default="both")
    parser.add_argument("--seconds", type=float, default=300.0, help="for each backend")
    parser.add_argument("--streams", type=int, default=1000, help="that begin in this time")
    parser.add_argument("--faults", type=int, default=50, help="kills and cuts, at least")
    parser.add_argument("--seed", type=int, default=1, help="of the plan")
    parser.add_argument("--report", type=Path, help="a file that gets the figures as JSON")
    parser.add_argument("--folder", type=Path, help="keeps the workers' files and logs")
    return parser.parse_args(words)


def _run(backend: Backend, asked: argparse.Namespace, folder: Path) -> Report:
    def say(words: str) -> None:
        print(f"{backend}: {words}", flush=True)

    chaos = Chaos(
        backend,
        seconds=asked.seconds,
        streams=asked.streams,
        faults=asked.faults,
        seed=asked.seed,
        run_seconds=min(_RUN_SECONDS, asked.seconds / 6),
        say=say,
    )
    report = uvloop.run(chaos.happen(folder / backend))
    print("", report.as_text(), "", sep="\n")
    found = [one for one in chaos.examined if one.faults]
    for one in found[:_FAULTS_SHOWN_MAX]:
        print(f"stream {one.number} ({one.model}, {one.status} {one.code}): {one.faults}")
    for trouble in report.troubles[:_FAULTS_SHOWN_MAX]:
        print(trouble)
    for silence in report.longest_silences:
        print(silence)
    for failure in report.failures():
        print(f"{backend}: FAILED: {failure}")
    return report


def main(words: Sequence[str] | None = None) -> int:
    """Return 0 if every backend kept all promises."""
    asked = _arguments(words)
    backends: list[Backend] = ["sqlite", "redis"] if asked.backend == "both" else [asked.backend]
    with tempfile.TemporaryDirectory(prefix="potok-chaos-") as temporary:
        folder = asked.folder or Path(temporary)
        reports = [_run(backend, asked, folder) for backend in backends]
    if asked.report is not None:
        asked.report.write_text(json.dumps([one.as_json() for one in reports], indent=2) + "\n")
    return 1 if any(report.failures() for report in reports) else 0


if __name__ == "__main__":
    sys.exit(main())
