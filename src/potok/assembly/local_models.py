"""Providers of models in files of this machine."""

from potok.assembly.settings import GgufPlace, Settings, UpstreamSettings
from potok.clock import Clock, IdSource
from potok.models.answer import Timeouts
from potok.models.gguf.files import SUFFIX
from potok.models.gguf.provider import GgufProvider
from potok.telemetry import Observer

__all__ = ["connect_place", "used_places"]


def used_places(settings: Settings) -> tuple[GgufPlace, ...]:
    """Return the places that somebody configured, and the data folder's if a file is there."""
    return tuple(
        place
        for place in settings.gguf_places
        if place.must_exist or any(place.path.glob(f"*{SUFFIX}"))
    )


def connect_place(
    place: GgufPlace,
    upstream: UpstreamSettings,
    *,
    clock: Clock,
    ids: IdSource,
    observer: Observer,
) -> GgufProvider:
    """Return the provider of one place; opens nothing and starts nothing."""
    return GgufProvider(
        place.name,
        place.path,
        must_exist=place.must_exist,
        serving=place.serving,
        clock=clock,
        ids=ids,
        observer=observer,
        timeouts=Timeouts(
            connect=upstream.connect_seconds,
            first_token=upstream.first_token_seconds,
            between_tokens=upstream.token_gap_seconds,
            total=upstream.total_seconds,
        ),
    )
