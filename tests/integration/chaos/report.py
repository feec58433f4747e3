"""What one run of chaos found: as JSON for machines, as a table for people."""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.integration.chaos.examination import Examined
from tests.integration.chaos.faults import HITS_MIN, Done
from tests.integration.chaos.plan import Backend
from tests.integration.chaos.readers import Reader, Silence
from tests.integration.chaos.streams import Stream
from tests.integration.chaos.world import Spell

__all__ = ["FaultFigures", "Report", "made_report"]

FINISHED_SHARE_MIN = 0.9
_NEAR_SECONDS = 4.0
_LONGEST_MAX = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultFigures:
    """The faults of one kind, and the live runs that each of them hit."""

    kind: str
    times: int
    hits_min: int
    hits_median: float
    hits_max: int


@dataclass(slots=True, kw_only=True)
class Report:
    """The figures of one backend; docs/reliability.md says what each means."""

    backend: Backend
    seed: int
    seconds: float
    streams_wanted: int
    kills_and_cuts_wanted: int
    streams: int = 0
    events: int = 0
    readers: int = 0
    lines: int = 0
    frames: int = 0
    kills_and_cuts: int = 0
    other_faults: int = 0
    faults_with_too_few_runs: int = 0
    faults: list[FaultFigures] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)
    came_again: dict[str, int] = field(default_factory=dict)
    cancelled_on_purpose: int = 0
    finished_share: float = 0.0
    silences: int = 0
    silence_seconds_median: float = 0.0
    silence_seconds_p99: float = 0.0
    silence_seconds_max: float = 0.0
    silence_seconds_max_at_deaf_worker: float = 0.0
    longest_silences: list[str] = field(default_factory=list)
    pieces_to_deaf_workers: int = 0
    lost: int = 0
    doubled: int = 0
    changed: int = 0
    hung: int = 0
    tokens_after_cancel: int = 0
    started_twice: int = 0
    other_texts: int = 0
    not_finished_though_able: int = 0
    troubles: list[str] = field(default_factory=list)

    def failures(self) -> list[str]:
        """Return what is not as promised, in sentences; nothing where all is."""
        zeros = {
            "events lost": self.lost,
            "events doubled": self.doubled,
            "events changed": self.changed,
            "readers or runs hung": self.hung,
            "tokens taken after a cancel": self.tokens_after_cancel,
            "keys that started two runs": self.started_twice,
            "answers with another text": self.other_texts,
            "runs that did not finish though their upstream could go on": (
                self.not_finished_though_able
            ),
        }
        said = [f"{count} {what}" for what, count in zeros.items() if count]
        if self.streams < self.streams_wanted:
            said.append(f"only {self.streams} of {self.streams_wanted} streams")
        if self.kills_and_cuts < self.kills_and_cuts_wanted:
            said.append(
                f"only {self.kills_and_cuts} of {self.kills_and_cuts_wanted} kills and cuts hit"
                f" {HITS_MIN} live runs or more"
            )
        if self.finished_share < FINISHED_SHARE_MIN:
            said.append(f"only {self.finished_share:.1%} of the runs finished")
        return said

    def as_json(self) -> dict[str, Any]:
        """Return it for `json.dumps`."""
        return {**asdict(self), "failures": self.failures()}

    def as_text(self) -> str:
        """Return it as two tables in Markdown."""
        rows = {
            "streams": self.streams,
            "events in the log": self.events,
            "readers": self.readers,
            "lines they opened": self.lines,
            "frames they were shown": self.frames,
            "kills and cuts": self.kills_and_cuts,
            "other faults of upstreams": self.other_faults,
            "outcomes": ", ".join(f"{n} {name}" for name, n in sorted(self.outcomes.items())),
            "cancelled on purpose": self.cancelled_on_purpose,
            "finished, of those not cancelled": f"{self.finished_share:.1%}",
            "silences of readers, longer than 2 s": self.silences,
            "their length: median, 99 %, most": (
                f"{self.silence_seconds_median:.1f} s, {self.silence_seconds_p99:.1f} s,"
                f" {self.silence_seconds_max:.1f} s"
            ),
            "the longest at a worker that was frozen or cut off": (
                f"{self.silence_seconds_max_at_deaf_worker:.1f} s"
            ),
            "pieces sent to workers that could not hear of a cancel": self.pieces_to_deaf_workers,
            "**lost**": self.lost,
            "**doubled**": self.doubled,
            "**changed**": self.changed,
            "**hung**": self.hung,
            "**tokens after cancel**": self.tokens_after_cancel,
            "started twice": self.started_twice,
            "other texts than the uncut ones": self.other_texts,
            "not finished though the upstream could go on": self.not_finished_though_able,
            "lines of workers' logs about mistakes of Potok": len(self.troubles),
        }
        lines = [f"| {self.backend}, seed {self.seed}, {self.seconds:.0f} s | |", "|---|---|"]
        lines += [f"| {name} | {figure} |" for name, figure in rows.items()]
        lines += ["", "| fault | times | live runs hit: least, median, most |", "|---|---|---|"]
        lines += [
            f"| {one.kind} | {one.times} | {one.hits_min}, {one.hits_median:g}, {one.hits_max} |"
            for one in self.faults
        ]
        return "\n".join(lines)


