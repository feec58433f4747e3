"""What `potok serve` prints once it is ready: where it is, who answers, what to try."""

from collections.abc import Sequence

from potok.assembly.local_models import used_places
from potok.assembly.settings import GgufPlace, ProviderAccount, Settings
from potok.models.contract import ModelInfo

__all__ = ["describe_models", "describe_server", "shown_address"]

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}
_DEFAULT_ADDRESS = "http://127.0.0.1:8000"
_MODELS_SHOWN = 6
_FOUND = "An Ollama on this machine is found by itself, also one that is started later."
_QUESTION = '"messages": [{"role": "user", "content": "Hi!"}]'


def shown_address(host: str, port: int) -> str:
    """Return the URL at which this machine reaches a server that listens on `host`."""
    place = _EVERYWHERE.get(host) or (f"[{host}]" if ":" in host else host)
    return f"http://{place}:{port}"


def describe_server(settings: Settings, *, version: str, address: str) -> str:
    """Return the block of lines; with only the demo it says how to connect a model."""
    places = used_places(settings)
    model = "default" if settings.providers or places else "demo"
    redis = settings.storage.redis_place
    lines = [f"Potok {version} is ready at {address}", ""]
    if settings.server.host in _EVERYWHERE:
        lines.append("  open to    every network of this machine, with POTOK_API_KEY")
    lines += [
        f"  models     {_who_answers(settings.providers, places)}",
        f"  data       {settings.data_dir}",
        *([] if redis is None else [f"  runs       {redis}"]),
        "",
    ]
    if not settings.providers and not places:
        lines += [
            "The demo model is built in and is no LLM: it shows how streams behave.",
            "For a real one, give the key of OpenAI, or the address of whoever speaks its API:",
            "  OPENAI_API_KEY=... potok serve",
            "  OPENAI_BASE_URL=http://localhost:8080/v1 potok serve",
            "Or let this machine run one: potok models add --help",
            *([_FOUND] if settings.guesses else []),
            "",
        ]
    lines += ["Try it from another terminal:", *_commands(settings, address, model), ""]
    lines.append("Ctrl-C stops the server. Answers that are not finished go on at its next start.")
    return "\n".join(lines)


def describe_models(account: ProviderAccount | GgufPlace, models: Sequence[ModelInfo]) -> str:
    """Return a line on what a provider serves."""
    names = ", ".join(model.name for model in models[:_MODELS_SHOWN])
    more = len(models) - _MODELS_SHOWN
    rest = f" and {more} more" if more > 0 else ""
    return f"{account.name} serves {names}{rest}." if models else f"{account.name} serves no model."


def _who_answers(providers: Sequence[ProviderAccount], places: Sequence[GgufPlace]) -> str:
    listed = [f"{account.name} ({account.base_url.partition('?')[0]})" for account in providers]
    listed += [f"{place.name} ({place.path})" for place in places]
    return ", ".join([*listed, "demo"])


def _commands(settings: Settings, address: str, model: str) -> list[str]:
    header = '-H "Authorization: Bearer $POTOK_API_KEY"'
    has_key = settings.server.api_key is not None
    json = "-H 'Content-Type: application/json' \\"
    key = [f"    {header} \\"] if has_key else []
    url = "" if address == _DEFAULT_ADDRESS else f" --url {address}"
    return [
        f"  potok chat{url}",
        "",
        f"  curl -N {address}/v1/chat/completions {json}",
        *key,
        f'    -d \'{{"model": "{model}", "stream": true, {_QUESTION}}}\'',
        "",
        f"  RUN=$(curl -s {address}/api/runs {json}",
        *key,
        f'    -d \'{{"model": "{model}", {_QUESTION}}}\' | cut -d \'"\' -f 4)',
        f"  curl -N {address}/api/runs/$RUN/events{f' {header}' if has_key else ''}",
    ]
