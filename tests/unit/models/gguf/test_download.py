"""Downloads from a server that misbehaves: what arrives is whole and right, or does not arrive."""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from potok.errors import DownloadFailed, ModelFileRefused
from potok.limits import DOWNLOAD_TRIES_MAX, MiB
from potok.models.aiohttp_source import AiohttpSource
from potok.models.gguf.address import parse_hub_id
from potok.models.gguf.arrival import Arrival
from potok.models.gguf.download import Download, Progress
from potok.testing.fakes import CountingIds
from tests.file_server import FileServer, Manners, running_file_server
from tests.tiny_gguf import build_tiny_gguf

# Far more than the sockets and the client hold: what they hold is lost with a connection.
CUT = 10 * MiB
SIZE = 16 * MiB


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return build_tiny_gguf(tmp_path_factory.mktemp("gguf") / "m.gguf").read_bytes()


@pytest.fixture(scope="module")
def large(model: bytes) -> bytes:
    """A model that is followed by so much that it takes its time."""
    return model + bytes(range(256)) * ((SIZE - len(model)) // 256)


def begin_of(asked: str | None) -> int:
    assert asked is not None
    return int(asked.removeprefix("bytes=").removesuffix("-"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "models"
    place.mkdir()
    return place


async def no_wait(_: float) -> None:
    """Waits between tries take no time; the bounds on silence do not ring."""
    await asyncio.sleep(0)


def bounded(real: Callable[[float], Any]) -> Callable[[float], Any]:
    async def sleep(seconds: float) -> None:
        # A stall's bound is a minute: only the waits between tries are shorter.
        await (real(seconds) if seconds < 20 else asyncio.Event().wait())

    return sleep


class Case:
    def __init__(self, server: FileServer, folder: Path, source: AiohttpSource) -> None:
        self.server = server
        self.folder = folder
        self.told: list[Progress] = []
        self.download = Download(
            folder,
            source=source,
            ids=CountingIds(),
            hub=server.base,
            token="hub-token",
            tell=self.told.append,
            sleep=bounded(no_wait),
        )

    async def fetch(self, path: str = "/m.gguf", sha256: str | None = None) -> Path:
        return await self.download.fetch(self.server.base + path, name="m", sha256=sha256)

    @property
    def left(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@asynccontextmanager
async def case(body: bytes, folder: Path, **manners: Any) -> AsyncIterator[Case]:
    async with running_file_server(body, Manners(**manners)) as server:
        source = AiohttpSource()
        try:
            yield Case(server, folder, source)
        finally:
            await source.close()


async def test_a_file_arrives_whole_and_alone(model: bytes, folder: Path) -> None:
    async with case(model, folder) as one:
        path = await one.fetch()

        assert path.read_bytes() == model
        assert one.left == ["m.gguf"]
        assert one.told[-1].done_bytes == one.told[-1].size_bytes == len(model)


async def test_a_connection_that_breaks_is_gone_on_with(large: bytes, folder: Path) -> None:
    async with case(large, folder, cuts=[CUT]) as one:
        path = await one.fetch()

        assert path.read_bytes() == large
        first, second = one.server.ranges
        assert first is None
        assert 0 < begin_of(second) <= CUT


async def test_a_later_command_goes_on_where_an_earlier_one_stopped(
    large: bytes, folder: Path
) -> None:
    async with case(large, folder, cuts=[CUT, *[0] * DOWNLOAD_TRIES_MAX]) as one:
        with pytest.raises(DownloadFailed, match="the same command goes on"):
            await one.fetch()
        assert one.left == ["m.gguf.part", "m.gguf.part.json"]
        begun = len((folder / "m.gguf.part").read_bytes())
        one.server.manners.cuts.clear()

        path = await one.fetch()

        assert path.read_bytes() == large
        assert begin_of(one.server.ranges[-1]) == begun > 0


async def test_a_stopped_command_keeps_what_came(large: bytes, folder: Path) -> None:
    async with case(large, folder) as one:
        has_begun = asyncio.Event()
        one.download._tell = lambda progress: has_begun.set()
        fetching = asyncio.create_task(one.fetch())
        await has_begun.wait()
        fetching.cancel()
        await asyncio.wait([fetching])

        path = await one.fetch()

        assert path.read_bytes() == large
        assert begin_of(one.server.ranges[-1]) > 0


async def test_a_server_without_ranges_is_read_from_its_start(large: bytes, folder: Path) -> None:
    async with case(large, folder, cuts=[CUT], knows_ranges=False) as one:
        assert (await one.fetch()).read_bytes() == large


@pytest.mark.parametrize("obeys_if_range", [True, False])
async def test_a_file_that_changed_meanwhile_is_fetched_anew(
    large: bytes, folder: Path, obeys_if_range: bool
) -> None:
    other = large[:-1000] + b"x" * 1000
    async with case(large, folder, cuts=[CUT], obeys_if_range=obeys_if_range) as one:

        def change(progress: Progress) -> None:
            if progress.stage == "waiting":
                one.server.body, one.server.manners.etag = other, '"v2"'

        one.download._tell = change

        assert (await one.fetch()).read_bytes() == other


async def test_without_a_name_for_its_bytes_nothing_is_joined(large: bytes, folder: Path) -> None:
    async with case(large, folder, cuts=[CUT], etag=None) as one:
        assert (await one.fetch()).read_bytes() == large
        assert one.server.ranges == [None, None]


async def test_with_a_checksum_it_may_be_joined_all_the_same(large: bytes, folder: Path) -> None:
    checksum = hashlib.sha256(large).hexdigest()
    async with case(large, folder, cuts=[CUT], etag=None) as one:
        assert (await one.fetch(sha256=checksum)).read_bytes() == large
        assert begin_of(one.server.ranges[-1]) > 0


async def test_a_length_that_is_too_long_is_found_out(model: bytes, folder: Path) -> None:
    async with case(model, folder, length_lie=10_000, knows_ranges=False) as one:
        with pytest.raises(DownloadFailed):
            await one.fetch()

        assert "m.gguf" not in one.left


async def test_a_length_that_is_too_short_never_makes_a_model(model: bytes, folder: Path) -> None:
    async with case(model, folder, length_lie=-400_000) as one:
        with pytest.raises(ModelFileRefused, match="not whole"):
            await one.fetch()

        assert one.left == []


async def test_a_server_that_tells_no_length_is_enough(model: bytes, folder: Path) -> None:
    async with case(model, folder, tells_length=False) as one:
        assert (await one.fetch()).read_bytes() == model
        assert one.told[0].size_bytes is None


async def test_a_wrong_checksum_leaves_nothing(model: bytes, folder: Path) -> None:
    async with case(model, folder) as one:
        with pytest.raises(ModelFileRefused, match="has the checksum"):
            await one.fetch(sha256="0" * 64)

        assert one.left == []


async def test_the_hubs_checksum_is_checked_without_being_asked_for(
    model: bytes, folder: Path
) -> None:
    async with case(model, folder, redirect="/cdn/m", linked_etag="0" * 64) as one:
        with pytest.raises(ModelFileRefused, match="has the checksum"):
            await one.fetch()


async def test_a_checksum_that_the_hub_denies_costs_no_download(model: bytes, folder: Path) -> None:
    async with case(model, folder, redirect="/cdn/m", linked_etag="1" * 64) as one:
        with pytest.raises(ModelFileRefused, match="Nothing was fetched"):
            await one.fetch(sha256="0" * 64)


@pytest.mark.parametrize("body", [b"<html>not found</html>" * 100, b"PK\3\4" + bytes(5000), b"G"])
async def test_what_is_no_gguf_is_thrown_away(body: bytes, folder: Path) -> None:
    async with case(body, folder) as one:
        with pytest.raises(ModelFileRefused, match="no GGUF"):
            await one.fetch()

        assert one.left == []


@pytest.mark.parametrize(("status", "words"), [(404, "no such file"), (403, "HF_TOKEN")])
async def test_a_refusal_is_said_at_once(
    model: bytes, folder: Path, status: int, words: str
) -> None:
    async with case(model, folder, statuses=[status]) as one:
        with pytest.raises(DownloadFailed, match=words):
            await one.fetch()

        assert len(one.server.seen) == 1


async def test_a_server_that_is_busy_is_asked_again(model: bytes, folder: Path) -> None:
    async with case(model, folder, statuses=[503, 429, 500]) as one:
        assert (await one.fetch()).read_bytes() == model
        assert [told.note for told in one.told if told.stage == "waiting"] == [
            "it answered with status 503",
            "it answered with status 429",
            "it answered with status 500",
        ]


async def test_a_server_that_is_not_there_is_named(folder: Path) -> None:
    async with case(b"", folder) as one:
        pass
    source = AiohttpSource()
    one.download._source = source

    with pytest.raises(DownloadFailed, match=r"127\.0\.0\.1:\d+ broke off 6 times"):
        await one.fetch()
    await source.close()


async def test_the_token_goes_to_the_hub_and_nowhere_else(model: bytes, folder: Path) -> None:
    async with running_file_server(model, Manners()) as elsewhere:
        redirect = f"{elsewhere.base}/cdn/m"
        token = "Bearer hub-token"
        async with case(b"", folder, redirect=redirect, needs_token=token) as one:
            await one.fetch()

            assert one.server.seen[0].headers["authorization"] == token
            assert "authorization" not in elsewhere.seen[0].headers


async def test_redirects_without_end_are_given_up(model: bytes, folder: Path) -> None:
    async with case(model, folder, redirect="/again") as one:
        with pytest.raises(DownloadFailed, match="without end"):
            await one.fetch()


async def test_a_redirect_out_of_http_is_not_followed(model: bytes, folder: Path) -> None:
    async with case(model, folder, redirect="file:///etc/passwd") as one:
        with pytest.raises(DownloadFailed, match="not safe"):
            await one.fetch()


async def test_a_full_disk_is_said_before_anything_is_fetched(
    model: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(".")._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    async with case(model, folder) as one:
        with pytest.raises(ModelFileRefused, match="MiB free"):
            await one.fetch()

        assert not any(told.done_bytes for told in one.told)


async def test_a_name_that_is_taken_is_never_overwritten(model: bytes, folder: Path) -> None:
    (folder / "m.gguf").write_bytes(b"mine")
    async with case(model, folder) as one:
        with pytest.raises(ModelFileRefused, match="already a model"):
            await one.fetch()

        assert one.server.seen == []
        assert (folder / "m.gguf").read_bytes() == b"mine"


async def test_two_commands_do_not_write_one_part(model: bytes, folder: Path) -> None:
    first = Arrival.open(folder, "m")
    async with case(model, folder) as one:
        with pytest.raises(ModelFileRefused, match="Another command"):
            await one.fetch()
    first.close()


async def test_a_part_of_another_address_is_not_gone_on_with(large: bytes, folder: Path) -> None:
    async with case(large, folder, cuts=[CUT, *[0] * DOWNLOAD_TRIES_MAX]) as one:
        with pytest.raises(DownloadFailed):
            await one.fetch("/old.gguf")
        one.server.manners.cuts.clear()

        assert (await one.fetch("/new.gguf")).read_bytes() == large
        assert one.server.ranges[-1] is None


LIST = b'{"siblings":[{"rfilename":"README.md"},%s]}'


async def test_the_only_file_of_a_repository_is_found(folder: Path) -> None:
    body = LIST % b'{"rfilename":"a.gguf"}'
    wanted = parse_hub_id("org/repo")
    assert wanted is not None
    paths = {"/api/models/org/repo/revision/main": body}
    async with case(b"", folder, paths=paths) as one:
        assert await one.download.find_file(wanted) == "a.gguf"


async def test_several_files_of_a_repository_are_named(folder: Path) -> None:
    body = LIST % b'{"rfilename":"a.gguf"},{"rfilename":"b.gguf"}'
    wanted = parse_hub_id("org/repo")
    assert wanted is not None
    paths = {"/api/models/org/repo/revision/main": body}
    async with case(b"", folder, paths=paths) as one:
        with pytest.raises(ModelFileRefused, match=r"org/repo:a\.gguf\n  org/repo:b\.gguf"):
            await one.download.find_file(wanted)
