"""`.../continue` against the real server: a stopped answer goes on exactly, whoever made it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from potok.testing.upstream import ScriptedUpstream
from potok.testing.upstream_script import Script
from tests.integration.chat_client import BASE, Answer, messages_of, new_chat, read_frames, stream
from tests.integration.harness import Server, running_server, upstream_of, whole_run
from tests.integration.test_chats_kill_nine import settled

pytestmark = pytest.mark.integration

TOKENS = tuple(
    "Поток хранит каждое слово. Второй читатель видит то же, что и первый,"
    " and a third one comes back after the cut; nobody loses a word.".replace(" ", " |").split("|")
)
WHOLE = "".join(TOKENS)
CUT, LATER = 9, 15
SAID = "".join(TOKENS[:CUT])
STOPPED = Script(tokens=TOKENS[:CUT], then="stall")
EXACT = Script(tokens=TOKENS[CUT:])
REPEATED = Script(tokens=TOKENS[CUT - 4 :])
REFUSED = Script(status=400, body=b'{"error": {"message": "no begun answers"}}')
PREFILL, IN_WORDS = "openai/claude-3-haiku", "openai/gpt-4o"
LONG = "Tell me in detail what Potok is"
SOME_CHARACTERS = 120


def ollama_of(upstream: ScriptedUpstream) -> dict[str, str]:
    return {"OLLAMA_HOST": upstream.ollama_url}


async def stopped(client: httpx.AsyncClient, said: str, **fields: Any) -> tuple[int, int]:
    """Ask, and stop the answer once `said` was shown; return the chat and the answer."""
    chat = await new_chat(client)
    answer = Answer()
    path = f"/chats/{chat}/messages/stream"
    body = {"content": "Расскажи", **fields}
    async for _ in read_frames(client, "POST", path, answer, body=body):
        if answer.text == said:
            reply = await client.post(f"{BASE}/chats/{chat}/cancel", json={})
            assert reply.status_code == 200
    assert answer.message["content"] == said
    return chat, answer.message["id"]


async def how_of(client: httpx.AsyncClient, run: str) -> list[tuple[str, str]]:
    """Return why and how a run's sources came in, as its events tell."""
    events = await whole_run(client, run)
    changes = [json.loads(fields) for _, kind, fields in events if kind == "source-change"]
    why = (
        "refused" if one["reason"].startswith("upstream_re") else one["reason"] for one in changes
    )
    return list(zip(why, (one["how"] for one in changes), strict=True))


