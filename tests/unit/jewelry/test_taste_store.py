import asyncio

from sqlalchemy.ext.asyncio import AsyncEngine

from potok_apps.jewelry.search import find_products
from potok_apps.jewelry.taste import Step
from potok_apps.jewelry.taste_store import (
    forget_user,
    read_facts,
    read_profile,
    read_state,
    remember_fact,
    take_answer,
)

ANSWERS = ["пройти тест", "1", "этника", "бирюза", "2", "женщине", "крупное", "10 тысяч", "5 мая"]


async def say(
    engine: AsyncEngine,
    message: str,
    message_id: str,
    *,
    principal: str = "anna",
    user_id: str = "u-1",
) -> Step:
    return await take_answer(
        engine,
        principal=principal,
        user_id=user_id,
        message_id=message_id,
        message=message,
        now=1_800_000_000.0,
    )


async def test_a_test_survives_between_messages(own_shop: AsyncEngine) -> None:
    steps = [await say(own_shop, message, f"m{n}") for n, message in enumerate(ANSWERS)]

    assert [step.state.index for step in steps] == list(range(9))
    assert steps[0].outcome == "started"
    state = await read_state(own_shop, principal="anna", user_id="u-1")
    assert state == steps[-1].state
    profile = await read_profile(own_shop, principal="anna", user_id="u-1")
    assert profile is not None
    assert profile.zodiac == "taurus"


async def test_a_profile_finds_pieces_of_its_taste(own_shop: AsyncEngine) -> None:
    for n, message in enumerate(ANSWERS):
        await say(own_shop, message, f"m{n}")
    profile = await read_profile(own_shop, principal="anna", user_id="u-1")
    assert profile is not None

    matches = await find_products(own_shop, profile.wishes, items_max=5, taste=profile.weights)

    assert len(matches) == 5
    assert all(match.product.price_rub <= 10_000 for match in matches)
    assert "turquoise" in {stone.type for stone in matches[0].product.stones}


async def test_a_message_that_is_sent_again_changes_nothing(own_shop: AsyncEngine) -> None:
    await say(own_shop, "тест", "m0")
    first = await say(own_shop, "серебро", "m1")
    await say(own_shop, "классика", "m2")

    again = await say(own_shop, "серебро", "m1")
    other_words = await say(own_shop, "золото", "m1")

    assert again == other_words == first
    state = await read_state(own_shop, principal="anna", user_id="u-1")
    assert state is not None
    assert state.index == 2


async def test_a_foreign_principal_sees_nothing_of_the_same_user_id(own_shop: AsyncEngine) -> None:
    await say(own_shop, "тест", "m0")
    await say(own_shop, "серебро", "m1")
    await remember_fact(
        own_shop, principal="anna", user_id="u-1", name="zodiac", value="leo", now=1.0
    )

    foreign = {"principal": "boris", "user_id": "u-1"}

    assert await read_state(own_shop, **foreign) is None
    assert await read_profile(own_shop, **foreign) is None
    assert await read_facts(own_shop, **foreign) == {}
    # Even a message id that another principal used is the first one here.
    assert (await say(own_shop, "серебро", "m1", principal="boris")).outcome == "started"
    state = await read_state(own_shop, principal="anna", user_id="u-1")
    assert state is not None
    assert state.index == 1


async def test_answers_that_come_at_once_are_taken_one_after_another(
    own_shop: AsyncEngine,
) -> None:
    await say(own_shop, "тест", "m0")

    steps = await asyncio.gather(*(say(own_shop, "пропустить", f"m{n}") for n in range(1, 5)))

    assert sorted(step.state.index for step in steps) == [1, 2, 3, 4]


async def test_the_same_message_that_comes_at_once_is_taken_once(own_shop: AsyncEngine) -> None:
    await say(own_shop, "тест", "m0")

    steps = await asyncio.gather(*(say(own_shop, "пропустить", "m1") for _ in range(4)))

    assert {step.state.index for step in steps} == {1}


async def test_a_fact_takes_the_place_of_the_one_before(own_shop: AsyncEngine) -> None:
    owner = {"principal": "anna", "user_id": "u-1"}
    for value in ({"day": 3}, "Овен"):
        await remember_fact(own_shop, **owner, name="zodiac", value=value, now=1.0)

    assert await read_facts(own_shop, **owner) == {"zodiac": "Овен"}


async def test_a_user_can_be_forgotten(own_shop: AsyncEngine) -> None:
    owner = {"principal": "anna", "user_id": "u-1"}
    await say(own_shop, "тест", "m0")
    await say(own_shop, "тест", "m0", user_id="u-2")
    await remember_fact(own_shop, **owner, name="zodiac", value="leo", now=1.0)

    await forget_user(own_shop, **owner)

    assert await read_state(own_shop, **owner) is None
    assert await read_facts(own_shop, **owner) == {}
    assert await read_state(own_shop, principal="anna", user_id="u-2") is not None


async def test_user_ids_are_data_and_no_sql(own_shop: AsyncEngine) -> None:
    odd = "u'; DROP TABLE jewelry_taste_states; --"

    await say(own_shop, "тест", "m0", user_id=odd)

    assert await read_state(own_shop, principal="anna", user_id=odd) is not None
