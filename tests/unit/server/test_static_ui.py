import dataclasses
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from potok import limits
from potok.server.access import Access
from potok.server.app import build_app
from potok.server.principals import LOCAL, KeyedPrincipals
from potok.server.static_ui import StaticUi, load_static_ui
from tests.unit.server.house import build_house

SCRIPT = "console.log('привет');" * 50
KEYED = Access(principals=KeyedPrincipals({"secret": LOCAL}))


@pytest.fixture
def ui(tmp_path: Path) -> StaticUi:
    folder = tmp_path / "ui"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Potok</title>")
    (folder / "assets" / "index-1a2b.js").write_text(SCRIPT)
    (folder / "assets" / "icon-3c4d.svg").write_text("<svg/>")
    (folder / "assets" / "notes.txt").write_text("not of the page")
    (tmp_path / "secret.js").write_text("elsewhere")
    built = load_static_ui(folder)
    assert built is not None
    return built


@asynccontextmanager
async def client_of(
    ui: StaticUi | None, *, access: Access | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    house = build_house(access=access)
    app = build_app(dataclasses.replace(house.services, ui=ui))
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        yield client


async def test_the_page_is_asked_for_anew_each_time_and_sent_once(ui: StaticUi) -> None:
    async with client_of(ui) as client:
        first = await client.get("/")
        again = await client.get("/", headers={"if-none-match": first.headers["etag"]})

        assert first.text == "<!doctype html><title>Potok</title>"
        assert first.headers["content-type"] == "text/html; charset=utf-8"
        assert first.headers["cache-control"] == "no-cache"
        assert again.status_code == 304
        assert again.content == b""


async def test_the_agents_stand_on_the_same_page_and_nothing_else_does(ui: StaticUi) -> None:
    async with client_of(ui, access=KEYED) as client:
        chat, agents = await client.get("/"), await client.get("/agents")
        head = await client.head("/agents")
        statuses = [
            (await client.get(path)).status_code for path in ("/agents/x", "/agent", "/api/agents")
        ]
        posted = await client.post("/agents")

    assert agents.text == chat.text
    assert agents.headers["content-security-policy"] == chat.headers["content-security-policy"]
    assert (head.status_code, head.content) == (200, b"")
    assert 200 not in statuses
    assert posted.status_code in (401, 405)


async def test_the_page_may_run_its_own_files_alone(ui: StaticUi) -> None:
    async with client_of(ui) as client:
        policy = (await client.get("/")).headers["content-security-policy"]

    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert "unsafe" not in policy
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"


async def test_assets_never_expire_and_are_zipped_where_that_is_wanted(ui: StaticUi) -> None:
    async with client_of(ui) as client:
        zipped = await client.get("/assets/index-1a2b.js", headers={"accept-encoding": "br, gzip"})
        plain = await client.get("/assets/index-1a2b.js", headers={"accept-encoding": "gzip;q=0"})

        assert zipped.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        assert zipped.text == plain.text == SCRIPT
        for reply in (zipped, plain):
            assert reply.headers["content-type"] == "text/javascript; charset=utf-8"
            kept = f"public, max-age={limits.ASSET_KEPT_SECONDS}, immutable"
            assert reply.headers["cache-control"] == kept
            assert reply.headers["vary"] == "Accept-Encoding"
            assert reply.headers["x-content-type-options"] == "nosniff"


def test_what_does_not_become_smaller_is_not_zipped(ui: StaticUi) -> None:
    assert ui.assets["icon-3c4d.svg"].zipped is None
    zipped = ui.assets["index-1a2b.js"].zipped
    assert zipped is not None
    assert gzip.decompress(zipped).decode() == SCRIPT


@pytest.mark.parametrize(
    "path",
    [
        "/assets/nothing.js",
        "/assets/notes.txt",
        "/assets/../secret.js",
        "/assets/%2e%2e/secret.js",
        "/assets/..%2f..%2fsecret.js",
        "/assets/",
    ],
)
async def test_no_other_file_is_served(path: str, ui: StaticUi) -> None:
    async with client_of(ui) as client:
        reply = await client.get(path)

        assert reply.status_code == 404
        assert reply.json()["error"]["code"] == "path_unknown"


async def test_behind_a_key_the_page_is_open_and_the_rest_is_not(ui: StaticUi) -> None:
    async with client_of(ui, access=KEYED) as client:
        statuses = {
            path: (await client.get(path)).status_code
            for path in ("/", "/assets/index-1a2b.js", "/v1/models", "/api/runs")
        }

    assert statuses == {"/": 200, "/assets/index-1a2b.js": 200, "/v1/models": 401, "/api/runs": 401}


async def test_without_the_built_page_the_plain_one_says_how_to_get_it(tmp_path: Path) -> None:
    assert load_static_ui(tmp_path / "nothing") is None
    async with client_of(None) as client:
        page = await client.get("/", headers={"accept-language": "en"})
        asset = await client.get("/assets/index-1a2b.js")

        assert "scripts/web-build" in page.text
        assert asset.status_code == 404


async def test_a_head_says_the_same_without_the_page(ui: StaticUi) -> None:
    async with client_of(ui) as client:
        reply = await client.head("/assets/icon-3c4d.svg")

        assert reply.status_code == 200
        assert reply.headers["content-type"] == "image/svg+xml"
