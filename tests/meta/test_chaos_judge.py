"""The judge of `scripts/chaos`: it must find what it looks for."""

import pytest

from tests.integration.chaos.examination import Examined
from tests.integration.chaos.faces import is_end, text_in
from tests.integration.chaos.judge import Frame, Verdict, judge_reader, judge_text
from tests.integration.chaos.plan import KILLS_AND_CUTS, Backend, Face, plan_faults, plan_streams
from tests.integration.chaos.report import Report
from tests.integration.chaos.story import Story, pieces_of
from tests.integration.chaos.upstream import rest_of

LOG = [Frame(str(place), "text-delta", f"word {place}") for place in range(1, 6)]


def seen(*places: int) -> list[Frame]:
    return [LOG[place - 1] for place in places]


@pytest.mark.parametrize(
    ("frames", "verdict"),
    [
        (seen(1, 2, 3, 4, 5), Verdict()),
        (seen(1, 2, 4, 5), Verdict(lost=1)),
        (seen(1, 2, 3), Verdict(lost=2)),
        (seen(2, 3, 4, 5), Verdict(lost=1)),
        (seen(1, 2, 2, 3, 4, 5), Verdict(doubled=1)),
        (seen(1, 2, 3, 2, 3, 4, 5), Verdict(doubled=2)),
        ([*seen(1, 2, 3, 4), Frame("5", "text-delta", "another")], Verdict(changed=1)),
        ([*seen(1, 2, 3, 4, 5), Frame("6", "run-end", "")], Verdict(lost=1)),
        ([], Verdict(lost=5)),
    ],
)
def test_the_judge_counts_what_a_reader_lost_saw_twice_or_otherwise(
    frames: list[Frame], verdict: Verdict
) -> None:
    assert judge_reader(frames, LOG) == verdict


@pytest.mark.parametrize(
    ("joined", "verdict"),
    [
        (Frame("4", "text-delta", "word 3word 4"), Verdict()),
        (Frame("4", "text-delta", "word 4"), Verdict(lost=1)),
        (Frame("4", "text-delta", "word 3word 5"), Verdict(lost=1, changed=1)),
        (Frame("4", "text-delta", "word 2word 3word 4"), Verdict(lost=1, changed=1)),
    ],
)
def test_a_joined_frame_must_say_what_those_it_stands_for_say(
    joined: Frame, verdict: Verdict
) -> None:
    frames = [*seen(1, 2), joined, *seen(5)]

    assert judge_reader(frames, LOG, words_of=lambda frame: frame.data) == verdict


def test_a_reader_that_is_not_over_yet_has_lost_nothing_of_what_follows() -> None:
    assert judge_reader(seen(1, 2), LOG, is_over=False) == Verdict()


def test_a_text_is_the_uncut_one_or_where_it_may_break_off_its_beginning() -> None:
    assert judge_text("whole", "whole", is_whole=True)
    assert not judge_text("who", "whole", is_whole=True)
    assert judge_text("who", "whole", is_whole=False)
    assert not judge_text("whose", "whole", is_whole=False)


@pytest.mark.parametrize(
    "field",
    [
        *("lost", "doubled", "changed", "hung", "tokens_after_cancel", "started_twice"),
        *("other_texts", "not_finished_though_able"),
    ],
)
def test_a_report_fails_for_each_of_its_zeros(field: str) -> None:
    report = Report(backend="sqlite", seed=1, seconds=1, streams_wanted=5, kills_and_cuts_wanted=2)
    report.streams, report.kills_and_cuts, report.finished_share = 5, 2, 0.95
    assert report.failures() == []

    setattr(report, field, 1)

    assert len(report.failures()) == 1


def test_a_report_fails_for_too_few_streams_faults_and_finished_runs() -> None:
    report = Report(backend="sqlite", seed=1, seconds=1, streams_wanted=5, kills_and_cuts_wanted=2)
    report.streams, report.kills_and_cuts, report.finished_share = 4, 1, 0.8

    assert len(report.failures()) == 3


@pytest.mark.parametrize("backend", ["sqlite", "redis"])
def test_a_plan_follows_from_its_seed_and_holds_enough(backend: Backend) -> None:
    faults = plan_faults(backend=backend, faults=50, seconds=300, seed=7)
    streams = plan_streams(streams=100, seconds=300, run_seconds=11, seed=7)

    assert faults == plan_faults(backend=backend, faults=50, seconds=300, seed=7)
    assert faults != plan_faults(backend=backend, faults=50, seconds=300, seed=8)
    assert sum(fault.kind in KILLS_AND_CUTS for fault in faults) >= 50
    assert max(fault.at_seconds for fault in faults) < 300
    assert streams == plan_streams(streams=100, seconds=300, run_seconds=11, seed=7)
    assert len({stream.number for stream in streams}) == 100


@pytest.mark.parametrize("number", range(6))
def test_the_upstream_goes_on_exactly_or_repeats_what_it_was_shown(number: int) -> None:
    story = Story(number=number, words=40, pieces_per_second=10)
    said = story.text[:150].rstrip()
    rest = story.text[len(said) :]
    prompt = {"role": "user", "content": story.prompt}
    begun = {"role": "assistant", "content": said}
    wish = {"role": "user", "content": f"Begin with its last words:\n{said[-24:]}\nand go on."}

    in_words = rest_of(story, [prompt, begun, wish])

    assert Story.asked_in(story.prompt) == story
    assert "".join(pieces_of(story.text, seed="any")) == story.text
    assert rest_of(story, [prompt]) == story.text
    assert rest_of(story, [prompt, begun]) == rest
    assert in_words == (said[-24:] + rest, rest, story.text)[number % 3]
    with pytest.raises(ValueError, match="was not told so"):
        rest_of(story, [prompt, {"role": "assistant", "content": said[1:]}])


@pytest.mark.parametrize(
    ("face", "frames", "text"),
    [
        ("sse", [Frame("1", "text-delta", '{"text": "a"}'), Frame("2", "run-end", "{}")], "a"),
        ("simple", [Frame("1", "", '{"content": "a"}'), Frame("2", "", "[DONE]")], "a"),
        (
            "completions",
            [
                Frame("1", "", '{"choices": [{"delta": {"content": "a"}}]}'),
                Frame("2", "", '{"error": {"code": "cancelled"}}'),
            ],
            "a",
        ),
        (
            "responses",
            [
                Frame("1", "response.output_text.delta", '{"delta": "a"}'),
                Frame("2", "response.incomplete", "{}"),
            ],
            "a",
        ),
    ],
)
def test_a_face_s_text_and_end_are_known(face: Face, frames: list[Frame], text: str) -> None:
    assert [is_end(face, frame) for frame in frames] == [False, True]
    last = frames[:1] if face == "completions" else frames
    assert text_in(face, last) == text


def test_nothing_is_known_of_a_stream_that_was_not_examined() -> None:
    assert not Examined(number=1, model="x").is_honest
