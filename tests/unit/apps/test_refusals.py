"""What our apps refuse is said in Russian, with a sentence of its own for each cause."""

import pytest

from potok import errors
from potok.errors import PotokError
from potok_apps.refusals import Refusal, sentence_of

CAUSES: list[PotokError] = [
    errors.AppUnavailable("coding", why="It needs langgraph."),
    errors.BodyTooLarge(what="body", limit_bytes=1),
    errors.BodyTooSlow(seconds=1.0),
    errors.ContentTypeRefused("text/plain"),
    errors.HostRefused("elsewhere"),
    errors.IdempotencyConflict("1", run="01run"),
    errors.LogUnavailable("The log cannot be written now."),
    errors.OffsetExpired(run="01run", wanted=1, first=2),
    errors.OffsetInvalid("x", why="it is none"),
    errors.OriginRefused("https://elsewhere.example"),
    errors.RequestInvalid("The body cannot be read."),
    errors.RunNotFound("01run"),
    errors.ServerDraining(),
    errors.Unauthorized(),
    errors.UpstreamBusy("Too many answers are being made."),
]


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.code)
def test_each_cause_has_its_own_russian_sentence(cause: PotokError) -> None:
    said = sentence_of(cause)

    assert any("а" <= letter <= "я" for letter in said)
    assert said != sentence_of(PotokError("something else"))


def test_who_reads_english_gets_the_errors_own_words() -> None:
    refused = Refusal(ru="Напишите текст.", en="Write a text.", param="message")
    refused.language = "en"

    assert sentence_of(refused) == "Write a text."
