import msgspec
import pytest

from potok.models.json_pieces import PieceDecoder


class Piece(msgspec.Struct):
    """A piece with a text that grows and a word that does not."""

    text: str = ""
    word: str = ""


def new_decoder() -> PieceDecoder[Piece]:
    return PieceDecoder(msgspec.json.Decoder(Piece), growing=frozenset({"text"}))


def test_a_text_that_grows_waits_for_its_other_half() -> None:
    decoder = new_decoder()

    assert decoder.decode('{"text":"a\\ud83c"}').text == "a"
    assert decoder.decode('{"text":"\\udf89b"}').text == "🎉b"


def test_a_text_that_does_not_grow_waits_for_nothing() -> None:
    decoder = new_decoder()

    assert decoder.decode('{"word":"a\\ud83c"}').word == "a\ufffd"
    assert decoder.decode('{"word":"\\udf89b"}').word == "\ufffdb"


@pytest.mark.parametrize("text", ["", "[]", '{"text":1}', "[" * 100_000, b"\xff"])
def test_what_is_no_piece_is_refused(text: str | bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        new_decoder().decode(text)
