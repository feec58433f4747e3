"""Keeps taste tests and what is known of users. Everything is keyed by (principal, user_id).

An answer that is sent again under its message id gives the step that it led to at first.
"""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from potok.apps.contract import PotokError
from potok_apps.jewelry.bounds import TASTE_TRIES_MAX
from potok_apps.jewelry.tables import profile_facts, taste_answers, taste_states
from potok_apps.jewelry.taste import Step, TasteState, start_test, step_test
from potok_apps.jewelry.taste_profile import Profile, profile_of

__all__ = [
    "TasteBusy",
    "forget_user",
    "read_facts",
    "read_profile",
    "read_state",
    "remember_fact",
    "take_answer",
]


class TasteBusy(PotokError):
    """Other answers of the same user were stored again and again before this one."""

    code, retryable = "taste_busy", True


async def take_answer(
    engine: AsyncEngine, *, principal: str, user_id: str, message_id: str, message: str, now: float
) -> Step:
    """Apply a message to somebody's test and store it; the first one starts the test.

    Raises:
        TasteBusy: too many messages of the same user at once; nothing was stored.
    """
    owner = {"principal": principal, "user_id": user_id}
    for _ in range(TASTE_TRIES_MAX):
        known, version, state = await _read(engine, owner, message_id)
        if known is not None:
            return known
        step = start_test() if state is None else step_test(state, message)
        if await _store(engine, owner, message_id, version, step, now):
            return step
    raise TasteBusy("Several answers came at once. Send the last one again.")


async def read_state(engine: AsyncEngine, *, principal: str, user_id: str) -> TasteState | None:
    """Return where somebody stands, None if they never began."""
    async with engine.connect() as connection:
        stored = await connection.scalar(
            select(taste_states.c.state).where(*_owned(taste_states, principal, user_id))
        )
    return TasteState.from_json(json.loads(stored)) if stored is not None else None


async def read_profile(engine: AsyncEngine, *, principal: str, user_id: str) -> Profile | None:
    """Return somebody's profile as their answers make it so far, None if they never began."""
    state = await read_state(engine, principal=principal, user_id=user_id)
    return profile_of(state) if state is not None else None


async def remember_fact(
    engine: AsyncEngine, *, principal: str, user_id: str, name: str, value: Any, now: float
) -> None:
    """Keep one thing about somebody, any JSON, in the place of what was kept under that name."""
    owner = {"principal": principal, "user_id": user_id, "name": name}
    row = {"value": json.dumps(value, ensure_ascii=False), "updated_at": now}
    for _ in range(TASTE_TRIES_MAX):
        try:
            async with engine.begin() as connection:
                changed = await connection.execute(
                    update(profile_facts)
                    .where(*_owned(profile_facts, principal, user_id), profile_facts.c.name == name)
                    .values(row)
                )
                if not changed.rowcount:
                    await connection.execute(insert(profile_facts).values(owner | row))
            return
        except IntegrityError:
            # Another request kept it first: now there is a row to change.
            continue
    raise TasteBusy("Several answers came at once. Send the last one again.")


async def read_facts(engine: AsyncEngine, *, principal: str, user_id: str) -> dict[str, Any]:
    """Return all that is kept about somebody, by name."""
    async with engine.connect() as connection:
        rows = await connection.execute(
            select(profile_facts.c.name, profile_facts.c.value)
            .where(*_owned(profile_facts, principal, user_id))
            .order_by(profile_facts.c.name)
        )
        return {row.name: json.loads(row.value) for row in rows}


async def forget_user(engine: AsyncEngine, *, principal: str, user_id: str) -> None:
    """Remove a user's test, answers and facts."""
    async with engine.begin() as connection:
        for table in (taste_states, taste_answers, profile_facts):
            await connection.execute(delete(table).where(*_owned(table, principal, user_id)))


def _owned(table: Table, principal: str, user_id: str) -> tuple[Any, Any]:
    return table.c.principal == principal, table.c.user_id == user_id


async def _read(
    engine: AsyncEngine, owner: Mapping[str, str], message_id: str
) -> tuple[Step | None, int, TasteState | None]:
    """Return the step of a message that was taken before, and the state now with its version."""
    async with engine.connect() as connection:
        taken = await connection.scalar(
            select(taste_answers.c.step).where(
                *_owned(taste_answers, **owner), taste_answers.c.message_id == message_id
            )
        )
        row = (
            await connection.execute(
                select(taste_states.c.version, taste_states.c.state).where(
                    *_owned(taste_states, **owner)
                )
            )
        ).one_or_none()
    known = _step_from_json(json.loads(taken)) if taken is not None else None
    if row is None:
        return known, 0, None
    return known, row.version, TasteState.from_json(json.loads(row.state))


async def _store(
    engine: AsyncEngine,
    owner: Mapping[str, str],
    message_id: str,
    version: int,
    step: Step,
    now: float,
) -> bool:
    """Store a step and its message together; False if somebody else stored one in between."""
    state = json.dumps(step.state.as_json(), ensure_ascii=False)
    row = {"version": version + 1, "state": state, "updated_at": now}
    answer = {"message_id": message_id, "step": json.dumps(_step_as_json(step)), "created_at": now}
    try:
        async with engine.begin() as connection:
            if version == 0:
                await connection.execute(insert(taste_states).values({**owner, **row}))
            else:
                changed = await connection.execute(
                    update(taste_states)
                    .where(*_owned(taste_states, **owner), taste_states.c.version == version)
                    .values(row)
                )
                if not changed.rowcount:
                    return False
            await connection.execute(insert(taste_answers).values({**owner, **answer}))
    except IntegrityError:
        return False
    return True


def _step_as_json(step: Step) -> dict[str, Any]:
    return {
        "outcome": step.outcome,
        "state": step.state.as_json(),
        "heard": [list(pair) for pair in step.heard],
    }


def _step_from_json(stored: dict[str, Any]) -> Step:
    return Step(
        outcome=stored["outcome"],
        state=TasteState.from_json(stored["state"]),
        heard=tuple((kind, value) for kind, value in stored["heard"]),
    )
