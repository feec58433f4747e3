"""The plain page at `/`, where the built one is missing: what runs here and how to call it.

Facts in, HTML out; it has no script.
"""

import base64
import hashlib
from dataclasses import dataclass
from html import escape
from string import Template

__all__ = ["CONTENT_SECURITY_POLICY", "HomeFacts", "render_home"]

_MODELS_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeFacts:
    """What the page tells; where strangers may look, it names no model and no folder.

    `troubles` are sentences on providers that cannot be asked.
    """

    version: str
    address: str
    models: tuple[str, ...]
    troubles: tuple[str, ...]
    has_only_demo: bool
    needs_key: bool
    data_folder: str | None
    log_backend: str | None


_STYLE = """
:root { color-scheme: light dark; --ink: #17202b; --soft: #5a6775; --paper: #fbfcfd;
  --card: #ffffff; --line: #dfe5ea; --code: #f2f5f8; --mark: #0b6e8f; --note: #fff6df; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --soft: #9aa7b4; --paper: #11161c;
  --card: #182029; --line: #2a3541; --code: #10161d; --mark: #5cc3e4; --note: #2c2614; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
header { display: flex; align-items: baseline; justify-content: space-between; gap: 1rem; }
h1 { margin: 0; font-size: 2.1rem; letter-spacing: -0.02em; }
h1 span { color: var(--mark); }
h2 { margin: 2.25rem 0 0.6rem; font-size: 1.15rem; }
h3 { margin: 1.4rem 0 0.4rem; font-size: 1rem; color: var(--soft); font-weight: 600; }
p { margin: 0.5rem 0; }
.lead { font-size: 1.1rem; color: var(--soft); }
a { color: var(--mark); text-underline-offset: 0.15em; }
a:focus-visible, pre:focus-visible { outline: 2px solid var(--mark); outline-offset: 3px; }
dl { margin: 0; display: grid; grid-template-columns: minmax(7rem, auto) 1fr; gap: 0.45rem 1.25rem;
  padding: 1rem 1.2rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 0.75rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
code, pre { font: 0.875rem/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre { margin: 0; padding: 0.9rem 1.1rem; background: var(--code); border: 1px solid var(--line);
  border-radius: 0.75rem; overflow-x: auto; }
.note { padding: 0.9rem 1.2rem; background: var(--note); border: 1px solid var(--line);
  border-radius: 0.75rem; }
footer { margin-top: 2.5rem; color: var(--soft); font-size: 0.95rem; }
@media (max-width: 34rem) { main { padding-top: 1.5rem; } h1 { font-size: 1.7rem; }
  dl { grid-template-columns: 1fr; gap: 0.1rem; } dd { margin-bottom: 0.6rem; } }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)
"""Allows the page its own style, by its hash, and nothing else."""

_PAGE = Template("""<!doctype html>
<html lang="$language">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Potok</title>
<link rel="icon" href="data:,">
<style>$style</style>
</head>
<body>
<main>
<header><h1>Potok <span>$name</span></h1>
<a href="/?language=$other" lang="$other">$other_name</a></header>
<p class="lead">$lead</p>
$notes
<h2>$runs_here</h2>
<dl>$facts</dl>
<h2>$call_it</h2>
<h3>OpenAI SDK (Python)</h3>
<pre tabindex="0"><code>$openai_python</code></pre>
<h3>Chat Completions (curl)</h3>
<pre tabindex="0"><code>$openai_curl</code></pre>
<h3>$native</h3>
<pre tabindex="0"><code>$native_curl</code></pre>
<p>$resume</p>
<footer><p>$more</p></footer>
</main>
</body>
</html>
""")

_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "name": "is running",
        "other": "ru",
        "other_name": "Русский",
        "lead": "Answers of language models as durable streams: read, leave, come back, stop.",
        "runs_here": "What runs here",
        "call_it": "How to call it",
        "native": "Potok's own protocol (curl)",
        "version": "Version",
        "address": "Address",
        "models": "Models",
        "data_folder": "Data folder",
        "log": "Event log",
        "more_models": "and $count more",
        "no_models": "none at the moment",
        "resume": "Every event has an <code>id</code>. Send the last one you saw as"
        " <code>Last-Event-ID</code> and the stream goes on right after it, even if the server was"
        " restarted in between.",
        "more": '<a href="/openapi.json">OpenAPI</a> describes every route;'
        ' <a href="/healthz">/healthz</a> says whether the server is alive.',
        "demo": "<strong>Only the demo model answers here.</strong> It is built in, works offline"
        " and is no language model: it answers from your prompt and from Potok's own pages, so"
        " that you can see streaming, resuming and stopping. To connect a real one, stop the"
        " server, set <code>OPENAI_API_KEY</code>, or <code>OPENAI_BASE_URL</code> for whoever"
        " else speaks OpenAI's API, and start it again. An Ollama on this machine is found by"
        " itself.",
        "plain": "The chat page is not built here. <code>scripts/web-build</code> builds it in a"
        " checkout (it needs a network once), and the wheel carries it; then start the server"
        " again.",
        "key": "This server asks for its key: the value of <code>POTOK_API_KEY</code>.",
    },
    "ru": {
        "name": "работает",
        "other": "en",
        "other_name": "English",
        "lead": "Ответы языковых моделей как надёжные потоки: читайте, уходите, возвращайтесь,"
        " останавливайте.",
        "runs_here": "Что здесь работает",
        "call_it": "Как обратиться",
        "native": "Собственный протокол Potok (curl)",
        "version": "Версия",
        "address": "Адрес",
        "models": "Модели",
        "data_folder": "Папка данных",
        "log": "Журнал событий",
        "more_models": "и ещё $count",
        "no_models": "сейчас ни одной",
        "resume": "У каждого события есть <code>id</code>. Пришлите последний увиденный в"
        " заголовке <code>Last-Event-ID</code>, и поток продолжится сразу после него, даже если"
        " сервер за это время перезапустили.",
        "more": 'Все пути описаны в <a href="/openapi.json">OpenAPI</a>;'
        ' <a href="/healthz">/healthz</a> сообщает, жив ли сервер.',
        "demo": "<strong>Здесь отвечает только демонстрационная модель.</strong> Она встроена,"
        " работает без сети и не является языковой моделью: отвечает по вашему запросу и по"
        " страницам самого Potok, чтобы показать поток, возобновление и остановку. Чтобы"
        " подключить настоящую, остановите сервер, задайте <code>OPENAI_API_KEY</code> или, для"
        " всех, кто говорит на API OpenAI, <code>OPENAI_BASE_URL</code>, и запустите его снова."
        " Ollama на этой машине находится сама.",
        "plain": "Страница чата здесь не собрана. В рабочей копии её собирает"
        " <code>scripts/web-build</code> (один раз нужна сеть), а в пакете она есть; потом"
        " запустите сервер снова.",
        "key": "Серверу нужен ключ: значение <code>POTOK_API_KEY</code>.",
    },
}

_OPENAI_PYTHON = Template("""from openai import OpenAI

