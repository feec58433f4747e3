import asyncio

import pytest

from potok.errors import ModelUnknown, PeerError, UpstreamStalled, UpstreamUnreachable
from potok.limits import MODELS_FAILURE_KEPT_SECONDS, MODELS_KEPT_SECONDS
from potok.models.catalogue import Catalogue
from potok.models.contract import ModelInfo
from potok.testing.fakes import FakeClock
from potok.testing.gates import Gate
from potok.testing.scripted_model import ScriptedModel, ScriptedProvider


def provider(name: str, *models: str, failure: PeerError | None = None) -> ScriptedProvider:
    return ScriptedProvider(
        [ScriptedModel([], name=model, provider=name) for model in models or ("unlisted",)],
        name=name,
        failure=failure,
    )


def down(name: str) -> ScriptedProvider:
    return provider(name, failure=UpstreamUnreachable(f"{name} is down."))


def catalogue(
    *providers: ScriptedProvider,
    clock: FakeClock | None = None,
    optional: tuple[str, ...] = (),
    **aliases: str,
) -> Catalogue:
    return Catalogue(providers, clock=clock or FakeClock(), aliases=aliases, optional=optional)


async def found(models: Catalogue, name: str | None) -> str:
    return (await models.resolve(name)).info.full_name


async def test_a_full_name_is_taken_at_its_word_and_asks_nobody() -> None:
    router = provider("router", "meta/llama", "a/b/c")
    models = catalogue(router)

    assert await found(models, "router/meta/llama") == "router/meta/llama"
    assert await found(models, "router/a/b/c") == "router/a/b/c"
    assert router.lists == 0


async def test_a_bare_name_goes_to_the_first_provider_that_lists_it() -> None:
    models = catalogue(provider("one", "a"), provider("two", "a", "b", "meta/llama"))

    assert await found(models, "a") == "one/a"
    assert await found(models, "b") == "two/b"
    assert await found(models, "meta/llama") == "two/meta/llama"


async def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    models = catalogue(provider("one", "a"), provider("two", "b"))

    with pytest.raises(ModelUnknown, match="Models that are: a, b"):
        await models.resolve("c")


async def test_an_empty_own_name_is_no_full_name() -> None:
    with pytest.raises(ModelUnknown):
        await catalogue(provider("one", "a")).resolve("one/")


async def test_a_name_that_a_silent_provider_may_have_is_not_called_unknown() -> None:
    models = catalogue(provider("one", "a"), down("two"))

    assert await found(models, "a") == "one/a"
    with pytest.raises(UpstreamUnreachable, match=r"two, which could not be asked: two is down\."):
        await models.resolve("b")


async def test_aliases_stand_for_full_and_bare_names() -> None:
    models = catalogue(provider("one", "a"), quick="one/x", usual="a")

    assert (await models.resolve("quick")).info.provider == "one"
    assert await found(models, "usual") == "one/a"


@pytest.mark.parametrize("name", ["gpt-4o", "o1", "o3-mini", "o4-mini", "claude-x", "chatgpt-4o"])
async def test_the_demo_alone_answers_to_the_names_that_programs_carry(name: str) -> None:
    assert await found(catalogue(provider("demo", "demo")), name) == "demo/demo"


async def test_beside_a_real_provider_the_demo_has_only_its_own_name() -> None:
    models = catalogue(provider("demo", "demo"), provider("one", "a"))

    assert await found(models, "demo") == "demo/demo"
    with pytest.raises(ModelUnknown):
        await models.resolve("gpt-4o")


@pytest.mark.parametrize("name", [None, "default"])
async def test_the_default_is_the_first_real_model_that_talks(name: str | None) -> None:
    models = catalogue(
        provider("demo", "demo"), provider("one", "whisper-1", "text-embedding-3-small", "gpt-x")
    )

    assert await found(models, name) == "one/gpt-x"


async def test_the_default_is_the_demo_only_if_no_provider_is_down() -> None:
    empty = ScriptedProvider([], name="empty")

    assert await found(catalogue(empty, provider("demo", "demo")), None) == "demo/demo"
    with pytest.raises(UpstreamUnreachable):
        await catalogue(down("one"), provider("demo", "demo")).resolve(None)
    with pytest.raises(ModelUnknown):
        await catalogue(empty).resolve(None)


async def test_a_list_is_kept_for_its_time() -> None:
    clock, one = FakeClock(), provider("one", "a")
    models = catalogue(one, clock=clock)

    assert await models.list() == (ModelInfo(name="a", provider="one"),)
    clock.advance(MODELS_KEPT_SECONDS - 1)
    await models.list()
    assert one.lists == 1
    clock.advance(1)
    await models.list()
    assert one.lists == 2


