"""All models of all providers: their lists, and the way from a name to a model."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from potok.clock import Clock
from potok.errors import ModelUnknown, PotokError, UpstreamUnreachable
from potok.limits import MODELS_FAILURE_KEPT_SECONDS, MODELS_KEPT_SECONDS
from potok.models.capabilities import can_chat, is_well_known
from potok.models.contract import ChatModel, ModelInfo, Provider

__all__ = ["DEFAULT", "DEMO", "Catalogue"]

DEMO = "demo"
"""The name of the built-in provider: never the default while there is another one."""

DEFAULT = "default"
"""The name that asks for whatever model there is."""


@dataclass(slots=True)
class _Listing:
    """What is known of one provider's models; `failed_with` is its last list's error."""

    models: tuple[ModelInfo, ...] = ()
    failed_with: PotokError | None = None
    fresh_until: float = float("-inf")
    asking: asyncio.Task[None] | None = field(default=None, repr=False)


class Catalogue:
    """Finds models by name.

    Args:
        providers: In order of precedence: a bare name goes to the first that lists it. The
            catalogue closes them.
        aliases: Names of the operator's own, each for a full or a bare name; not chained.
        optional: Names of providers that nobody configured. One of them counts only while it lists
            models: its failures are not told, and it is no reason to miss the demo.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        *,
        clock: Clock,
        aliases: Mapping[str, str] | None = None,
        optional: Collection[str] = (),
    ) -> None:
        self._providers = {provider.name: provider for provider in providers}
        assert len(self._providers) == len(providers), "two providers have the same name"
        self._clock = clock
        self._aliases = dict(aliases or {})
        self._optional = frozenset(optional)
        self._listings = {name: _Listing() for name in self._providers}

    @property
    def failures(self) -> dict[str, PotokError]:
        """Why providers could not be asked when they were last asked, by provider."""
        return {
            name: listing.failed_with
            for name, listing in self._listings.items()
            if listing.failed_with is not None and name not in self._optional
        }

    async def list(self) -> tuple[ModelInfo, ...]:
        """Return the models of all providers, in the providers' order.

        Lists are kept for a minute; a provider that fails contributes nothing, see `failures`.
        Callers at the same time share one question to each provider.
        """
        await self._ask_all()
        return tuple(
            model
            for listing in self._listings.values()
            if listing.failed_with is None
            for model in listing.models
        )

    async def resolve(self, name: str | None) -> ChatModel:
        """Return the model that a name means; None and `default` mean whatever there is.

        `<provider>/<model>` is taken at its word and asks nobody. While the demo model is alone,
        it also answers to the names that programs carry, `gpt-4o` and the like.

        Raises:
            ModelUnknown: no provider lists it.
            UpstreamUnreachable: the same, but a provider that might could not be asked.
        """
        if name is None or name == DEFAULT:
            return await self._default()
        name = self._aliases.get(name, name)
        provider, slash, own_name = name.partition("/")
        if slash and own_name and provider in self._providers:
            return self._providers[provider].model(own_name)
        if is_well_known(name) and await self._has_only_demo():
            return await self._default()
        await self._ask_all()
        for listing in self._listings.values():
            # The last list that came is good enough to find a model that is asked for.
            for model in listing.models:
                if model.name == name:
                    return self._providers[model.provider].model(name)
        raise self._unknown(name)

    async def close(self) -> None:
        """Close all providers."""
        for listing in self._listings.values():
            if listing.asking is not None:
                listing.asking.cancel()
        for provider in self._providers.values():
            await provider.close()

    async def _has_only_demo(self) -> bool:
        if self._providers.keys() - self._optional != {DEMO}:
            return False
        found = self._providers.keys() & self._optional
        await asyncio.gather(*(self._ask(name) for name in found))
        return not any(self._is_here(name) for name in found)

    def _is_here(self, name: str) -> bool:
        # An optional one that is gone is as if it had never been; one that is slow is still there.
        listing = self._listings[name]
        is_gone = isinstance(listing.failed_with, UpstreamUnreachable)
        return bool(listing.models) and not (is_gone and name in self._optional)

    async def _default(self) -> ChatModel:
        await self._ask_all()
        real = {name: found for name, found in self._listings.items() if name != DEMO}
        for name, listing in real.items():
            if self._is_here(name):
                first = next((m for m in listing.models if can_chat(m.name)), listing.models[0])
                return self._providers[name].model(first.name)
        demo = self._listings.get(DEMO)
        # Nobody who set up a provider wants the demo's answers while that one is down.
        if demo is None or not demo.models or self.failures.keys() & real.keys():
            raise self._unknown(DEFAULT)
        return self._providers[DEMO].model(demo.models[0].name)

    async def _ask_all(self) -> None:
        await asyncio.gather(*(self._ask(name) for name in self._providers))

    async def _ask(self, name: str) -> None:
        listing = self._listings[name]
        if self._clock.monotonic() < listing.fresh_until:
            return
        if listing.asking is None:
            listing.asking = asyncio.create_task(self._refresh(name, listing))
        # One caller who goes away must not take the others' list along.
        await asyncio.shield(listing.asking)

    async def _refresh(self, name: str, listing: _Listing) -> None:
        try:
            listing.models = await self._providers[name].list_models()
        except PotokError as error:
            listing.failed_with = error
            kept_seconds = MODELS_FAILURE_KEPT_SECONDS
        else:
            listing.failed_with = None
            kept_seconds = MODELS_KEPT_SECONDS
        finally:
            listing.asking = None
        listing.fresh_until = self._clock.monotonic() + kept_seconds

    def _unknown(self, name: str) -> ModelUnknown | UpstreamUnreachable:
        failures = self.failures
        if failures:
            reasons = " ".join(error.message for error in failures.values())
            return UpstreamUnreachable(
                f"The model {name[:200]!r} may be one of {', '.join(failures)}, which could not be"
                f" asked: {reasons} Write <provider>/<model> to use a model without a list."
            )
        known = tuple(model.name for listing in self._listings.values() for model in listing.models)
        return ModelUnknown(name, known=known)
