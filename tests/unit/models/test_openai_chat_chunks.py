import msgspec
import pytest

from potok.models.openai_chat_chunks import WireChunk, new_chunk_decoder


def content(chunk: WireChunk, at: int = 0) -> object:
    assert chunk.choices is not None
    delta = chunk.choices[at].delta
    assert delta is not None
    return delta["content"]


def piece(text: str, *, index: int = 0) -> str:
    return f'{{"choices":[{{"index":{index},"delta":{{"content":"{text}"}}}}]}}'


def test_halves_of_a_letter_meet_across_chunks() -> None:
    decoder = new_chunk_decoder()

    assert content(decoder.decode(piece("a\\ud83c"))) == "a"
    assert content(decoder.decode(piece("\\udf89b"))) == "🎉b"


def test_halves_of_different_choices_do_not_meet() -> None:
    decoder = new_chunk_decoder()

    assert content(decoder.decode(piece("\\ud83c", index=0))) == ""
    assert content(decoder.decode(piece("\\udf89", index=1))) == "\ufffd"
    assert content(decoder.decode(piece("\\udf89", index=0))) == "🎉"


def test_a_half_outside_of_a_delta_is_replaced() -> None:
    chunk = new_chunk_decoder().decode('{"choices":[{"logprobs":{"token":"\\ud83c"}}]}')

    assert chunk.choices is not None
    assert chunk.choices[0].logprobs == {"token": "\ufffd"}


def test_a_half_in_a_name_of_a_field_is_replaced() -> None:
    assert new_chunk_decoder().decode('{"usage":{"\\ud83c":1}}').usage == {"\ufffd": 1}


@pytest.mark.parametrize(
    "text",
    ["", "{", "nonsense", "[1]", '{"choices":[{"delta":"\\ud83c"}]}', "[" * 100_000, b'"\xd0'],
)
def test_what_is_no_chunk_is_refused(text: str | bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        new_chunk_decoder().decode(text)
