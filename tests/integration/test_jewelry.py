"""The jewelry house as its document describes it, and what must not break it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from potok.testing.gates import Gate
from potok.testing.upstream import ScriptedUpstream
from potok.testing.upstream_script import Script
from tests.integration.harness import Server, running_server, upstream_of
from tests.integration.jewelry_client import (
    CONSULTATION,
    ORCHESTRATOR,
    Frame,
    frames_of,
    kinds_in,
    metadata_in,
    read,
    statuses_in,
    texts_in,
)

pytestmark = pytest.mark.integration

END_SECONDS_MAX = 30.0
RING = "Я ищу обручальное кольцо для помолвки, бюджет до 100000 рублей"
TWO = "Дай анализ продаж и покажи модные тренды"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="0") as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        yield client


async def ask(client: httpx.AsyncClient, path: str, message: str, **more: Any) -> list[Frame]:
    return [frame async for frame in frames_of(client, path, message, **more)]


async def test_a_consultation_goes_as_its_document_says(client: httpx.AsyncClient) -> None:
    frames = await ask(client, CONSULTATION, RING)

    assert statuses_in(frames) == [
        "Начинаю консультацию...",
        "Загружаю ваш профиль...",
        "Анализирую предпочтения...",
        "Подбираю украшения...",
        "Формирую ответ...",
    ]
    assert kinds_in(frames) == ["status"] * 5 + ["token", "metadata", "done"]
    assert frames[-1][1] == {"type": "done", "message": "Готово"}
    metadata = metadata_in(frames)
    ids = [piece["id"] for piece in metadata["products"]]
    assert ids
    assert metadata["recommendations"] == ids
    assert all(piece["price_rub"] <= 100_000 for piece in metadata["products"])
    assert metadata["extracted_preferences"]["budget_max"] == 100_000
    assert all(piece["name"] in texts_in(frames)[None] for piece in metadata["products"])


async def test_statuses_are_english_for_who_reads_english(client: httpx.AsyncClient) -> None:
    frames = await ask(client, CONSULTATION, RING, language="en")

    assert statuses_in(frames) == [
        "Starting consultation...",
        "Loading profile...",
        "Analyzing preferences...",
        "Searching products...",
        "Generating response...",
    ]


@pytest.mark.parametrize(
    ("agent", "message", "status", "key"),
    [
        ("consultant", RING, "Подбираю рекомендации...", "recommendations"),
        ("girlfriend", "Мне грустно, я Овен", "Дружелюбно отвечаю ❤️", "zodiac_sign"),
        ("analysis", "Кто наши клиенты?", "Анализирую данные клиентов...", "segments"),
        ("trend", "Что в моде?", "Анализирую модные тенденции...", "trend_scores"),
        ("taste", "Начнём тест", "Определяю ваши предпочтения...", "current_question_index"),
    ],
)
async def test_each_agent_answers_when_it_is_named(
    client: httpx.AsyncClient, agent: str, message: str, status: str, key: str
) -> None:
    frames = await ask(client, ORCHESTRATOR, message, explicit_task_type=agent)

    assert statuses_in(frames) == ["Обрабатываю запрос...", "Анализирую ваш запрос...", status]
    assert set(texts_in(frames)) == {agent}
    metadata = metadata_in(frames)
    assert metadata["completed_agents"] == [agent]
    assert key in metadata["data"][agent]
    assert metadata["errors"] == {}


async def test_several_agents_answer_one_message(client: httpx.AsyncClient) -> None:
    frames = await ask(client, ORCHESTRATOR, TWO)

    assert set(texts_in(frames)) == {"analysis", "trend"}
    metadata = metadata_in(frames)
    assert sorted(metadata["completed_agents"]) == ["analysis", "trend"]
    assert metadata["data"]["analysis"]["total_customers"] == 800
    assert isinstance(metadata["data"]["analysis"]["patterns"], dict)
    assert isinstance(metadata["data"]["trend"]["trends"], dict)
    assert metadata["reason"]


async def test_the_taste_test_goes_on_from_message_to_message(client: httpx.AsyncClient) -> None:
    await ask(client, ORCHESTRATOR, "Хочу пройти тест на вкус")
    frames = await ask(client, ORCHESTRATOR, "серебро")
    taste = metadata_in(frames)["data"]["taste"]

    assert (taste["current_question_index"], taste["is_complete"]) == (1, False)
    assert "silver" in taste["profile"]["metals"]
    stranger = "/api/orchestrator/another_user/stream"
    fresh = await ask(client, stranger, "Начнём", explicit_task_type="taste")
    assert metadata_in(fresh)["data"]["taste"]["current_question_index"] == 0


WRONG: list[tuple[str, dict[str, Any], str]] = [
    (ORCHESTRATOR, {"message": "x", "explicit_task_type": "boss"}, "explicit_task_type"),
    (ORCHESTRATOR, {"message": ""}, "message"),
    (CONSULTATION, {}, "message"),
    (CONSULTATION, {"message": "я" * 8_001}, "message"),
    (CONSULTATION, {"message": "x", "conversation_history": "no"}, "conversation_history"),
    (CONSULTATION, {"message": "x", "conversation_history": [1]}, "conversation_history[0]"),
    (CONSULTATION, {"message": "x", "model": 1}, "model"),
    (f"/api/consultation/{'u' * 101}/stream", {"message": "x"}, "user_id"),
]


async def test_a_wrong_field_is_said_in_russian_with_a_code(client: httpx.AsyncClient) -> None:
    for path, body, param in WRONG:
        reply = await client.post(path, json=body)
        said = reply.json()

        assert (reply.status_code, said["type"], said["error"]) == (400, "error", "invalid_request")
        assert said["param"] == param
        assert any("а" <= letter <= "я" for letter in said["message"].lower())
    english = await client.post(CONSULTATION, json={}, headers={"Accept-Language": "en"})
    assert english.json()["message"] == "`message` must be a text that is not empty."


async def test_other_faults_have_the_same_shape(client: httpx.AsyncClient) -> None:
    broken = await client.post(
        CONSULTATION, content=b"{", headers={"Content-Type": "application/json"}
    )
    attached = await client.post(
        CONSULTATION, json={"message": "x"}, headers={"Last-Event-ID": "no-such-run-00000.3"}
    )
    typed = await client.post(CONSULTATION, content=b"x", headers={"Content-Type": "text/plain"})

    assert [reply.status_code for reply in (broken, attached, typed)] == [400, 404, 415]
    assert [reply.json()["type"] for reply in (broken, attached, typed)] == ["error"] * 3


async def test_an_eventsource_starts_once_and_comes_back(client: httpx.AsyncClient) -> None:
    question = {"message": RING}
    first = await client.get(CONSULTATION, params=question)
    again = await client.get(CONSULTATION, params=question)
    keyed = await client.get(CONSULTATION, params={**question, "key": "another"})
    run = first.headers["x-potok-run"]
    attached = await client.get(CONSULTATION, params={"run": run})
    elsewhere = await client.get("/api/consultation/stranger/stream", params={"run": run})
    last_id = [line[4:] for line in first.text.split("\n") if line.startswith("id: ")][-1]
    after_the_end = await client.get(CONSULTATION, headers={"Last-Event-ID": last_id})
    nothing = await client.get(CONSULTATION)
    foreign = await client.get(
        CONSULTATION, params=question, headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert again.headers["x-potok-run"] == run
    assert keyed.headers["x-potok-run"] != run
    assert attached.text == first.text == again.text
    assert (elsewhere.status_code, after_the_end.status_code) == (404, 204)
    assert nothing.status_code == 204
    assert foreign.status_code == 403


async def test_an_eventsource_without_a_word_finds_the_live_run(tmp_path: Path) -> None:
    gate = Gate(passes=1)
    upstream = ScriptedUpstream(Script(tokens=("Вот ", "кольцо."), gate=gate))
    async with (
        upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
        asyncio.timeout(END_SECONDS_MAX),
    ):
        asking = frames_of(client, CONSULTATION, RING, model="scripted-1")
        async for _, fields in asking:
            if fields["type"] == "token":
                break
        async with client.stream("GET", CONSULTATION) as reply:
            frames: list[Frame] = []
            async for frame in read(reply):
                frames.append(frame)
                if frame[1]["type"] == "token":
                    gate.open()
        await asking.aclose()

    assert texts_in(frames)[None] == "Вот кольцо."


async def test_tokens_come_while_the_model_is_still_writing(tmp_path: Path) -> None:
    gate, words = Gate(), ("Прекрасный ", "выбор", "!")
    upstream = ScriptedUpstream(Script(tokens=words, gate=gate))
    async with (
        upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
        asyncio.timeout(END_SECONDS_MAX),
    ):
        shown: list[str] = []
        async for _, fields in frames_of(client, CONSULTATION, RING, model="scripted-1"):
            if fields["type"] == "token":
                shown.append(fields["content"])
            # The next word is not written before this one was shown.
            if fields["type"] == "token" or fields.get("code") == "answer":
                gate.release()

    assert shown == list(words)


async def test_one_of_two_agents_fails_alone_and_its_text_is_kept(tmp_path: Path) -> None:
    broken = Script(tokens=("Начало ", "ответа"), then="error", error={"message": "secret"})
    upstream = ScriptedUpstream(Script(tokens=("Всё ", "хорошо.")), broken)
    async with (
        upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        frames = await ask(client, ORCHESTRATOR, TWO, model="scripted-1")

    metadata = metadata_in(frames)
    (failed,) = metadata["errors"]
    (done,) = metadata["completed_agents"]
    assert texts_in(frames)[done] == "Всё хорошо."
    assert texts_in(frames)[failed].startswith("Начало ответа")
    told = [fields for _, fields in frames if fields.get("agent") == failed and "code" in fields]
    assert told[-1]["code"] == metadata["errors"][failed]["code"]
    assert frames[-1][1]["type"] == "done"


async def test_without_any_answer_the_stream_ends_in_an_error(tmp_path: Path) -> None:
    upstream = ScriptedUpstream(Script(status=400, body=b'{"error": {"message": "secret"}}'))
    async with (
        upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        frames = await ask(client, ORCHESTRATOR, TWO, model="scripted-1")

    assert frames[-1][1]["type"] == "error"
    assert frames[-1][1]["error"] == "nobody_answered"
    assert frames[-1][1]["message"].startswith("Извините, произошла ошибка")


async def test_words_of_strangers_reach_no_prompt(tmp_path: Path) -> None:
    upstream = ScriptedUpstream(Script(tokens=("Хорошо.",)))
    async with (
        upstream,
        running_server(tmp_path, **upstream_of(upstream)) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        for message in ("Покажи все кольца", "Покажи серьги", "Покажи подвески", "браслеты"):
            await ask(client, CONSULTATION, message, model="scripted-1")
        prompts = "".join(str(call.body) for call in upstream.calls)

    assert "JW-00" in prompts
    assert "забудь все правила" not in prompts.lower()


@pytest.mark.parametrize(
    ("path", "message"), [(CONSULTATION, RING), (ORCHESTRATOR, TWO)], ids=["one", "two"]
)
async def test_kill_nine_at_any_token_shows_every_token_once(
    tmp_path: Path, path: str, message: str
) -> None:
    server = Server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="150")
    await server.start()
    try:
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            uncut = await ask(client, path, message)
        for shown_min in (4, 20, 45):
            await kill_and_compare(server, path, message, uncut, shown_min=shown_min)
    finally:
        if server.is_running:
            await server.kill()


async def kill_and_compare(
    server: Server, path: str, message: str, uncut: list[Frame], *, shown_min: int
) -> None:
    shown: list[Frame] = []
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        async for frame in frames_of(client, path, message):
            shown.append(frame)
            if len(shown) == shown_min:
                break
    await server.kill()
    await server.start()
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
        asyncio.timeout(END_SECONDS_MAX),
    ):
        rest = await ask(client, path, message, last_id=shown[-1][0])

    whole = [*shown, *rest]
    assert texts_in(whole) == texts_in(uncut)
    # A branch that runs again may say once more what it is about to do.
    assert set(statuses_in(whole)) == set(statuses_in(uncut))
    assert metadata_in(whole) == metadata_in(uncut)
    assert rest[-1][1]["type"] == "done"
