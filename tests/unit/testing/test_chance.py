from collections import Counter

from potok.testing.chance import Chance


def drawn(chance: Chance) -> list[float]:
    return [chance.fraction() for _ in range(50)]


def test_the_same_seed_gives_the_same_numbers() -> None:
    assert drawn(Chance(7)) == drawn(Chance(7))
    assert drawn(Chance(7)) != drawn(Chance(8))


def test_numbers_are_as_the_published_generator_gives_them() -> None:
    """The first word of splitmix64 for seed 0 is 0xE220A8397B1DCDAF."""
    assert Chance(0).fraction() == (0xE220A8397B1DCDAF >> 11) / (1 << 53)


def test_what_happens_never_and_always_does_so() -> None:
    chance = Chance(1)

    assert not any(chance.happens(0.0) for _ in range(1_000))
    assert all(chance.happens(1.0) for _ in range(1_000))


def test_every_thing_is_chosen_about_as_often() -> None:
    chance = Chance(3)

    chosen = Counter(chance.choose("abcd") for _ in range(4_000))

    assert min(chosen.values()) > 800


def test_a_part_draws_the_same_whatever_the_others_drew() -> None:
    one, other = Chance(5), Chance(5)
    drawn(other)

    assert drawn(one.fork("reader 1")) == drawn(other.fork("reader 1"))
    assert drawn(one.fork("reader 1")) != drawn(one.fork("reader 2"))
    assert "5" in repr(one)