@pytest.mark.parametrize(
    ("settings", "model", "rest", "ways"),
    [
        (upstream_of, PREFILL, (EXACT,), [("continued", "prefill")]),
        (upstream_of, IN_WORDS, (REPEATED,), [("continued", "prompt")]),
        (upstream_of, IN_WORDS, (EXACT,), [("continued", "prompt")]),
        (
            upstream_of,
            PREFILL,
            (REFUSED, REPEATED),
            [("continued", "prefill"), ("refused", "prompt")],
        ),
        (ollama_of, "ollama/llama3", (REPEATED,), [("continued", "prompt")]),
    ],
    ids=["prefill", "words", "words obeyed badly", "prefill refused", "ollama"],
)
async def test_a_stopped_answer_goes_on_with_no_character_lost_or_doubled(
    tmp_path: Path,
    settings: Callable[[ScriptedUpstream], dict[str, str]],
    model: str,
    rest: tuple[Script, ...],
    ways: list[tuple[str, str]],
) -> None:
    names = ("claude-3-haiku", "gpt-4o", "llama3")
    async with (
        ScriptedUpstream(STOPPED, *rest, models=names) as upstream,
        running_server(tmp_path, POTOK_CHAT_TITLES="text", **settings(upstream)) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        chat, message = await stopped(client, SAID, model=model)

        more = await stream(client, "POST", f"/chats/{chat}/messages/{message}/continue", {})
        shown = await messages_of(client, chat)
        told = await how_of(client, more.run)
        asked = upstream.calls[1].body["messages"]

    assert more.frames[0]["message"]["content"] == SAID
    assert SAID + more.text == WHOLE == more.message["content"]
    assert shown[-1] == more.message
    assert (more.message["id"], more.message["metadata"]["status"]) == (message, "finished")
    assert told == ways
    assert [one["role"] for one in asked[:2]] == ["user", "assistant"]
    assert asked[1]["content"].rstrip() == SAID.rstrip()


async def read_some(client: httpx.AsyncClient, chat: int, path: str, body: Any) -> Answer:
    """Read an answer, and stop it after some words."""
    answer = Answer()
    async for _ in read_frames(client, "POST", f"/chats/{chat}/messages/{path}", answer, body=body):
        if len(answer.text) > SOME_CHARACTERS:
            await client.post(f"{BASE}/chats/{chat}/cancel", json={})
    return answer


async def test_the_demo_model_goes_on_with_the_answer_that_it_would_have_given(
    tmp_path: Path,
) -> None:
    async with (
        running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="400") as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        other = await new_chat(client)
        uncut = await stream(client, "POST", f"/chats/{other}/messages/stream", {"content": LONG})
        chat = await new_chat(client)

        parts = [await read_some(client, chat, "stream", {"content": LONG})]
        path = f"{parts[0].message['id']}/continue"
        parts += [await read_some(client, chat, path, {}) for _ in range(2)]
        parts.append(await stream(client, "POST", f"/chats/{chat}/messages/{path}", {}))
        told = await how_of(client, parts[-1].run)
        states = [part.message["metadata"]["status"] for part in parts]
        shown = await messages_of(client, chat)

    assert states == ["cancelled"] * 3 + ["finished"]
    assert "".join(part.text for part in parts) == uncut.text
    assert shown[-1]["content"] == uncut.text
    assert shown[-1]["metadata"]["tokens"] == uncut.message["metadata"]["tokens"]
    assert len(shown) == 2
    assert told == [("continued", "replay")]


@pytest.mark.parametrize("model", [PREFILL, IN_WORDS])
async def test_a_server_that_is_killed_while_it_goes_on_goes_on_after_its_start(
    tmp_path: Path, model: str
) -> None:
    middle = Script(tokens=TOKENS[CUT:LATER], then="stall")
    rest = Script(tokens=TOKENS[LATER:])
    names = ("claude-3-haiku", "gpt-4o")
    async with ScriptedUpstream(STOPPED, middle, rest, models=names) as upstream:
        server = Server(tmp_path, POTOK_CHAT_TITLES="text", **upstream_of(upstream))
        await server.start()
        try:
            async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
                chat, message = await stopped(client, SAID, model=model)
                answer = Answer()
                path = f"/chats/{chat}/messages/{message}/continue"
                async for _ in read_frames(client, "POST", path, answer, body={}):
                    if answer.text == "".join(TOKENS[CUT:LATER]):
                        await server.kill()
            await server.start()
            async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
                shown = await settled(client, chat)
                told = await how_of(client, answer.run)
        finally:
            if server.is_running:
                await server.kill()

    assert [(one["id"], one["content"]) for one in shown[1:]] == [(message, WHOLE)]
    assert [why for why, _ in told] == ["continued", "worker_lost"]
    begun = upstream.calls[2].body["messages"][1]["content"]
    assert begun.rstrip() == "".join(TOKENS[:LATER]).rstrip()
    assert len(upstream.calls) == 3


async def test_what_cannot_be_continued_is_refused_and_stays_as_it_was(tmp_path: Path) -> None:
    failing = Script(status=401, body=b'{"error": {"message": "no such key"}}')
    async with (
        ScriptedUpstream(STOPPED, failing, models=("claude-3-haiku",)) as upstream,
        running_server(tmp_path, POTOK_CHAT_TITLES="text", **upstream_of(upstream)) as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        chat, message = await stopped(client, SAID, model=PREFILL)
        before = await messages_of(client, chat)
        base = f"/chats/{chat}/messages"

        failed = await stream(client, "POST", f"{base}/{message}/continue", {})
        refused = [
            await stream(client, "POST", f"{base}/{place}/continue", body)
            for place, body in (
                (before[0]["id"], {}),
                (999_999, {}),
                (message, {"model": "demo"}),
                (message, {"model": "nowhere/none"}),
            )
        ]
        after = await messages_of(client, chat)

    assert (failed.status, failed.frames[-1]["type"]) == (200, "error")
    assert [(one.status, one.error["code"]) for one in refused] == [
        (400, "invalid_request"),
        (404, "chat_not_found"),
        (400, "invalid_request"),
        (404, "model_not_found"),
    ]
    assert after == before
