from collections.abc import Mapping
from pathlib import Path

import pytest

from potok.agents.sources import ModelRules
from potok.assembly.settings import Settings, load_settings
from potok.errors import SettingInvalid

SECRET = "sk-very-secret-1234"


def refusal(environ: Mapping[str, str], config_path: Path | None = None) -> str:
    with pytest.raises(SettingInvalid) as caught:
        load_settings(environ, config_path)
    return caught.value.message


def in_file(folder: Path, text: str) -> Path:
    path = folder / "potok.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_nothing_set_gives_a_server_on_loopback_with_the_demo_alone() -> None:
    settings = load_settings({"HOME": "/home/ada"})

    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8000)
    assert settings.server.api_key is None
    assert settings.providers == ()


ENVIRON: list[tuple[str, str, str, object]] = [
    ("POTOK_HOST", "::1", "server.host", "::1"),
    ("POTOK_PORT", "9000", "server.port", 9000),
    ("POTOK_PORT", "0", "server.port", 0),
    ("POTOK_CORS_ORIGINS", "https://a.example, http://b:3000/", "server.cors_origins", None),
    ("POTOK_ALLOWED_HOSTS", "potok.example,::1", "server.allowed_hosts", ("potok.example", "::1")),
    ("POTOK_DATA_DIR", "/data", "data_dir", Path("/data")),
    ("POTOK_DURABILITY", "full", "storage.durability", "full"),
    ("POTOK_EVENTS_KEPT_HOURS", "48", "storage.events_kept_hours", 48.0),
    ("POTOK_RUNS_KEPT_DAYS", "7.5", "storage.runs_kept_days", 7.5),
    ("POTOK_HEARTBEAT_SECONDS", "5", "runs.heartbeat_seconds", 5.0),
    ("POTOK_DISCONNECT_GRACE_SECONDS", "0", "runs.disconnect_grace_seconds", 0.0),
    ("POTOK_RECOVER_AGE_MAX_SECONDS", "0", "runs.recover_age_max_seconds", 0.0),
    ("POTOK_LIVE_RUNS_MAX", "3", "runs.live_runs_max", 3),
    ("POTOK_UPSTREAM_CONNECT_SECONDS", "2", "upstream.connect_seconds", 2.0),
    ("POTOK_UPSTREAM_FIRST_TOKEN_SECONDS", "2", "upstream.first_token_seconds", 2.0),
    ("POTOK_UPSTREAM_TOKEN_GAP_SECONDS", "2", "upstream.token_gap_seconds", 2.0),
    ("POTOK_UPSTREAM_TOTAL_SECONDS", "2", "upstream.total_seconds", 2.0),
    ("POTOK_UPSTREAM_CALLS_MAX", "2", "upstream.calls_max", 2),
    ("POTOK_UPSTREAM_WAITING_MAX", "3", "upstream.waiting_max", 3),
    ("POTOK_UPSTREAM_WAIT_SECONDS", "4.5", "upstream.wait_seconds", 4.5),
    ("POTOK_DEMO_TOKENS_PER_SECOND", "250.5", "demo.tokens_per_second", 250.5),
]


def look_up(settings: Settings, path: str) -> object:
    value: object = settings
    for name in path.split("."):
        value = getattr(value, name)
    return value


@pytest.mark.parametrize(("name", "text", "path", "wanted"), ENVIRON)
def test_each_variable_reaches_its_setting(name: str, text: str, path: str, wanted: object) -> None:
    settings = load_settings({name: text})

    if name == "POTOK_CORS_ORIGINS":
        wanted = ("https://a.example", "http://b:3000")
    assert look_up(settings, path) == wanted


