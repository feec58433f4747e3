import pytest

from potok.server.access import Access
from potok.server.home_page import CONTENT_SECURITY_POLICY
from potok.server.principals import LOCAL, KeyedPrincipals
from tests.unit.server.house import open_house

KEYED = Access(principals=KeyedPrincipals({"secret": LOCAL}))


@pytest.mark.parametrize(
    ("accept", "query", "language"),
    [
        ("ru-RU,ru", "", "ru"),
        ("en", "", "en"),
        ("en", "?language=ru", "ru"),
        ("en", "?language=x", "en"),
    ],
)
async def test_the_page_speaks_the_language_of_its_reader(
    accept: str, query: str, language: str
) -> None:
    async with open_house() as house, house.client({"accept-language": accept}) as client:
        reply = await client.get(f"/{query}")

        assert reply.headers["content-type"] == "text/html; charset=utf-8"
        assert reply.headers["content-language"] == language
        assert f'lang="{language}"' in reply.text


async def test_the_page_says_what_runs_here_and_loads_nothing_else() -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.get("/")

        assert reply.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        for fact in ("1.2.3", "http://127.0.0.1:8000", "scripted", "/tmp/potok data", "memory"):
            assert fact in reply.text


async def test_behind_a_key_the_page_keeps_to_itself_what_the_server_holds() -> None:
    async with open_house(access=KEYED) as house, house.client() as client:
        reply = await client.get("/")

        assert reply.status_code == 200
        assert "scripted" not in reply.text
        assert "/tmp/potok data" not in reply.text


async def test_a_head_of_the_page_has_no_body() -> None:
    async with open_house() as house, house.client() as client:
        reply = await client.head("/")

        assert reply.status_code == 200
