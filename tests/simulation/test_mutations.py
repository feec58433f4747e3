"""Simulations that cannot fail show nothing: each of these faults of Potok itself is found."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from msgspec.structs import replace

from potok.agents import answering
from potok.clock import RunId, WorkerId
from potok.errors import LogUnavailable, PotokError
from potok.events.envelope import Offset, StoredEvent
from potok.events.kinds import Event, RunEnd
from potok.protocol.production import Production
from potok.protocol.subscription import Subscription
from potok.runs.delivery import Delivery
from potok.runs.lonely_runs import LonelyRuns
from potok.runs.producer import CANCELLED, Producer
from potok.runs.recovery import Recovery
from potok.streamlog import memory, sqlite_rebuild
from potok.streamlog.contract import RunRecord
from potok.streamlog.memory import MemoryLog
from potok.streamlog.wakeups import Wakeups
from potok.testing.faults import FaultRates
from tests.simulation.profiles import short_look
from tests.simulation.simulated_time import inline_threads
from tests.simulation.test_log import MemoryMachine
from tests.simulation.test_protocol import ProductionMachine, SubscriptionMachine
from tests.simulation.test_world import SqliteWorldMachine, WorldMachine

Patch = pytest.MonkeyPatch
EXAMPLES = 300


class UnheardWorldMachine(WorldMachine):
    """Writes are done that their callers take for failed."""

    only_rates = FaultRates(unheard=0.3)


class UnreadWorldMachine(WorldMachine):
    """Reads fail."""

    only_rates = FaultRates(unread=0.4)


def nobody_is_fenced(patch: Patch) -> None:
    patch.setattr(memory, "check_writer", lambda run, **facts: None)


def a_take_over_keeps_the_epoch(patch: Patch) -> None:
    take_over = MemoryLog.take_over

    async def kept(self: MemoryLog, run: RunId, *, worker: WorkerId, epoch: int) -> RunRecord:
        await take_over(self, run, worker=worker, epoch=epoch)
        one = self._find(run)
        one.record = replace(one.record, epoch=epoch)
        return one.record

    patch.setattr(MemoryLog, "take_over", kept)


def a_key_starts_a_run_each_time(patch: Patch) -> None:
    async def none(self: MemoryLog, principal: str, key: str, *, request_hash: str) -> None:
        return None

    patch.setattr(MemoryLog, "find_started", none)


def nobody_looks_for_abandoned_runs(patch: Patch) -> None:
    async def nothing(self: Recovery) -> int:
        return 0

    patch.setattr(Recovery, "look", nothing)


def a_take_over_that_was_not_heard_of_is_forgotten(patch: Patch) -> None:
    look = Recovery.look

    async def forgetful(self: Recovery) -> int:
        self._unsure.clear()
        return await look(self)

    patch.setattr(Recovery, "look", forgetful)


def a_cancel_leaves_the_upstream_open(patch: Patch) -> None:
    def cancel(self: Producer, ending: RunEnd = CANCELLED) -> None:
        self._stop = self._stop or ending

    patch.setattr(Producer, "cancel", cancel)


def a_reader_misses_an_event(patch: Patch) -> None:
    read = Delivery._read

    async def short(self: Delivery, *facts: Any) -> list[StoredEvent]:
        events = await read(self, *facts)
        return [stored for stored in events if stored.offset != 3]

    patch.setattr(Delivery, "_read", short)


def a_reader_gets_an_event_in_other_words(patch: Patch) -> None:
    read = Delivery._read

    async def changed(self: Delivery, *facts: Any) -> list[StoredEvent]:
        events = await read(self, *facts)
        return [replace(stored, at=stored.at + (stored.offset == 2)) for stored in events]

    patch.setattr(Delivery, "_read", changed)


def a_failed_write_counts_as_stored(patch: Patch) -> None:
    failed = Producer._log_failed

    def lost(self: Producer, error: LogUnavailable) -> None:
        self._production.written()
        failed(self, error)

    patch.setattr(Producer, "_log_failed", lost)


def what_a_model_says_again_stays(patch: Patch) -> None:
    class NoJoin:
        is_settled = False

        def __init__(self, said: str, *, repeats: str = "any") -> None:
            return None

        def feed(self, piece: str) -> str:
            return piece

        def finish(self) -> str:
            return ""

    patch.setattr(answering, "Join", NoJoin)


def a_lonely_run_is_forgotten_when_the_log_fails(patch: Patch) -> None:
    async def once(self: LonelyRuns, run: RunId) -> None:
        record = await self._log.read_run(run)
        if record.request.on_disconnect == "cancel":
            self._live.cancel(run)

    patch.setattr(LonelyRuns, "_cancel_unless_kept", once)


def an_opened_file_misses_a_segment(patch: Patch) -> None:
    read_segments = sqlite_rebuild._read_segments

    def short(connection: Any, first_segment: int, found: Any) -> None:
        read_segments(connection, first_segment + 1, found)

    patch.setattr(sqlite_rebuild, "_read_segments", short)


def readers_are_not_woken(patch: Patch) -> None:
    patch.setattr(Wakeups, "grew", lambda self, run, tail: None)


def leases_never_end(patch: Patch) -> None:
    patch.setattr(memory, "is_lease_valid", lambda lease_until, now: lease_until is not None)


def pages_begin_one_too_late(patch: Patch) -> None:
    read = MemoryLog.read

    async def late(self: MemoryLog, run: str, *, after: Offset, events_max: int) -> Any:
        page = await read(self, run, after=after, events_max=events_max)
        return replace(page, events=page.events[1:]) if len(page.events) > 2 else page

    patch.setattr(MemoryLog, "read", late)


def a_gap_is_guessed(patch: Patch) -> None:
    page_read = Subscription.page_read

    def lenient(self: Subscription, *, first: Offset | None, **facts: Any) -> None:
        page_read(self, first=None if first is None else Offset(self.after + 1), **facts)

    patch.setattr(Subscription, "page_read", lenient)


def a_batch_is_made_anew_each_time(patch: Patch) -> None:
    take = Production.take

    def anew(self: Production) -> Sequence[Event]:
        batch = take(self)
        self._taken = ()
        return batch

    patch.setattr(Production, "take", anew)


Mutation = tuple[Callable[[Patch], None], type[RuleBasedStateMachine]]

QUICK: list[Mutation] = [
    (nobody_is_fenced, WorldMachine),
    (a_key_starts_a_run_each_time, WorldMachine),
    (nobody_looks_for_abandoned_runs, WorldMachine),
    (a_take_over_that_was_not_heard_of_is_forgotten, UnheardWorldMachine),
    (a_reader_misses_an_event, WorldMachine),
    (a_reader_gets_an_event_in_other_words, WorldMachine),
    (a_failed_write_counts_as_stored, WorldMachine),
    (what_a_model_says_again_stays, WorldMachine),
    (a_gap_is_guessed, SubscriptionMachine),
    (a_batch_is_made_anew_each_time, ProductionMachine),
]
SLOW: list[Mutation] = [
    (a_take_over_keeps_the_epoch, WorldMachine),
    (a_cancel_leaves_the_upstream_open, WorldMachine),
    (a_lonely_run_is_forgotten_when_the_log_fails, UnreadWorldMachine),
    (an_opened_file_misses_a_segment, SqliteWorldMachine),
    (readers_are_not_woken, WorldMachine),
    (leases_never_end, MemoryMachine),
    (pages_begin_one_too_late, MemoryMachine),
]
MUTATIONS = [*QUICK, *(pytest.param(*slow, marks=pytest.mark.long) for slow in SLOW)]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("break_it", "machine"), MUTATIONS, ids=lambda thing: thing.__name__)
def test_a_fault_of_potok_itself_is_found(
    break_it: Callable[[Patch], None],
    machine: type[RuleBasedStateMachine],
    monkeypatch: Patch,
) -> None:
    break_it(monkeypatch)

    with inline_threads(), pytest.raises((AssertionError, PotokError, ExceptionGroup)):
        run_state_machine_as_test(machine, settings=short_look(EXAMPLES))