BAD: list[tuple[str, str, str]] = [
    ("POTOK_HOST", "http://localhost", "a host name or an IP address"),
    ("POTOK_PORT", "http", "a whole number from 0 to 65535"),
    ("POTOK_PORT", "65536", "a whole number from 0 to 65535"),
    ("POTOK_PORT", "-1", "a whole number from 0 to 65535"),
    ("POTOK_CORS_ORIGINS", "app.example.com", "origins such as"),
    ("POTOK_CORS_ORIGINS", "https://a.example/path", "origins such as"),
    ("POTOK_ALLOWED_HOSTS", "https://a.example", "host names such as"),
    ("POTOK_DURABILITY", "fast", "normal"),
    ("POTOK_EVENTS_KEPT_HOURS", "0", "a number of hours from 1"),
    ("POTOK_RUNS_KEPT_DAYS", "nan", "a number of days from 1"),
    ("POTOK_HEARTBEAT_SECONDS", "61", "a number of seconds from 0.01 to 60"),
    ("POTOK_DISCONNECT_GRACE_SECONDS", "-1", "a number of seconds from 0"),
    ("POTOK_RECOVER_AGE_MAX_SECONDS", "inf", "a number of seconds from 0"),
    ("POTOK_LIVE_RUNS_MAX", "0", "a whole number from 1"),
    ("POTOK_LIVE_RUNS_MAX", "1.5", "a whole number from 1"),
    ("POTOK_UPSTREAM_CONNECT_SECONDS", "0", "a number of seconds above 0"),
    ("POTOK_UPSTREAM_CALLS_MAX", "many", "a whole number from 1"),
    ("POTOK_DEMO_TOKENS_PER_SECOND", "-1", "a number from 0"),
    ("OPENAI_BASE_URL", "llm.example.com", "an http or https address"),
]


@pytest.mark.parametrize(("name", "text", "allowed"), BAD)
def test_a_wrong_value_is_answered_with_its_name_what_is_allowed_and_itself(
    name: str, text: str, allowed: str
) -> None:
    sentence = refusal({name: text})

    assert sentence.startswith(f"{name} must be ")
    assert allowed in sentence
    assert repr(text) in sentence


@pytest.mark.parametrize("name", ["POTOK_API_KEY", "OPENAI_API_KEY"])
def test_the_value_of_a_wrong_key_is_not_shown(name: str) -> None:
    sentence = refusal({name: f"{SECRET} with spaces"})

    assert sentence.startswith(f"{name} must be ")
    assert SECRET not in sentence


def test_the_value_of_an_address_with_an_account_is_not_shown() -> None:
    sentence = refusal({"OPENAI_BASE_URL": f"ftp://ada:{SECRET}@llm.example.com"})

    assert SECRET not in sentence


@pytest.mark.parametrize("name", ["POTOK_API_KEY", "OPENAI_API_KEY"])
def test_no_form_of_the_settings_shows_a_key(name: str) -> None:
    settings = load_settings({name: SECRET})

    assert SECRET not in repr(settings) + str(settings) + f"{settings.server}"


def test_a_key_may_come_with_the_line_break_of_its_file() -> None:
    settings = load_settings({"POTOK_API_KEY": f"{SECRET}\n"})

    assert settings.server.api_key is not None
    assert settings.server.api_key.get_secret_value() == SECRET


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("POTOK_PROT", "The closest variable is POTOK_PORT."),
        ("POTOK_APIKEY", "The closest variable is POTOK_API_KEY."),
        ("POTOK_XYZZY", "Known: POTOK_ALLOWED_HOSTS, "),
    ],
)
def test_an_unknown_variable_is_refused_with_the_closest_name(name: str, hint: str) -> None:
    sentence = refusal({name: "1"})

    assert sentence.startswith(f"{name} is no setting of Potok. {hint}")


@pytest.mark.parametrize(
    "url", ["redis://", "http://host:6379", "host:6379", "redis://:secret@/0", "redis://h:0/0"]
)
def test_an_address_that_is_no_redis_is_refused_without_being_shown(url: str) -> None:
    sentence = refusal({"POTOK_REDIS_URL": url})

    assert sentence.startswith("POTOK_REDIS_URL must be redis://user:password@host:port/0")
    assert "secret" not in sentence


@pytest.mark.parametrize("url", ["redis://h", "rediss://u:p@h:6380/2", "unix:///run/redis.sock"])
def test_addresses_of_redis_are_taken(url: str) -> None:
    settings = load_settings({"POTOK_REDIS_URL": url, "POTOK_WORKERS": "4"})

    assert settings.storage.redis_url is not None
    assert settings.storage.redis_url.get_secret_value() == url
    assert url not in repr(settings)
    assert settings.server.workers == 4


def test_several_workers_need_redis() -> None:
    sentence = refusal({"POTOK_WORKERS": "2"})

    assert "set POTOK_REDIS_URL" in sentence


