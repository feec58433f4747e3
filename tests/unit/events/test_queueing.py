import pytest

from potok.events.fold import Message, Part, Stage
from potok.events.kinds import Status
from potok.events.queueing import queue_left, queue_position, queued

TOLD = queued(3, language="en")


def test_a_position_is_told_in_the_language_of_the_run() -> None:
    texts = {one: queued(3, language=one).text for one in ("ru", "ru-RU", "en", "fr")}

    assert texts["ru"] == texts["ru-RU"] == "В очереди к модели, место 3..."
    assert texts["en"] == texts["fr"] == "Waiting in line for the model, place 3..."


def test_the_code_and_the_position_are_for_machines() -> None:
    assert (TOLD.code, TOLD.extra) == ("queued", {"position": 3})
    assert queue_left(language="ru").code == "queue_left"


def test_a_run_waits_while_its_newest_word_is_its_position() -> None:
    assert queue_position(Message(status=TOLD)) == 3


@pytest.mark.parametrize(
    "message",
    [
        Message(),
        Message(status=queue_left(language="en")),
        Message(status=Status(text="?", code="thinking")),
        Message(status=TOLD, parts=[Part(type="text", id="t")]),
        Message(status=TOLD, stages=[Stage(stage="planner")]),
        Message(status=Status(text="?", code="queued")),
        Message(status=Status(text="?", code="queued", extra={"position": "first"})),
    ],
)
def test_a_run_that_has_begun_or_says_something_else_does_not_wait(message: Message) -> None:
    assert queue_position(message) is None