def made_report(
    report: Report,
    *,
    streams: Sequence[Stream],
    examined: Sequence[Examined],
    faults: Sequence[Done],
    skipped: int,
    spells: Sequence[Spell],
    late_pieces: tuple[int, int],
    troubles: Sequence[str],
) -> Report:
    """Fill a report in.

    Args:
        late_pieces: Pieces taken after a cancel, and those by workers that could not hear of it.
    """
    readers = [reader for stream in streams for reader in stream.readers]
    report.streams = sum(stream.run is not None for stream in streams)
    report.readers = len(readers)
    report.lines = sum(reader.lines for reader in readers)
    _add_faults(report, faults, skipped)
    _add_outcomes(report, streams, examined)
    statuses = sum((stream.refusals for stream in streams), Counter[int]())
    report.came_again = {str(status): count for status, count in sorted(statuses.items())}
    _add_silences(report, [one for reader in readers for one in reader.silences], spells)
    report.longest_silences = _longest(readers, faults)
    report.tokens_after_cancel, report.pieces_to_deaf_workers = late_pieces
    report.started_twice = sum(len(stream.runs) > 1 for stream in streams)
    report.troubles = list(troubles)
    return report


def _add_silences(report: Report, silences: Sequence[Silence], spells: Sequence[Spell]) -> None:
    lengths: list[float] = []
    at_deaf = [0.0]
    for one in silences:
        is_deaf = any(
            spell.worker in one.asked and spell.since < one.until and one.since < spell.until
            for spell in spells
        )
        (at_deaf if is_deaf else lengths).append(one.until - one.since)
    lengths.sort()
    report.silences = len(lengths)
    report.silence_seconds_max_at_deaf_worker = round(max(at_deaf), 2)
    if lengths:
        report.silence_seconds_median = round(statistics.median(lengths), 2)
        report.silence_seconds_p99 = round(lengths[int(len(lengths) * 0.99)], 2)
        report.silence_seconds_max = round(lengths[-1], 2)


def _longest(readers: Sequence[Reader], faults: Sequence[Done]) -> list[str]:
    """Return the longest silences, each with who was silent and the faults shortly before."""
    told = []
    for reader in readers:
        for one in reader.silences:
            near = [
                f"{fault.kind} {one.since - fault.at:.1f} s before"
                for fault in faults
                if one.since - _NEAR_SECONDS < fault.at < one.until
            ]
            said = (
                f"{one.until - one.since:.1f} s, a reader of {reader.plan.face} that asked"
                f" {', '.join(sorted(one.asked))}, {one.lines} lines; {'; '.join(near)}"
            )
            told.append((one.until - one.since, said))
    return [said for _, said in sorted(told, reverse=True)[:_LONGEST_MAX]]


def _add_faults(report: Report, faults: Sequence[Done], skipped: int) -> None:
    counted = [fault for fault in faults if fault.hits >= HITS_MIN]
    report.kills_and_cuts = sum(fault.is_kill_or_cut for fault in counted)
    report.other_faults = len(counted) - report.kills_and_cuts
    report.faults_with_too_few_runs = len(faults) - len(counted) + skipped
    by_kind: dict[str, list[int]] = {}
    for fault in counted:
        by_kind.setdefault(fault.kind, []).append(fault.hits)
    report.faults = [
        FaultFigures(
            kind=kind,
            times=len(hits),
            hits_min=min(hits),
            hits_median=statistics.median(hits),
            hits_max=max(hits),
        )
        for kind, hits in sorted(by_kind.items())
    ]


def _add_outcomes(report: Report, streams: Sequence[Stream], examined: Sequence[Examined]) -> None:
    report.outcomes = dict(Counter(one.status for one in examined))
    report.events = sum(one.events for one in examined)
    report.frames = sum(one.frames for one in examined)
    for one in examined:
        report.lost += one.verdict.lost
        report.doubled += one.verdict.doubled
        report.changed += one.verdict.changed
        report.hung += one.hung + (one.status not in ("finished", "cancelled", "failed"))
        report.other_texts += not one.is_honest
    others = 0
    for stream, one in zip(streams, examined, strict=True):
        is_stopped = stream.plan.cancel_share is not None
        report.cancelled_on_purpose += is_stopped and one.status == "cancelled"
        if is_stopped and one.status == "cancelled":
            continue
        others += 1
        is_whole = one.status == "finished" and one.is_whole
        report.not_finished_though_able += stream.plan.can_continue and not is_whole
    finished = report.outcomes.get("finished", 0)
    report.finished_share = round(finished / others, 4) if others else 0.0