@pytest.mark.parametrize(
    "name",
    ["POTOK_SERVICE_HOST", "POTOK_SERVICE_PORT_HTTP", "POTOK_PORT_8000_TCP_ADDR", "OLLAMA_MODELS"],
)
def test_what_the_surroundings_set_for_others_is_left_alone(name: str) -> None:
    assert load_settings({name: "10.0.0.1"}) == load_settings({})


def test_a_port_that_kubernetes_sets_is_explained() -> None:
    sentence = refusal({"POTOK_PORT": "tcp://10.0.0.1:8000"})

    assert "enableServiceLinks: false" in sentence


def test_an_empty_variable_counts_as_not_set() -> None:
    environ = {"POTOK_PORT": "", "POTOK_API_KEY": "", "OPENAI_API_KEY": "", "POTOK_NOTHING": ""}

    assert load_settings(environ) == load_settings({})


def test_all_faults_are_told_at_once() -> None:
    sentences = refusal({"POTOK_PORT": "x", "POTOK_HEARTBEAT_SECONDS": "x"}).splitlines()

    assert [sentence.split()[0] for sentence in sentences] == [
        "POTOK_PORT",
        "POTOK_HEARTBEAT_SECONDS",
    ]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "potok.example"])
def test_a_host_that_others_reach_needs_a_key(host: str) -> None:
    sentence = refusal({"POTOK_HOST": host})

    assert "set POTOK_API_KEY" in sentence
    assert load_settings({"POTOK_HOST": host, "POTOK_API_KEY": SECRET}).server.host == host


def test_every_origin_may_be_allowed_only_with_a_key() -> None:
    sentence = refusal({"POTOK_CORS_ORIGINS": "*"})

    assert "set POTOK_API_KEY" in sentence
    with_key = load_settings({"POTOK_CORS_ORIGINS": "*", "POTOK_API_KEY": SECRET})
    assert with_key.server.cors_origins == ("*",)


def test_runs_are_kept_in_the_users_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    assert load_settings({}).data_dir == tmp_path / ".local" / "share" / "potok"
    assert load_settings({"XDG_DATA_HOME": "/xdg"}).data_dir == Path("/xdg/potok")


def test_a_data_folder_may_be_relative_or_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))

    assert load_settings({"POTOK_DATA_DIR": "runs"}).data_dir == tmp_path / "runs"
    assert load_settings({"POTOK_DATA_DIR": "~/runs"}).data_dir == tmp_path / "runs"


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_can_be_refused(environ: dict[str, str]) -> None:
    assert load_settings(environ).is_plain


def test_openai_variables_are_enough_to_get_a_provider() -> None:
    (account,) = load_settings({"OPENAI_API_KEY": SECRET}).providers

    assert (account.name, account.base_url) == ("openai", "https://api.openai.com/v1")
    assert account.api_key is not None
    assert account.api_key.get_secret_value() == SECRET


def test_a_base_url_alone_is_a_provider_without_a_key() -> None:
    (account,) = load_settings({"OPENAI_BASE_URL": "http://localhost:11434/v1/"}).providers

    assert (account.base_url, account.api_key) == ("http://localhost:11434/v1", None)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    path = in_file(tmp_path, '[server]\nport = 9000\ncors_origins = ["https://a.example"]\n')

    settings = load_settings({"POTOK_CONFIG": str(path), "POTOK_PORT": "9001"})

    assert settings.config_path == path
    assert settings.server.port == 9001
    assert settings.server.cors_origins == ("https://a.example",)


def test_a_file_given_by_hand_wins_over_the_variable(tmp_path: Path) -> None:
    path = in_file(tmp_path, "[server]\nport = 9000\n")

    settings = load_settings({"POTOK_CONFIG": "/nowhere.toml"}, path)

    assert settings.server.port == 9000


def test_providers_and_aliases_come_from_the_file(tmp_path: Path) -> None:
    path = in_file(
        tmp_path,
        '[providers.local]\nkind = "openai"\nbase_url = "http://localhost:1/v1"\n'
        '[providers.groq]\nbase_url = "https://groq.example/v1"\napi_key_env = "GROQ_KEY"\n'
        '[aliases]\n"gpt-4.1" = "groq/llama"\n',
    )

    settings = load_settings({"GROQ_KEY": SECRET, "OPENAI_API_KEY": SECRET}, path)

    assert [account.name for account in settings.providers] == ["local", "groq", "openai"]
    assert settings.providers[0].api_key is None
    assert settings.providers[1].key_variable == "GROQ_KEY"
    assert settings.aliases == {"gpt-4.1": "groq/llama"}


