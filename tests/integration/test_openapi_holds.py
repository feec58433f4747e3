"""A real server does what its `/openapi.json` says, whatever schemathesis sends it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.integration.harness import running_server

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
EXAMPLES = 8
FAULTS_SHOWN = 20
ASKED = [{"role": "user", "content": "Say hello."}]


async def things_that_exist(client: httpx.AsyncClient) -> dict[str, dict[str, str]]:
    """Make one of everything; return the path parameters that name it, by the path's beginning."""
    run = await client.post("/api/runs", json={"model": "demo", "messages": ASKED})
    response = await client.post("/v1/responses", json={"model": "demo", "input": "Hi"})
    project = await client.post("/api/web/v1/projects", json={"name": "One"})
    chat = await client.post("/api/web/v1/chats", json={"title": "One"})
    chat_id = str(chat.json()["id"])
    stream = f"/api/web/v1/chats/{chat_id}/messages/stream"
    await client.post(stream, json={"content": "Say hello."})
    listed = await client.get(f"/api/web/v1/chats/{chat_id}/messages")
    answers = [one["id"] for one in listed.json()["items"] if one["role"] == "assistant"]
    await client.post("/api/ui/chat", json={"id": "ui-1", "messages": _UI_MESSAGES})
    return {
        "/api/runs": {"run": run.json()["id"]},
        "/v1/responses": {"response": response.json()["id"]},
        "/v1/models": {"model": "demo"},
        "/api/web/v1/projects": {"id": str(project.json()["id"])},
        "/api/web/v1/chats": {"id": chat_id, "mid": str(answers[0]), "qid": "1"},
        "/api/ui/chat": {"chat": "ui-1"},
    }


_UI_MESSAGES = [{"id": "m1", "role": "user", "parts": [{"type": "text", "text": "Say hello."}]}]


def without_streams(document: Any) -> Any:
    """Return the document without the schemas of streams, which schemathesis takes for one event's.

    In OpenAPI 3.1 they are those of the whole body: a string.
    """
    for operations in document["paths"].values():
        for operation in operations.values():
            for reply in operation["responses"].values():
                for kind in ("text/event-stream", "application/x-ndjson"):
                    reply.get("content", {}).get(kind, {}).pop("schema", None)
    return document


def bounded(body: Any) -> Any:
    """Return a body that the demo model answers, if it asks for a model at all."""
    if isinstance(body, dict) and isinstance(body.get("model"), str):
        return {**body, "model": "demo"}
    return body


def faults_of(operation: Any, mode: GenerationMode, url: str, known: dict[str, str]) -> list[str]:
    """Send what the operation describes, or what breaks it; return what the server did wrong."""
    faults: list[str] = []
    sent = 0

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def send(case: Any) -> None:
        nonlocal sent
        sent += 1
        if sent % 2 and case.path_parameters:
            names = {name: known[name] for name in case.path_parameters if name in known}
            case.path_parameters = {**case.path_parameters, **names}
        case.body = bounded(case.body)
        reply = case.call(base_url=url, timeout=20)
        try:
            case.validate_response(reply, checks=CHECKS)
        except FailureGroup as error:
            body = json.dumps(case.body, default=str)[:200] if case.body else ""
            kind = f"{case.method} {case.path} -> {reply.status_code}"
            sent_as = f"{case.formatted_path} {case.query} {body}"
            faults.extend(f"{kind}: {one.title}\n{sent_as}\n{one}" for one in error.exceptions)

    send()
    return faults


def all_faults(document: Any, url: str, known: dict[str, dict[str, str]]) -> list[str]:
    schema = schemathesis.openapi.from_dict(without_streams(document))
    operations = [result.ok() for result in schema.get_all_operations()]
    # What removes things comes last.
    operations.sort(key=lambda one: one.method.upper() == "DELETE")
    faults: list[str] = []
    for operation in operations:
        names = next(
            (names for path, names in known.items() if operation.path.startswith(path)), {}
        )
        modes = MODES if operation.body or list(operation.query) else MODES[:1]
        for mode in modes:
            faults += faults_of(operation, mode, url, names)
    return faults


@pytest.mark.timeout(150)
async def test_every_route_answers_as_it_is_described(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="0") as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        known = await things_that_exist(client)
        document = (await client.get("/openapi.json")).json()
        faults = await asyncio.to_thread(all_faults, document, server.url, known)
        health = await client.get("/healthz")

    kinds = {fault.partition("\n")[0]: fault for fault in reversed(faults)}
    said = "\n\n".join(list(kinds.values())[:FAULTS_SHOWN])
    assert not faults, f"{len(faults)} faults, {len(kinds)} kinds, such as:\n\n{said}"
    assert health.status_code == 200
    assert not [line for line in server.lines if "failed: " in line]
