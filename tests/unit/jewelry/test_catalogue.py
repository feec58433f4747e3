import json
from collections import Counter
from importlib import resources

import pytest

from potok_apps.jewelry import vocabulary
from potok_apps.jewelry.catalogue import Product, read_catalogue
from potok_apps.jewelry.texts import Language
from potok_apps.jewelry.zodiac import SIGNS

PIECES = read_catalogue()
FINENESS = {"gold": {585, 750}, "silver": {925}, "platinum": {950}}
COLLECTIONS = {"Ладога", "Полярная ночь", "Белые ночи", "Русские сезоны", "Геометрия"}
FILE_BYTES_MAX = 100_000


def test_ids_run_from_one_without_a_gap() -> None:
    assert len(PIECES) >= 64
    assert [one.id for one in PIECES] == [f"JW-{n:04d}" for n in range(1, len(PIECES) + 1)]


def test_the_file_is_small_enough_for_every_wheel() -> None:
    folder = resources.files("potok_apps.jewelry") / "data"

    sizes = [len(one.read_bytes()) for one in folder.iterdir() if one.name.endswith(".json")]

    assert sizes
    assert max(sizes) < FILE_BYTES_MAX


def test_names_and_descriptions_are_said_once() -> None:
    for values in (
        [one.name for one in PIECES],
        [one.name_en for one in PIECES],
        [one.description for one in PIECES],
    ):
        assert [text for text, count in Counter(values).items() if count > 1] == []


@pytest.mark.parametrize("piece", PIECES, ids=lambda one: one.id)
def test_a_piece_is_possible(piece: Product) -> None:
    assert piece.category in vocabulary.CATEGORIES
    assert piece.fineness in FINENESS[piece.metal]
    assert piece.metal_color in vocabulary.METAL_COLORS
    assert piece.metal == "gold" or piece.metal_color == "white"
    assert {stone.type for stone in piece.stones} <= vocabulary.STONES.keys() - {"none"}
    assert set(piece.style) <= vocabulary.STYLES.keys()
    assert piece.style
    assert set(piece.occasions) <= vocabulary.OCCASIONS.keys()
    assert piece.occasions
    assert set(piece.for_whom) <= vocabulary.AUDIENCES.keys()
    assert piece.for_whom
    assert piece.care in vocabulary.CARE
    assert piece.collection in COLLECTIONS
    assert bool(piece.sizes) == (piece.category in {"ring", "bracelet", "chain", "necklace"})
    assert 0 < piece.weight_g < 100
    assert 0 < piece.stock < 100
    assert 4 <= piece.rating <= 5
    assert piece.old_price_rub is None or piece.old_price_rub > piece.price_rub


@pytest.mark.parametrize("piece", PIECES, ids=lambda one: one.id)
def test_a_price_fits_what_a_piece_is_made_of(piece: Product) -> None:
    has_diamonds = any(stone.type == "diamond" for stone in piece.stones)
    if piece.category == "watch":
        bounds = (39_900, 95_000)
    elif has_diamonds:
        bounds = (59_900, 420_000)
    elif piece.metal == "silver":
        bounds = (2_900, 14_900)
    elif piece.metal == "platinum":
        bounds = (59_900, 130_000)
    else:
        bounds = (14_900, 89_900)

    assert bounds[0] <= piece.price_rub <= bounds[1]


@pytest.mark.parametrize("piece", PIECES, ids=lambda one: one.id)
def test_the_name_of_a_piece_tells_its_stones(piece: Product) -> None:
    roots = {
        "topaz": "топаз",
        "pearl": "жемч",
        "emerald": "изумруд",
        "garnet": "гранат",
        "amethyst": "аметист",
    }
    own = {stone.type for stone in piece.stones}

    named = {stone for stone, root in roots.items() if root in piece.name.lower()}

    assert named <= own


def test_there_is_a_choice_for_every_value() -> None:
    categories = Counter(one.category for one in PIECES)
    occasions = Counter(occasion for one in PIECES for occasion in one.occasions)
    signs = Counter(sign for one in PIECES for sign in one.zodiac)
    stones = {stone.type for one in PIECES for stone in one.stones}

    assert min(categories[one] for one in vocabulary.CATEGORIES) >= 3
    assert min(occasions[one] for one in vocabulary.OCCASIONS) >= 3
    assert min(signs[one] for one in SIGNS) >= 3
    assert stones == vocabulary.STONES.keys() - {"none"}


def test_signs_follow_from_stones() -> None:
    for piece in PIECES:
        own = {stone.type for stone in piece.stones}
        assert set(piece.zodiac) == {code for code, sign in SIGNS.items() if own & set(sign.stones)}


@pytest.mark.parametrize("language", ["ru", "en"])
def test_what_clients_are_told_has_no_words_of_suppliers(language: Language) -> None:
    notes = [one.note for one in PIECES if one.note is not None]

    told = json.dumps([one.as_metadata(language) for one in PIECES], ensure_ascii=False)

    assert notes
    assert all(note not in told for note in notes)
    assert "ПОДАРОК" not in told


def test_english_texts_hold_no_russian_letters() -> None:
    for piece in PIECES:
        told = piece.as_metadata("en")
        said = [told["name"], told["description"], told["care"], told["material"]]
        assert [text for text in said if any("а" <= letter <= "я" for letter in text)] == []