def test_what_becomes_of_a_models_answers_comes_from_the_file(tmp_path: Path) -> None:
    path = in_file(
        tmp_path,
        '[aliases]\nfast = "local/llama"\n'
        '[models."gpt-5"]\nfallback = ["fast", "demo"]\npolicy = "restart"\n'
        '[models.fast]\ncontinues = "prefill"\nprefill = "final"\nstructured = "object"\n',
    )

    models = load_settings({}, path).models

    assert models["gpt-5"] == ModelRules(fallback=("fast", "demo"), policy="restart")
    assert models["fast"] == ModelRules(continues="prefill", prefill="final", structured="object")
    # A run that goes on after a restart knows the model's own name only.
    assert models["local/llama"] == models["fast"]


def test_a_table_named_openai_replaces_the_openai_variables(tmp_path: Path) -> None:
    path = in_file(tmp_path, '[providers.openai]\nbase_url = "http://localhost:1/v1"\n')

    (account,) = load_settings({"OPENAI_API_KEY": SECRET}, path).providers

    assert (account.base_url, account.api_key) == ("http://localhost:1/v1", None)


BAD_FILES: list[tuple[str, str]] = [
    ("[server", "is not valid TOML"),
    ("[sever]\nport = 1", "[sever] in {path} is no table of settings. The closest table is server"),
    ("port = 1", "port in {path} stands outside a table. Move it under [server]."),
    ("server = 1", "server in {path} must be a table"),
    ("[server]\nprot = 1", "prot in [server] of {path} is no setting of Potok. The closest key"),
    ("[server]\nport = 'x'", "port in [server] of {path} must be a whole number"),
    ("[server]\nport = true", "port in [server] of {path} must be a whole number"),
    ("[server]\ncors_origins = [1]", "cors_origins in [server] of {path} must be origins"),
    ("providers = 1", "providers in {path} must be a table"),
    ("[providers]\nx = 1", "providers.x in {path} must be a table"),
    ("[providers.Open-AI]", "[providers.Open-AI] in {path} cannot be called so"),
    ("[providers.demo]", "[providers.demo] in {path} cannot be called so"),
    ("[providers.x]\nkind = 'grpc'", "kind in [providers.x] of {path} must be openai, ollama or"),
    ("[providers.x]\nurl = 'http://x'", "url in [providers.x] of {path} is no setting"),
    ("[providers.x]\napi_key_env = 'NOT_SET'", "takes its key from NOT_SET, which is not set"),
    ("models = 1", "models in {path} must be a table"),
    ("[models]\nx = 1", 'models."x" in {path} must be a table. Write [models."x"]'),
    ("[models.x]\nfallback = 'y'", 'fallback in [models."x"] of {path} must be a list of names'),
    ("[models.x]\nfallback = ['']", 'fallback in [models."x"] of {path} must be a list of names'),
    ("[models.x]\nfallback = ['x']", 'fallback in [models."x"] of {path} names the model itself'),
    ("[models.x]\npolicy = 'stop'", 'policy in [models."x"] of {path} must be continue, restart'),
    ("[models.x]\nfall = []", 'fall in [models."x"] of {path} is no setting'),
    ("[aliases]\nx = 1", "'x' in [aliases] of {path} must be the name of a model"),
]


@pytest.mark.parametrize(("text", "wanted"), BAD_FILES)
def test_a_wrong_file_is_answered_with_the_place(tmp_path: Path, text: str, wanted: str) -> None:
    path = in_file(tmp_path, text)

    assert wanted.format(path=path) in refusal({}, path)


def test_a_key_in_the_file_is_refused_and_not_shown(tmp_path: Path) -> None:
    path = in_file(tmp_path, f'[providers.x]\napi_key = "{SECRET}"\n')

    sentence = refusal({}, path)

    assert "keys stay out of files" in sentence
    assert SECRET not in sentence


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    sentence = refusal({"POTOK_CONFIG": str(tmp_path / "none.toml")})

    assert str(tmp_path / "none.toml") in sentence
    assert "No such file" in sentence


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "potok.toml"
    path.write_bytes(b"\xff\xfe")

    assert "is not valid TOML" in refusal({}, path)
