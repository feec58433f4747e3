import pytest

from tests.unit.server.house import open_house


async def test_models_are_listed_as_openai_does() -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.get("/v1/models")

        assert reply.json() == {
            "object": "list",
            "data": [
                {
                    "id": "scripted",
                    "object": "model",
                    "created": 0,
                    "owned_by": "test",
                    "full_name": "test/scripted",
                }
            ],
        }


@pytest.mark.parametrize("name", ["scripted", "test/scripted"])
async def test_a_model_is_found_by_both_of_its_names(name: str) -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.get(f"/v1/models/{name}")

        assert reply.json()["id"] == name
        assert reply.json()["full_name"] == "test/scripted"


async def test_a_model_that_is_not_served_is_a_404_in_openais_shape() -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.get("/v1/models/gpt-99")

        assert reply.status_code == 404
        assert reply.json()["error"]["code"] == "model_not_found"