client = OpenAI(base_url="$address/v1", api_key=$key)
stream = client.chat.completions.create(
    model="$model",
    messages=[{"role": "user", "content": "$hello"}],
    stream=True,
)
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)""")
_OPENAI_CURL = Template("""curl -N $address/v1/chat/completions \\
  -H 'Content-Type: application/json'$header \\
  -d '{"model": "$model", "stream": true, "messages": [{"role": "user", "content": "$hello"}]}'""")
_NATIVE_CURL = Template("""curl $address/api/runs \\
  -H 'Content-Type: application/json'$header \\
  -d '{"model": "$model", "messages": [{"role": "user", "content": "$hello"}]}'
curl -N $address/api/runs/RUN_ID/events$short_header
curl -X POST $address/api/runs/RUN_ID/cancel$short_header""")


def render_home(facts: HomeFacts, *, language: str) -> str:
    """Return the page in `language`, `en` or `ru`."""
    words = _WORDS[language]
    authorization = '-H "Authorization: Bearer $POTOK_API_KEY"' if facts.needs_key else ""
    call = {
        "address": facts.address,
        "model": facts.models[0] if facts.models else "demo",
        "hello": "Привет!" if language == "ru" else "Hello!",
        "key": 'os.environ["POTOK_API_KEY"]' if facts.needs_key else '"any"',
        "header": f" \\\n  {authorization}" if authorization else "",
        "short_header": f" {authorization}" if authorization else "",
    }
    python = ("import os\n\n" if facts.needs_key else "") + _OPENAI_PYTHON.substitute(call)
    return _PAGE.substitute(
        words,
        language=language,
        style=_STYLE,
        notes=_notes(facts, words),
        facts=_facts(facts, words),
        openai_python=escape(python, quote=False),
        openai_curl=escape(_OPENAI_CURL.substitute(call), quote=False),
        native_curl=escape(_NATIVE_CURL.substitute(call), quote=False),
    )


def _notes(facts: HomeFacts, words: dict[str, str]) -> str:
    notes = [words["demo"]] if facts.has_only_demo else []
    notes += [words["key"]] if facts.needs_key else []
    notes += [escape(trouble) for trouble in facts.troubles]
    notes.append(words["plain"])
    return "\n".join(f'<p class="note">{note}</p>' for note in notes)


def _facts(facts: HomeFacts, words: dict[str, str]) -> str:
    rows = [
        (words["version"], escape(facts.version)),
        (words["address"], f"<code>{escape(facts.address)}</code>"),
    ]
    if not facts.needs_key:
        rows.append((words["models"], _models(facts.models, words)))
    if facts.data_folder is not None:
        rows.append((words["data_folder"], f"<code>{escape(facts.data_folder)}</code>"))
    if facts.log_backend is not None:
        rows.append((words["log"], escape(facts.log_backend)))
    return "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)


def _models(models: tuple[str, ...], words: dict[str, str]) -> str:
    if not models:
        return words["no_models"]
    shown = ", ".join(f"<code>{escape(model)}</code>" for model in models[:_MODELS_SHOWN])
    more = len(models) - _MODELS_SHOWN
    return shown + (" " + Template(words["more_models"]).substitute(count=more) if more > 0 else "")
