from typing import Any

from tests.unit.server.house import open_house


async def document() -> dict[str, Any]:
    async with open_house() as house, house.client() as client:
        reply = await client.get("/openapi.json")
        assert reply.status_code == 200
        described: dict[str, Any] = reply.json()
        return described


def references_in(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if "$ref" in value else set()
        return own.union(*(references_in(one) for one in value.values()))
    if isinstance(value, list):
        return set().union(*(references_in(one) for one in value))
    return set()


async def test_the_document_is_openapi_3_1_and_names_every_route() -> None:
    described = await document()

    operations = {
        f"{method.upper()} {path}"
        for path, methods in described["paths"].items()
        for method in methods
    }
    assert described["openapi"].startswith("3.1")
    assert operations == {
        "POST /api/runs",
        "GET /api/runs",
        "GET /api/runs/{run}",
        "GET /api/runs/{run}/events",
        "POST /api/runs/{run}/cancel",
        "POST /v1/chat/completions",
        "POST /api/chat/stream",
        "POST /api/chat",
        "GET /v1/models",
        "GET /v1/models/{model}",
        "GET /api/web/v1/projects",
        "POST /api/web/v1/projects",
        "GET /api/web/v1/projects/{id}",
        "PATCH /api/web/v1/projects/{id}",
        "DELETE /api/web/v1/projects/{id}",
        "GET /api/web/v1/chats",
        "POST /api/web/v1/chats",
        "POST /api/web/v1/chats/import",
        "GET /api/web/v1/chats/{id}",
        "PATCH /api/web/v1/chats/{id}",
        "DELETE /api/web/v1/chats/{id}",
        "POST /api/web/v1/chats/{id}/cancel",
        "GET /api/web/v1/chats/{id}/export",
        "GET /api/web/v1/chats/{id}/messages",
        "GET /api/web/v1/chats/{id}/messages/{mid}",
        "PATCH /api/web/v1/chats/{id}/messages/{mid}",
        "DELETE /api/web/v1/chats/{id}/messages/{mid}",
        "GET /api/web/v1/chats/{id}/messages/stream",
        "POST /api/web/v1/chats/{id}/messages/stream",
        "POST /api/web/v1/chats/{id}/messages/{mid}/regenerate",
        "POST /api/web/v1/chats/{id}/messages/{mid}/continue",
        "GET /api/web/v1/chats/{id}/queue",
        "POST /api/web/v1/chats/{id}/queue",
        "PATCH /api/web/v1/chats/{id}/queue/{qid}",
        "DELETE /api/web/v1/chats/{id}/queue/{qid}",
        "POST /api/web/v1/chats/{id}/queue/{qid}/send",
        "POST /api/ui/chat",
        "GET /api/ui/chat/{chat}/stream",
        "POST /api/ui/chat/{chat}/cancel",
        "POST /v1/responses",
        "GET /v1/responses/{response}",
        "POST /v1/responses/{response}/cancel",
        "DELETE /v1/responses/{response}",
        "GET /v1/responses/{response}/input_items",
        "POST /v1/embeddings",
        "GET /healthz",
    }


async def test_every_route_has_examples_of_its_replies_and_of_its_body() -> None:
    described = await document()

    for methods in described["paths"].values():
        for operation in methods.values():
            replies = [reply for reply in operation["responses"].values() if "content" in reply]
            assert replies, operation["operationId"]
            for reply in replies:
                for content in reply["content"].values():
                    assert content["example"], operation["operationId"]
            for content in operation.get("requestBody", {}).get("content", {}).values():
                assert content["examples"]


async def test_every_reference_leads_to_a_schema_and_every_schema_is_used() -> None:
    described = await document()

    prefix = "#/components/schemas/"
    known = {prefix + name for name in described["components"]["schemas"]}
    assert references_in(described) == known


async def test_nothing_of_the_frameworks_own_validation_is_described() -> None:
    described = await document()

    assert "HTTPValidationError" not in described["components"]["schemas"]
    for methods in described["paths"].values():
        for operation in methods.values():
            assert "422" not in operation["responses"]
            assert operation["description"]