async def test_a_provider_that_fails_contributes_nothing_and_is_asked_again_sooner() -> None:
    clock, one, two = FakeClock(), provider("one", "a"), down("two")
    models = catalogue(one, two, clock=clock)

    assert [model.name for model in await models.list()] == ["a"]
    assert models.failures == {"two": two.failure}
    two.failure = None
    clock.advance(MODELS_FAILURE_KEPT_SECONDS)
    assert [model.name for model in await models.list()] == ["a", "unlisted"]
    assert models.failures == {}


async def test_a_model_that_was_listed_is_found_while_its_provider_fails() -> None:
    clock, one = FakeClock(), provider("one", "a")
    models = catalogue(one, clock=clock)
    await models.list()
    one.failure = UpstreamUnreachable("down.")
    clock.advance(MODELS_KEPT_SECONDS)

    assert await models.list() == ()
    assert await found(models, "a") == "one/a"


async def test_an_optional_provider_that_is_not_there_is_as_if_it_were_not() -> None:
    models = catalogue(down("found"), provider("demo", "demo"), optional=("found",))

    assert await found(models, "gpt-4o") == "demo/demo"
    assert await found(models, None) == "demo/demo"
    assert [model.name for model in await models.list()] == ["demo"]
    assert models.failures == {}
    with pytest.raises(ModelUnknown, match=r"Models that are: demo\."):
        await models.resolve("llama3")


async def test_an_optional_provider_without_models_is_no_reason_to_miss_the_demo() -> None:
    empty = ScriptedProvider([], name="found")
    models = catalogue(empty, provider("demo", "demo"), optional=("found",))

    assert await found(models, "gpt-4o") == "demo/demo"
    assert await found(models, None) == "demo/demo"


async def test_an_optional_provider_counts_from_the_moment_it_is_there_until_it_is_gone() -> None:
    clock, late = FakeClock(), down("found")
    gone = late.failure
    models = catalogue(late, provider("demo", "demo"), clock=clock, optional=("found",))
    assert await found(models, "gpt-4o") == "demo/demo"

    late.failure = None
    clock.advance(MODELS_FAILURE_KEPT_SECONDS)
    assert await found(models, None) == "found/unlisted"
    assert await found(models, "unlisted") == "found/unlisted"
    with pytest.raises(ModelUnknown):
        await models.resolve("gpt-4o")

    late.failure = gone
    clock.advance(MODELS_KEPT_SECONDS)
    assert await found(models, None) == "demo/demo"
    assert await found(models, "gpt-4o") == "demo/demo"


async def test_an_optional_provider_that_is_only_slow_is_still_there() -> None:
    clock, slow = FakeClock(), provider("found", "a")
    models = catalogue(slow, provider("demo", "demo"), clock=clock, optional=("found",))
    await models.list()

    slow.failure = UpstreamStalled("slow.")
    clock.advance(MODELS_KEPT_SECONDS)

    assert await found(models, None) == "found/a"


async def test_beside_a_configured_provider_an_optional_one_is_not_asked_for_known_names() -> None:
    late = down("found")
    models = catalogue(
        provider("one", "gpt-4o"), late, provider("demo", "demo"), optional=("found",)
    )

    assert await found(models, "gpt-4o") == "one/gpt-4o"
    assert await found(models, None) == "one/gpt-4o"


class SlowProvider(ScriptedProvider):
    """Lists its models once its gate lets it."""

    def __init__(self, gate: Gate) -> None:
        super().__init__([ScriptedModel([], name="a", provider="slow")], name="slow")
        self.gate = gate

    async def list_models(self) -> tuple[ModelInfo, ...]:
        listed = await super().list_models()
        await self.gate.wait()
        return listed


async def test_callers_at_the_same_time_share_one_question_and_one_may_leave() -> None:
    slow = SlowProvider(Gate())
    models = catalogue(slow)
    callers = [asyncio.create_task(models.list()) for _ in range(3)]
    await slow.gate.until_waited_for()

    callers[0].cancel()
    slow.gate.open()
    lists = await asyncio.gather(*callers, return_exceptions=True)

    assert isinstance(lists[0], asyncio.CancelledError)
    assert lists[1] == lists[2] == (ModelInfo(name="a", provider="slow"),)
    assert slow.lists == 1


async def test_closing_closes_all_providers_and_stops_asking() -> None:
    slow, one = SlowProvider(Gate()), provider("one", "a")
    models = catalogue(slow, one)
    caller = asyncio.create_task(models.list())
    await slow.gate.until_waited_for()

    await models.close()

    assert slow.is_closed
    assert one.is_closed
    with pytest.raises(asyncio.CancelledError):
        await caller
