import pytest

from potok.events.envelope import parse_place
from potok.events.grammar import GrammarChecker
from potok.events.json_form import decode_event, encode_event
from potok.events.kinds import KINDS, Event, RunEnd, RunStart, kind_of
from potok.testing.samples import RUN, SAMPLES, store

each_sample = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())


@each_sample
def test_a_sample_is_a_whole_run_that_the_grammar_admits(sample: tuple[Event, ...]) -> None:
    checker = GrammarChecker()

    for event in sample:
        checker.admit(event)

    assert isinstance(sample[0], RunStart)
    assert isinstance(sample[-1], RunEnd)


@each_sample
def test_a_sample_survives_the_log(sample: tuple[Event, ...]) -> None:
    again = [decode_event(encode_event(event)) for event in sample]

    assert again == list(sample)


def test_the_samples_hold_every_kind() -> None:
    shown = {kind_of(event) for sample in SAMPLES.values() for event in sample}

    assert set(KINDS) <= shown


def test_stored_samples_are_numbered_from_one() -> None:
    stored = store(SAMPLES["an answer"])

    assert [one.offset for one in stored] == list(range(1, len(stored) + 1))
    assert parse_place(f"{RUN}.1").run == RUN
