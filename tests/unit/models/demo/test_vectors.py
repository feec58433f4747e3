import math

from potok.models.demo.vectors import embed_text


def likeness(one: str, other: str) -> float:
    vectors = embed_text(one, dimensions=256), embed_text(other, dimensions=256)
    return sum(a * b for a, b in zip(*vectors, strict=True))


def test_a_vector_has_the_length_one() -> None:
    for text in ("Durable streams", "?", " ", "\ud800", "x" * 100_000):
        vector = embed_text(text, dimensions=64)

        assert len(vector) == 64
        assert math.isclose(sum(number * number for number in vector), 1.0)


def test_texts_with_the_same_letters_are_near() -> None:
    near, far = likeness("resume a stream", "streams resumed"), likeness("resume", "жираф")

    assert likeness("Поток", "поток") > 0.999
    assert near > 0.4 > far


def test_the_same_text_has_the_same_vector() -> None:
    assert embed_text("a chat", dimensions=16) == embed_text("a chat", dimensions=16)
