"""One run for one idempotency key, whoever asks which worker how often.

A key and a run are two keys of Redis, so that a claim comes before its run. A caller that finds a
claim without its run waits a little; then the maker counts as dead, its run is made impossible, and
the claim is given to the caller. A maker that was only slow is refused when it comes.
"""

import asyncio
from collections.abc import Awaitable, Callable

from potok.errors import LogUnavailable
from potok.limits import (
    IDEMPOTENCY_KEY_SECONDS,
    REDIS_CLAIM_LOOK_SECONDS,
    REDIS_CLAIM_LOOKS_MAX,
    REDIS_CLAIM_ROUNDS_MAX,
)
from potok.streamlog.contract import NewRun, RunRecord
from potok.streamlog.redis_connections import Connections
from potok.streamlog.redis_records import claim_key, record_key
from potok.streamlog.redis_scripts import script_call
from potok.streamlog.rules import check_same_request, is_key_fresh

__all__ = ["Claims"]

_TTL_MS = 2 * IDEMPOTENCY_KEY_SECONDS * 1000


class Claims:
    """The idempotency keys. `find` reads a run's record, None if there is none."""

    def __init__(
        self,
        connections: Connections,
        *,
        now: Callable[[], str],
        find: Callable[[str], Awaitable[RunRecord | None]],
    ) -> None:
        self._connections = connections
        self._now = now
        self._find = find

    async def find(
        self, principal: str, key: str, *, request_hash: str, now: float
    ) -> RunRecord | None:
        """Return the run that the key started; None if it is free, or its run not there yet.

        Raises:
            IdempotencyConflict: it started another request.
        """
        named, stored_hash, at = await self._connections.call(
            "HMGET", claim_key(principal, key), "run", "hash", "at"
        )
        if named is None or not is_key_fresh(float(at), now=now):
            return None
        found = await self._find(named.decode())
        if found is not None:
            check_same_request(
                key, run=found.run, stored_hash=stored_hash.decode(), request_hash=request_hash
            )
        return found

    async def claim(self, new: NewRun, key: str) -> RunRecord | None:
        """Return the run that the key started before; None if it names the new one now.

        Raises:
            IdempotencyConflict: it started another request.
        """
        void = ""
        for _ in range(REDIS_CLAIM_ROUNDS_MAX):
            named, stored_hash = await self._connections.call(
                *script_call(
                    "claim",
                    (claim_key(new.principal, key),),
                    *(self._now(), new.run, new.request_hash, IDEMPOTENCY_KEY_SECONDS),
                    *(_TTL_MS, void),
                )
            )
            run = named.decode()
            if run == new.run:
                return None
            found = await self._look_for(run)
            if found is not None:
                stored = stored_hash.decode()
                check_same_request(key, run=run, stored_hash=stored, request_hash=new.request_hash)
                return found
            if await self.make_void(run):
                void = run
        raise LogUnavailable(
            "Several servers tried to start the run of one Idempotency-Key at once, and none could"
            " yet. Send the request again."
        )

    async def make_void(self, run: str) -> bool:
        """Keep a run from ever being made; False if it is there already."""
        [answer] = await self._connections.call(
            *script_call("make_void", (record_key(run),), _TTL_MS)
        )
        return bool(answer == b"ok")

    async def forget(self, principal: str, key: str, run: str) -> None:
        """Let a key start another run, if it names this one."""
        await self._connections.call(*script_call("unclaim", (claim_key(principal, key),), run))

    async def _look_for(self, run: str) -> RunRecord | None:
        for _ in range(REDIS_CLAIM_LOOKS_MAX):
            found = await self._find(run)
            if found is not None:
                return found
            await asyncio.sleep(REDIS_CLAIM_LOOK_SECONDS)
        return None
