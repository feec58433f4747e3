"""The rules as a whole; case by case they are rows of `spec/vectors/reconnection.json`."""

import random  # noqa: TID251 - hypothesis hands out the seeded generator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potok.errors import OffsetInvalid
from potok.protocol.reconnection import Reconnection, Rules, State
from potok.protocol.reconnection_words import (
    Begun,
    Cancelled,
    Closed,
    Command,
    Connect,
    Deliver,
    Failed,
    Finished,
    GapSaid,
    GiveUp,
    HeartbeatSeen,
    Input,
    Offline,
    Online,
    Opened,
    Received,
    Refused,
    RetrySaid,
    SnapshotTaken,
    TimePassed,
    Visible,
    WaitUntil,
)

OVER = (GiveUp, Finished)


@dataclass
class BadDay:
    """A driver without I/O, a server with `events` events, and a line that breaks as drawn.

    It does not imitate time: every wait is over at once.
    """

    events: int
    draw: random.Random
    kept_from: int = 1
    now: float = 0.0
    given: list[int] = field(default_factory=list)
    ending: Command | None = None

    def run(self, reconnection: Reconnection) -> None:
        said = list(self._tell(reconnection, Begun()))
        for _ in range(10_000):
            if self.ending is not None:
                return
            command = said.pop(0)
            said += self._obey(reconnection, command)
        raise AssertionError("the reader never came to an end")

    def _tell(self, reconnection: Reconnection, heard: Input) -> tuple[Command, ...]:
        said = reconnection.receive(heard, now=self.now, fraction=self.draw.random())
        self.ending = next((command for command in said if isinstance(command, OVER)), self.ending)
        return said

    def _obey(self, reconnection: Reconnection, command: Command) -> list[Command]:
        if isinstance(command, Connect):
            return self._serve(reconnection, int(command.after or 0))
        if isinstance(command, GapSaid):
            self.given = list(range(1, self.events))
            taken = SnapshotTaken(offset=str(self.events - 1))
            return list(self._tell(reconnection, taken))
        if isinstance(command, WaitUntil) and reconnection.state is State.WAITING:
            self.now = command.at
            return list(self._tell(reconnection, TimePassed()))
        return []

    def _serve(self, reconnection: Reconnection, after: int) -> list[Command]:
        chance = self.draw.random()
        if chance < 0.1:
            return list(self._tell(reconnection, Failed(kind="network")))
        if chance < 0.2:
            return list(self._tell(reconnection, Refused(status=503)))
        if after + 1 < self.kept_from:
            gone = Refused(status=410, code="offset_expired", first=str(self.kept_from))
            return list(self._tell(reconnection, gone))
        said = list(self._tell(reconnection, Opened()))
        # Some servers send what they sent before; it must not be heard twice.
        first = max(1, after + 1 - self.draw.randrange(3))
        for offset in range(first, self.events + 1):
            if self.draw.random() < 0.1:
                return said + list(self._tell(reconnection, Closed(is_clean=chance < 0.5)))
            self.now += 0.01
            heard = Received(id=str(offset), is_end=offset == self.events)
            told = self._tell(reconnection, heard)
            if Deliver() in told:
                self.given.append(offset)
            said += told
        return said


@given(events=st.integers(1, 40), seed=st.integers(0, 10_000))
def test_every_event_is_given_exactly_once_and_in_order_however_bad_the_line(
    events: int, seed: int
) -> None:
    day = BadDay(events=events, draw=random.Random(seed))

    day.run(Reconnection(after="0", rules=Rules(tries_max=1_000, outage_seconds_max=1e9)))

    assert day.ending == Finished(how="run-end")
    assert day.given == list(range(1, events + 1))


@given(seed=st.integers(0, 10_000))
def test_what_retention_took_comes_from_the_snapshot_and_nothing_twice(seed: int) -> None:
    day = BadDay(events=20, kept_from=5, draw=random.Random(seed))

    day.run(Reconnection(after="0", rules=Rules(tries_max=1_000, outage_seconds_max=1e9)))

    assert day.ending == Finished(how="run-end")
    assert day.given == list(range(1, 21))


