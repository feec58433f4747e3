"""Settings in, the parts of one server out. Building opens nothing; `Built` does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from potok import __version__
from potok.agents.model_agent import Continuing
from potok.agents.registry import AgentRegistry
from potok.assembly.apps import InstalledApps
from potok.assembly.chats import check_chats, connect_chats
from potok.assembly.local_models import connect_place, used_places
from potok.assembly.log import LOG_FILE, connect_log
from potok.assembly.settings import ProviderAccount, Settings, UpstreamSettings
from potok.clock import Clock, IdSource, SystemClock, SystemIds
from potok.limits import FOUND_CONNECT_SECONDS, FOUND_LIST_SECONDS, UPSTREAM_LIST_SECONDS
from potok.models.answer import Timeouts
from potok.models.capabilities import capabilities_of
from potok.models.catalogue import Catalogue
from potok.models.contract import Provider
from potok.models.demo import DemoProvider
from potok.models.knocking import somebody_listens
from potok.models.line import LineOptions
from potok.models.ollama import OllamaProvider
from potok.models.openai_chat import OpenAiProvider
from potok.protocol.continuation import Budget
from potok.runs.service import RunService
from potok.runs.settings import RunSettings
from potok.server.access import Access
from potok.server.principals import LOCAL, KeyedPrincipals, LocalPrincipal
from potok.server.services import About, Services
from potok.server.static_ui import load_static_ui
from potok.streamlog.contract import StreamLog
from potok.telemetry import Observer, SilentObserver

__all__ = ["LOG_FILE", "Built", "build", "connect_provider"]

_HOUR_SECONDS = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """All parts of one server; `services` goes to `potok.server.app.build_app`."""

    services: Services
    log: StreamLog
    catalogue: Catalogue
    settings: Settings

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Services]:
        """Hold the log open; the app's own lifespan opens and closes the runs inside.

        Raises:
            SetupError: the data folder or Redis cannot be used, or a newer Potok wrote there.
        """
        check_chats(self.settings)
        await self.log.open()
        try:
            yield self.services
        finally:
            try:
                await self.catalogue.close()
            finally:
                await self.log.close()


def build(
    settings: Settings,
    *,
    address: str,
    clock: Clock | None = None,
    ids: IdSource | None = None,
    observer: Observer | None = None,
) -> Built:
    """Connect the parts as the settings say.

    Args:
        address: What the server prints and shows of itself, `http://127.0.0.1:8000`.

    Raises:
        SettingInvalid: a provider's address or key cannot be used.
        RedisUnusable: Redis is asked for without its library.
    """
    clock, ids, observer = clock or SystemClock(), ids or SystemIds(), observer or SilentObserver()
    log = connect_log(settings, clock=clock)
    catalogue = _connect_models(settings, clock=clock, ids=ids, observer=observer)
    continuing = _continuing(settings, clock=clock, ids=ids)
    models = AgentRegistry(catalogue, rules=settings.models, continuing=continuing)
    apps = InstalledApps(settings, models=models, clock=clock, ids=ids)
    runs = RunService(
        log,
        AgentRegistry(
            catalogue, agents=apps.host.agents, rules=settings.models, continuing=continuing
        ),
        clock=clock,
        ids=ids,
        observer=observer,
        settings=_run_settings(settings),
    )
    apps.watch(runs, log)
    services = Services(
        runs=runs,
        catalogue=catalogue,
        clock=clock,
        ids=ids,
        observer=observer,
        access=_access(settings),
        about=About(
            version=__version__,
            address=address,
            data_folder=str(settings.data_dir),
            log_backend="sqlite" if settings.storage.redis_url is None else "redis",
        ),
        chats=connect_chats(settings, runs, clock=clock, ids=ids),
        apps=apps.host,
        ui=load_static_ui(),
    )
    return Built(services=services, log=log, catalogue=catalogue, settings=settings)


def _connect_models(
    settings: Settings, *, clock: Clock, ids: IdSource, observer: Observer
) -> Catalogue:
    connect = partial(
        connect_provider, upstream=settings.upstream, clock=clock, ids=ids, observer=observer
    )
    providers: list[Provider] = [connect(account) for account in settings.providers]
    providers += [
        connect_place(place, settings.upstream, clock=clock, ids=ids, observer=observer)
        for place in settings.gguf_places
    ]
    providers += [connect(account, is_guess=True) for account in settings.guesses]
    providers.append(DemoProvider(clock, tokens_per_second=settings.demo.tokens_per_second))
    # A folder in which nothing is is no reason to miss the demo.
    empty = {place.name for place in settings.gguf_places} - {
        place.name for place in used_places(settings)
    }
    return Catalogue(
        providers,
        clock=clock,
        aliases=settings.aliases,
        optional=[*(account.name for account in settings.guesses), *empty],
    )


def connect_provider(
    account: ProviderAccount,
    upstream: UpstreamSettings,
    *,
    clock: Clock,
    ids: IdSource,
    observer: Observer,
    is_guess: bool = False,
) -> Provider:
    """Return the adapter of one provider; raises `SettingInvalid`.

    `is_guess` says that nobody configured it: its list is then asked for without much patience.
    """
    key = None if account.api_key is None else account.api_key.get_secret_value()
    timeouts = Timeouts(
        connect=upstream.connect_seconds,
        first_token=upstream.first_token_seconds,
        between_tokens=upstream.token_gap_seconds,
        total=upstream.total_seconds,
        list_models=FOUND_LIST_SECONDS if is_guess else UPSTREAM_LIST_SECONDS,
    )
    options: LineOptions = {
        "clock": clock,
        "ids": ids,
        "observer": observer,
        "timeouts": timeouts,
        "calls_max": upstream.calls_max,
        "waiting_max": upstream.waiting_max,
        "wait_seconds": upstream.wait_seconds,
    }
    name, url, setting = account.name, account.base_url, account.key_variable
    if account.kind == "openai":
        facts = partial(capabilities_of, base_url=url)
        return OpenAiProvider(name, url, key, key_setting=setting, capabilities=facts, **options)
    knock = partial(somebody_listens, url, seconds=FOUND_CONNECT_SECONDS) if is_guess else None
    return OllamaProvider(name, url, key, key_setting=setting, is_listening=knock, **options)


def _continuing(settings: Settings, *, clock: Clock, ids: IdSource) -> Continuing:
    budget = Budget(
        calls_max=settings.runs.answer_calls_max,
        seconds_max=settings.runs.answer_repair_seconds_max,
    )
    return Continuing(budget=budget, clock=clock, fraction=ids.fraction)


def _run_settings(settings: Settings) -> RunSettings:
    return RunSettings(
        heartbeat_seconds=settings.runs.heartbeat_seconds,
        disconnect_grace_seconds=settings.runs.disconnect_grace_seconds,
        recover_age_max_seconds=settings.runs.recover_age_max_seconds,
        live_runs_max=settings.runs.live_runs_max,
        events_kept_seconds=settings.storage.events_kept_hours * _HOUR_SECONDS,
        records_kept_seconds=settings.storage.runs_kept_days * 24 * _HOUR_SECONDS,
    )


def _access(settings: Settings) -> Access:
    key = settings.server.api_key
    return Access(
        bind_host=settings.server.host,
        hosts=settings.server.allowed_hosts,
        cors_origins=settings.server.cors_origins,
        principals=LocalPrincipal()
        if key is None
        else KeyedPrincipals({key.get_secret_value(): LOCAL}),
    )
