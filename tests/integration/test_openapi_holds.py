"""A real server does what its `/openapi.json` says, whatever schemathesis sends it."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from potok.server.openapi_examples import RUN
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
# Routes for a message that waits, for a question, and for the last answer of a path.
ABOUT_OTHERS = ("/queue/{qid}", "/queue/{qid}/send", "/messages/{mid}", "/{mid}/continue")
# What examples name that is nobody's here: a response, an agent that is not installed, a message.
NAMED_IN_EXAMPLES = ("previous_response_id", RUN, "jewelry", "parent_id")
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


class Sender:
    """Sends what a document describes to the server that described it; notes what it does wrong."""

    def __init__(self, url: str, known: dict[str, dict[str, str]]) -> None:
        self.faults: list[str] = []
        self._url = url
        self._known = known

    def send(self, case: Any, *, must_fit: bool = False) -> None:
        """Send one request; `must_fit` says that it is no mistake of any kind."""
        reply = case.call(base_url=self._url, timeout=20)
        body = json.dumps(case.body, default=str)[:200] if case.body else ""
        kind = f"{case.method} {case.path} -> {reply.status_code}"
        sent_as = f"{case.formatted_path} {case.query} {body}"
        if must_fit and reply.status_code >= 400:
            self.faults.append(f"{kind}: an example is refused\n{sent_as}\n{reply.text[:500]}")
        try:
            case.validate_response(reply, checks=CHECKS)
        except FailureGroup as error:
            found = [f"{kind}: {one.title}\n{sent_as}\n{one}" for one in error.exceptions]
            self.faults.extend(found)

    def name(self, path: str, names: Any) -> dict[str, str]:
        """Return those path parameters that name something."""
        known = next((known for start, known in self._known.items() if path.startswith(start)), {})
        return {name: known[name] for name in names if name in known}

    def send_examples(self, operation: Any) -> None:
        """Send the bodies that the document shows."""
        described = operation.definition.raw.get("requestBody", {}).get("content", {})
        shown = described.get("application/json", {})
        bodies = [example["value"] for example in shown.get("examples", {}).values()]
        # Where nothing has a name, anything may be one: a customer nobody knows is a new one.
        names = dict.fromkeys(re.findall(r"{(\w+)}", operation.path), "1")
        for body in [*bodies, *([shown["example"]] if "example" in shown else [])]:
            self.send(
                operation.Case(
                    path_parameters={**names, **self.name(operation.path, names)},
                    body=body,
                    media_type="application/json",
                ),
                must_fit=_is_about_what_exists(operation.path, body),
            )

    def send_random(self, operation: Any, mode: GenerationMode) -> None:
        """Send what the operation describes, or what breaks it."""
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
                names = self.name(case.path, case.path_parameters)
                case.path_parameters = {**case.path_parameters, **names}
            case.body = bounded(case.body)
            self.send(case)

        send()


def _is_about_what_exists(path: str, body: Any) -> bool:
    words = json.dumps(body)
    return not path.endswith(ABOUT_OTHERS) and not any(word in words for word in NAMED_IN_EXAMPLES)


def all_faults(document: Any, url: str, known: dict[str, dict[str, str]]) -> list[str]:
    schema = schemathesis.openapi.from_dict(without_streams(document))
    operations = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
    # What removes things comes last.
    operations.sort(key=lambda one: one.method.upper() == "DELETE")
    sender = Sender(url, known)
    for operation in operations:
        sender.send_examples(operation)
        modes = MODES if operation.body or list(operation.query) else MODES[:1]
        for mode in modes:
            sender.send_random(operation, mode)
    return sender.faults


def undescribed(document: Any) -> list[str]:
    """Return the operations that lack an example of a body or of a reply."""
    found: list[str] = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            asked = operation.get("requestBody", {}).get("content", {}).values()
            told = [
                content
                for reply in operation["responses"].values()
                for content in reply.get("content", {}).values()
            ]
            shown = [one.get("examples") or one.get("example") for one in (*asked, *told)]
            if not (told and all(shown) and operation.get("description")):
                found.append(f"{method.upper()} {path}")
    return found


@pytest.mark.timeout(150)
async def test_every_route_answers_as_it_is_described(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, POTOK_DEMO_TOKENS_PER_SECOND="0") as server,
        httpx.AsyncClient(base_url=server.url, timeout=30) as client,
    ):
        known = await things_that_exist(client)
        document = (await client.get("/openapi.json")).json()
        lacking = undescribed(document)
        faults = await asyncio.to_thread(all_faults, document, server.url, known)
        health = await client.get("/healthz")

    kinds = {fault.partition("\n")[0]: fault for fault in reversed(faults)}
    said = "\n\n".join(list(kinds.values())[:FAULTS_SHOWN])
    assert not faults, f"{len(faults)} faults, {len(kinds)} kinds, such as:\n\n{said}"
    assert lacking == []
    assert health.status_code == 200
    assert not [line for line in server.lines if "failed: " in line]