ANY_INPUT = st.one_of(
    st.builds(Opened, status=st.sampled_from([200, 204])),
    st.builds(Received, id=st.sampled_from(["1", "2", "3", "9", "x", None]), is_end=st.booleans()),
    st.builds(HeartbeatSeen),
    st.builds(RetrySaid, milliseconds=st.integers(0, 10**15)),
    st.builds(Closed, is_clean=st.booleans()),
    st.builds(Failed, kind=st.sampled_from(["network", "timeout", "malformed", "too_large"])),
    st.builds(
        Refused,
        status=st.sampled_from([400, 404, 409, 410, 429, 500, 503]),
        code=st.sampled_from([None, "offset_expired"]),
        retry_after_seconds=st.sampled_from([None, 0.0, 2.0, 1e9]),
    ),
    st.builds(SnapshotTaken, offset=st.sampled_from(["0", "5", "x"]), is_ended=st.booleans()),
    st.builds(TimePassed),
    st.builds(Offline),
    st.builds(Online),
    st.builds(Visible),
    st.builds(Cancelled),
)


@given(
    steps=st.lists(st.tuples(ANY_INPUT, st.floats(0, 100), st.floats(0, 1, exclude_max=True))),
)
def test_whatever_happens_a_reader_that_is_not_over_waits_for_something(
    steps: list[tuple[Input, float, float]],
) -> None:
    reconnection = Reconnection(after="0")
    now, waits_for, is_over = 0.0, 0.0, False
    said = reconnection.receive(Begun(), now=now, fraction=0.5)

    for heard, seconds, fraction in [(TimePassed(), 0.0, 0.5), *steps]:
        now += seconds
        said = reconnection.receive(heard, now=now, fraction=fraction)
        assert not (is_over and said), "nothing is said after the end"
        is_over = is_over or any(isinstance(command, OVER) for command in said)
        waits_for = next((c.at for c in reversed(said) if isinstance(c, WaitUntil)), waits_for)
        connects = sum(isinstance(command, Connect | GapSaid) for command in said)
        assert connects <= 1
        assert not any(isinstance(c, WaitUntil) and c.at < now for c in said)

    assert is_over == (reconnection.state is State.OVER)
    if not is_over:
        # The last deadline, rung late, always moves it on or sets a later one.
        rung = reconnection.receive(TimePassed(), now=max(now, waits_for) + 200, fraction=0.5)
        assert rung


def test_a_line_that_never_gives_anything_is_given_up_after_the_granted_tries() -> None:
    reconnection = Reconnection(after="0", rules=Rules(tries_max=7, outage_seconds_max=1e9))
    said = reconnection.receive(Begun(), now=0.0, fraction=0.5)
    connects, now = 0, 0.0

    while not isinstance(said[0], GiveUp):
        connects += isinstance(said[0], Connect)
        heard: Input = TimePassed()
        if isinstance(said[0], Connect):
            heard = Failed(kind="network")
        elif isinstance(said[-1], WaitUntil):
            now = said[-1].at
        said = reconnection.receive(heard, now=now, fraction=0.5)

    assert connects == 8
    assert said == (GiveUp(reason="tries_spent"),)


def test_a_place_that_is_none_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(OffsetInvalid):
        Reconnection(after="yesterday")


def test_people_can_be_told_where_a_reader_is() -> None:
    reconnection = Reconnection(after="0")
    states = [reconnection.state]

    for heard in (Begun(), Opened(), Closed(), TimePassed(), Cancelled()):
        reconnection.receive(heard, now=10.0, fraction=0.0)
        states.append(reconnection.state)

    assert states == [
        State.IDLE,
        State.CONNECTING,
        State.OPEN,
        State.WAITING,
        State.CONNECTING,
        State.OVER,
    ]
