"""The provider of files: what it lists, refuses, and keeps in memory. Real children."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from potok.clock import SystemClock, SystemIds
from potok.errors import ModelUnusable, UpstreamBusy, UpstreamRefused
from potok.events.kinds import RunEnd
from potok.models.contract import ChatRequest
from potok.models.gguf import process
from potok.models.gguf.options import GgufOptions
from potok.models.gguf.process import INSTALL_LINE, is_installed
from potok.models.gguf.provider import GgufProvider
from potok.models.retrying import RetryRules
from potok.testing.chat_model_suite import ask, fold_of
from tests.tiny_gguf import build_tiny_gguf

pytestmark = pytest.mark.skipif(not is_installed(), reason="xllamacpp is not installed")

HI = {"role": "user", "content": "Hi"}


@asynccontextmanager
async def provider_of(place: Path, **serving: Any) -> AsyncIterator[GgufProvider]:
    made = GgufProvider(
        "gguf",
        place,
        serving=GgufOptions(**{"context_tokens": 1024, "threads": 1, **serving}),
        clock=SystemClock(),
        ids=SystemIds(),
        retry=RetryRules(tries_max=3, backoff_seconds=0.01),
    )
    try:
        yield made
    finally:
        await made.close()


async def answer(one: GgufProvider, name: str, **parameters: Any) -> RunEnd:
    request = ChatRequest(model=name, messages=(HI,), parameters={"max_tokens": 3, **parameters})
    batches = await ask(one.model(name), request)
    end = batches[-1][-1]
    assert isinstance(end, RunEnd)
    return end


def pid_of(one: GgufProvider, name: str) -> int | None:
    child = one._engines[name].child
    return None if child is None else child.pid


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    build_tiny_gguf(tmp_path / "a.gguf")
    build_tiny_gguf(tmp_path / "b.gguf")
    build_tiny_gguf(tmp_path / "vectors.gguf", pools=True, template=None)
    return tmp_path


async def test_a_file_is_served_without_a_list_before(folder: Path) -> None:
    async with provider_of(folder) as one:
        assert (await answer(one, "a")).finish_reason == "length"


async def test_a_model_for_vectors_makes_them_and_nothing_else(folder: Path) -> None:
    async with provider_of(folder) as one:
        await one.list_models()
        model = one.model("vectors")

        made = await model.embed(("one", "x" * 600, ""), {})

        assert [len(vector) for vector in made.vectors] == [128, 128, 128]
        assert made.prompt_tokens > 600
        with pytest.raises(UpstreamRefused, match="makes vectors"):
            await answer(one, "vectors")


async def test_a_text_that_is_too_long_for_a_vector_is_the_requests_fault(folder: Path) -> None:
    async with provider_of(folder) as one:
        with pytest.raises(UpstreamRefused, match="too large") as caught:
            await one.model("a").embed(("x" * 900,), {})

        assert caught.value.status == 400


async def test_vectors_have_the_length_that_they_have(folder: Path) -> None:
    async with provider_of(folder) as one:
        assert (await one.model("a").embed(("x",), {"dimensions": 128})).vectors
        with pytest.raises(UpstreamRefused, match="128 numbers"):
            await one.model("a").embed(("x",), {"dimensions": 64})


async def test_the_model_that_was_idle_longest_makes_room(folder: Path) -> None:
    async with provider_of(folder, loaded_max=1) as one:
        await answer(one, "a")
        await answer(one, "b")

        assert pid_of(one, "a") is None
        assert pid_of(one, "b") is not None


async def test_a_model_that_answers_is_not_put_out(folder: Path) -> None:
    async with provider_of(folder, loaded_max=1) as one:
        request = ChatRequest(model="a", messages=(HI,), parameters={"ignore_eos": True})
        stream = one.model("a").stream(request)
        await anext(stream)

        with pytest.raises(UpstreamBusy, match="loaded_max"):
            await answer(one, "b")

        assert pid_of(one, "a") is not None
        await stream.aclose()


async def test_a_child_that_was_killed_before_a_call_costs_only_a_new_start(folder: Path) -> None:
    async with provider_of(folder) as one:
        await answer(one, "a")
        before = pid_of(one, "a")
        assert before is not None
        os.kill(before, signal.SIGKILL)

        assert (await answer(one, "a")).outcome == "finished"
        assert pid_of(one, "a") != before


async def test_several_choices_are_kept_apart(folder: Path) -> None:
    async with provider_of(folder) as one:
        request = ChatRequest(model="a", messages=(HI,), parameters={"max_tokens": 3, "n": 2})

        events = [event for batch in await ask(one.model("a"), request) for event in batch]

        assert fold_of(events).outcome == "finished"
        assert isinstance(events[-1], RunEnd)
        assert events[-1].finish_reasons == ("length", "length")


WRONG: list[dict[str, Any]] = [
    {"max_tokens": "many"},
    {"n": 99},
    {"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "frob"}}}},
    {"response_format": {"type": "json_schema", "json_schema": {"schema": {"$ref": "#/no"}}}},
    {"grammar": "root ::= ("},
]


@pytest.mark.parametrize("parameters", WRONG)
async def test_what_llama_does_not_take_never_kills_the_child(
    folder: Path, parameters: dict[str, Any]
) -> None:
    async with provider_of(folder) as one:
        await answer(one, "a")
        before = pid_of(one, "a")

        with pytest.raises(UpstreamRefused) as refused:
            await answer(one, "a", **parameters)

        assert 400 <= refused.value.status < 500
        assert (await answer(one, "a")).outcome == "finished"
        assert pid_of(one, "a") == before


async def test_a_model_that_is_not_there_is_said(folder: Path) -> None:
    async with provider_of(folder) as one:
        with pytest.raises(UpstreamRefused, match="has no model 'c'") as caught:
            await answer(one, "c")

        assert caught.value.status == 404


async def test_a_broken_file_is_said_and_may_be_mended(folder: Path) -> None:
    whole = (folder / "a.gguf").read_bytes()
    (folder / "a.gguf").write_bytes(whole[:-1000])
    async with provider_of(folder) as one:
        with pytest.raises(ModelUnusable, match="corrupted or incomplete"):
            await answer(one, "a")

        (folder / "a.gguf").write_bytes(whole)

        assert (await answer(one, "a")).outcome == "finished"


async def test_a_place_where_nothing_is_is_said(tmp_path: Path) -> None:
    async with provider_of(tmp_path / "none") as one:
        with pytest.raises(ModelUnusable, match="where nothing is"):
            await one.list_models()


async def test_without_the_library_it_says_what_installs_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "find_spec", lambda _: None)
    async with provider_of(folder) as one:
        for failing in (one.list_models(), answer(one, "a")):
            with pytest.raises(ModelUnusable) as caught:
                await failing
            assert INSTALL_LINE in caught.value.message
