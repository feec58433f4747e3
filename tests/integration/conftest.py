"""Servers that the tests of clients share, started when the first of them asks."""

from collections.abc import Iterator

import pytest

from tests.integration.clients import ANSWERS, Target
from tests.integration.harness import running_server
from tests.integration.lasting import lasting
from tests.integration.peers import installed_peers, running_aimock
from tests.peers.node import NodePeer, install_peer

TOKENS_PER_SECOND = "1000"


@pytest.fixture(scope="session")
def demo_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server with the demo model alone."""
    folder, pace = (
        tmp_path_factory.mktemp("demo"),
        {"POTOK_DEMO_TOKENS_PER_SECOND": TOKENS_PER_SECOND},
    )
    with lasting(lambda: running_server(folder, **pace)) as server:
        yield Target(url=server.url, model="demo", embedding_model="demo")


@pytest.fixture(scope="session")
def passing_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server whose provider is aimock."""
    peers, folder = installed_peers(), tmp_path_factory.mktemp("aimock")
    with lasting(lambda: running_aimock(folder, ANSWERS, peers=peers)) as aimock:
        where = {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": f"{aimock.url}/v1"}
        with lasting(lambda: running_server(folder / "data", **where)) as server:
            yield Target(url=server.url, model="gpt-4o", embedding_model="text-embedding-3-small")


@pytest.fixture(params=["demo", "aimock"])
def target(request: pytest.FixtureRequest) -> Target:
    """One of the two servers; a test that takes it runs on both."""
    name = {"demo": "demo_target", "aimock": "passing_target"}[request.param]
    target: Target = request.getfixturevalue(name)
    return target


@pytest.fixture(scope="session")
def ai_sdk(request: pytest.FixtureRequest) -> NodePeer:
    return _peer(request, "ai-sdk")


@pytest.fixture(scope="session")
def openai_node(request: pytest.FixtureRequest) -> NodePeer:
    return _peer(request, "openai-node")


def _peer(request: pytest.FixtureRequest, name: str) -> NodePeer:
    cache = request.config.cache
    assert cache is not None
    return install_peer(name, cache.mkdir("peers"))
