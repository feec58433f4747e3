"""The pure rules of one reader and of one writer, driven through every fault of a log."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from potok.errors import GrammarViolation, LogLost
from potok.events.coalesce import coalesce
from potok.events.envelope import Offset
from potok.events.fold import Fold, Message
from potok.events.grammar import GrammarChecker
from potok.events.kinds import GRAMMAR_VERSION, Event, RunEnd, RunStart
from potok.protocol.production import Production
from potok.protocol.subscription import Finish, Heartbeat, Read, Subscription, Wait
from tests.simulation.profiles import long_look, short_look
from tests.unit.events.strategies import colliding_event

HEARTBEAT_SECONDS = 15.0


class SubscriptionMachine(RuleBasedStateMachine):
    """One reader of a log that grows, ends, wakes late or never, and may lose what it had."""

    @initialize(tail=st.integers(0, 9), behind=st.integers(0, 9))
    def begin(self, tail: int, behind: int) -> None:
        # A run ends with an event, so that an end is never seen without growth.
        self.tail, self.ended, self.now = tail, False, 0.0
        after = max(tail - behind, 0)
        self.seen = list(range(1, after + 1))
        self.heard_at = 0.0
        self.is_over = False
        self.subscription = Subscription(
            after=Offset(after), heartbeat_seconds=HEARTBEAT_SECONDS, now=self.now
        )

    @precondition(lambda self: not self.ended)
    @rule(events=st.integers(1, 5), ends=st.booleans())
    def grow(self, events: int, ends: bool) -> None:
        self.tail += events
        self.ended = ends

    @rule(seconds=st.sampled_from([0.0, 0.125, 5.0, 14.875, 15.0, 100.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(events_max=st.integers(1, 4), is_woken=st.booleans())
    def step(self, events_max: int, is_woken: bool) -> None:
        command = self.subscription.next_command(self.now)
        if isinstance(command, Read):
            assert command.after == len(self.seen)
            self._read(events_max)
        elif isinstance(command, Wait):
            assert command.after == len(self.seen)
            assert 0 < command.seconds <= HEARTBEAT_SECONDS
            assert self.now + command.seconds <= self.heard_at + HEARTBEAT_SECONDS
            # A lost wake-up: the reader waits in vain, though there is something.
            grew = self.tail > len(self.seen) and is_woken
            if not grew:
                self.now += command.seconds
            self.subscription.waited(grew=grew)
        elif isinstance(command, Heartbeat):
            assert self.now >= self.heard_at + HEARTBEAT_SECONDS
            self.heard_at = self.now
        else:
            assert isinstance(command, Finish)
            self.is_over = True

    def _read(self, events_max: int) -> None:
        page = list(range(len(self.seen) + 1, self.tail + 1))[:events_max]
        self._hear(page[0] if page else None, page[-1] if page else None)
        self.seen += page
        if page:
            self.heard_at = self.now

    def _hear(self, first: int | None, last: int | None) -> None:
        is_whole = (len(self.seen) if last is None else last) == self.tail
        self.subscription.page_read(
            first=None if first is None else Offset(first),
            last=None if last is None else Offset(last),
            tail=Offset(self.tail),
            ended=self.ended and is_whole,
            now=self.now,
        )

    @rule(gap=st.integers(-3, 3).filter(bool))
    def a_page_that_does_not_follow_is_refused(self, gap: int) -> None:
        command = self.subscription.next_command(self.now)
        if isinstance(command, Heartbeat):
            self.heard_at = self.now
        if not isinstance(command, Read) or len(self.seen) >= self.tail:
            return
        for first in (len(self.seen) + 1 + gap, None):
            try:
                self._hear(first, first)
            except LogLost:
                continue
            raise AssertionError(f"a page that began at {first} was taken")

    @invariant()
    def it_is_over_only_with_everything(self) -> None:
        if hasattr(self, "seen"):
            assert self.subscription.after == len(self.seen)
            assert not self.is_over or (self.ended and len(self.seen) == self.tail)

    def teardown(self) -> None:
        if not hasattr(self, "seen"):
            return
        if not self.ended:
            self.grow(events=1, ends=True)
        for _ in range(4 * (self.tail + 4)):
            self.step(events_max=3, is_woken=True)
            if self.is_over:
                return
        raise AssertionError("a reader never came to the end")


class ProductionMachine(RuleBasedStateMachine):
    """One writer whose commits fail, are not heard of, or are given again after a crash."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: list[Event] = []
        self.admitted: list[Event] = []
        self.production = Production()
        self.taken: tuple[Event, ...] = ()

    @initialize()
    def begin(self) -> None:
        start = RunStart(run="run-0000000000000001", version=GRAMMAR_VERSION)
        self.production.begin(start)
        self.admitted.append(start)

    @rule(event=colliding_event)
    def say(self, event: Event) -> None:
        before = self.production.admitted
        try:
            self.production.admit([event])
        except GrammarViolation:
            assert self.production.admitted == before, "a refused event was taken"
            return
        self.admitted.append(event)

    @rule()
    def take(self) -> None:
        again = self.production.take()
        assert not self.taken or again == self.taken, "a batch under way changed"
        self.taken = again

    @precondition(lambda self: self.taken)
    @rule()
    def the_log_has_it(self) -> None:
        self.stored += self.taken
        self.taken = ()
        self.production.written()

    @precondition(lambda self: self.taken)
    @rule(was_stored=st.booleans())
    def the_writer_dies(self, was_stored: bool) -> None:
        if was_stored:
            self.stored += self.taken
        self._take_over()

    def _take_over(self) -> None:
        self.taken = ()
        self.production = Production()
        self.production.replay(self.stored)
        self.admitted = list(self.stored)
        if not self.stored:
            self.begin()

    @rule(outcome=st.sampled_from(["finished", "cancelled", "failed"]))
    def end(self, outcome: str) -> None:
        if not self.production.is_ended and self.admitted:
            # The rest of the machine wants a run that lives: only look at what an end would be.
            twin = Production()
            twin.replay(self.admitted)
            twin.end(RunEnd(outcome=outcome))  # type: ignore[arg-type]
            last = twin.take()
            assert isinstance(last[-1], RunEnd)
            _check([*self.admitted, *last])
            twin.end(RunEnd(outcome="failed"))
            assert twin.take() == last

    @invariant()
    def what_is_stored_is_a_beginning_of_what_was_said(self) -> None:
        assert self.production.stored <= self.production.admitted == len(self.admitted)
        assert _fold(self.stored) == _fold(self.admitted[: self.production.stored])
        _check(self.stored)

    def teardown(self) -> None:
        if not self.admitted:
            return
        self.production.end(RunEnd(outcome="finished"))
        while not self.production.is_settled:
            self.stored += self.production.take()
            self.production.written()
        ends = [event for event in self.stored if isinstance(event, RunEnd)]
        assert ends == [self.stored[-1]]
        _check(self.stored)
        assert _fold(self.stored).text == _fold(list(coalesce(self.admitted))).text


def _check(events: list[Event]) -> None:
    checker = GrammarChecker()
    for event in events:
        checker.admit(event)


def _fold(events: list[Event]) -> Message:
    fold = Fold()
    for event in events:
        fold.feed(event)
    return fold.message


@pytest.mark.timeout(60)
@pytest.mark.parametrize("machine", [SubscriptionMachine, ProductionMachine])
def test_the_rules_hold_whatever_happens(machine: type[RuleBasedStateMachine]) -> None:
    run_state_machine_as_test(machine, settings=short_look(60))


@pytest.mark.long
@pytest.mark.parametrize("machine", [SubscriptionMachine, ProductionMachine])
def test_the_rules_hold_for_long(machine: type[RuleBasedStateMachine]) -> None:
    run_state_machine_as_test(machine, settings=long_look(3_000))
