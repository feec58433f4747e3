"""How many statements a question costs: as many for a page of one as for a page of twenty."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from potok.chats.contract import Chat, Ending, NewAnswer, NewChat, ToldAnswer
from potok.chats.database import sqlite_url
from potok.chats.store import SqlChatStore
from potok.events.run_request import ToldMessage
from potok.testing.fakes import FakeClock
from tests.postgres import new_schema, postgres_url

ME = "me"
SMALL, LARGE = 2, 20
STATEMENTS_MAX = {
    "projects": 1,
    "chats": 1,
    "chats of a project": 1,
    "messages": 3,
    "search": 3,
    "tree": 2,
    "queue": 2,
    "unsettled": 1,
    # Its lock, its place by names and by words, its answer, and what it stores.
    "a told message": 14,
}


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return postgres_url() if request.param == "postgres" else sqlite_url(tmp_path / "chats.sqlite3")


@pytest.fixture
async def store(url: str) -> AsyncIterator[SqlChatStore]:
    store = SqlChatStore(url, clock=FakeClock(), schema=new_schema())
    await store.open()
    yield store
    await store.close()


class Filled:
    """A store with so many of everything."""

    def __init__(self, store: SqlChatStore) -> None:
        self.store = store
        self.project = 0
        self.chat: Chat | None = None
        self.count = 0

    async def grow(self, count: int) -> None:
        store = self.store
        for number in range(self.count, count):
            project = await store.projects.create(principal=ME, name="p", instructions="")
            self.project = self.project or project.id
            chat = await store.chats.create(
                NewChat(title="gold", project_id=self.project), principal=ME
            )
            self.chat = self.chat or chat
            await self._talk(self.chat.id, f"run-{number}")
            await store.queue.add(self.chat.id, "gold", principal=ME, model=None, client_id=None)
        self.count = count

    async def _talk(self, chat: int, run: str) -> None:
        answers = self.store.answers
        new = NewAnswer(chat_id=chat, run=run, content="gold")
        begun = await answers.begin(new, principal=ME)
        ending = Ending(status="finished", text="gold rings", metadata={}, is_empty=False)
        await answers.settle(begun.answer.id, run=run, ending=ending)

    def questions(self) -> dict[str, Callable[[], Awaitable[Any]]]:
        store, chat = self.store, self.chat
        assert chat is not None
        return {
            "projects": lambda: store.projects.page(principal=ME, before=None, items_max=50),
            "chats": lambda: self._chats(None),
            "chats of a project": lambda: self._chats(self.project),
            "messages": self._messages,
            "search": lambda: store.search.find(
                "gold", principal=ME, project_id=None, before=None, items_max=50
            ),
            "tree": lambda: store.transfer.read_tree(chat.id, principal=ME, after=0, items_max=100),
            "queue": lambda: store.queue.waiting(chat.id, principal=ME),
            "unsettled": lambda: store.answers.list_unsettled(after=0, items_max=50),
            "a told message": self._told,
        }

    async def _chats(self, project: int | None) -> list[Chat]:
        return await self.store.chats.page(
            principal=ME, project_id=project, is_archived=None, before=None, items_max=50
        )

    async def _messages(self) -> list[Any]:
        assert self.chat is not None
        chat = await self.store.chats.read(self.chat.id, principal=ME)
        found, _ = await self.store.messages.path(chat, principal=ME, before=None, items_max=100)
        return found

    async def _told(self) -> list[Any]:
        assert self.chat is not None
        pairs = [
            (ToldMessage("user", "gold"), ToldMessage("assistant", "gold rings", f"msg_run-{at}"))
            for at in range(self.count)
        ]
        told = *(one for pair in pairs for one in pair), ToldMessage("user", "silver", "new")
        run = f"told-{self.count}"
        new = ToldAnswer(chat_id=self.chat.id, run=run, told=told)
        begun = await self.store.answers.begin_told(new, principal=ME)
        empty = Ending(status="failed", text="", metadata={}, is_empty=True)
        self._undo = (begun.answer.id, run, empty)
        return list(told)

    async def undo_told(self) -> None:
        message, run, ending = self._undo
        await self.store.answers.settle(message, run=run, ending=ending)


async def test_no_question_costs_more_statements_where_there_is_more(store: SqlChatStore) -> None:
    filled = Filled(store)
    counted = 0

    def count(*_: object) -> None:
        nonlocal counted
        counted += 1

    costs: list[dict[str, int]] = []
    sizes: list[dict[str, int]] = []
    for items in (SMALL, LARGE):
        await filled.grow(items)
        cost, size = {}, {}
        for name, ask in filled.questions().items():
            both = [engine.sync_engine for engine in store.database.engines]
            # PostgreSQL's two are one, seen in two ways.
            engines = both if store.database.is_sqlite else both[:1]
            for engine in engines:
                event.listen(engine, "before_cursor_execute", count)
            counted = 0
            size[name] = len(await ask())
            cost[name] = counted
            for engine in engines:
                event.remove(engine, "before_cursor_execute", count)
        await filled.undo_told()
        costs.append(cost)
        sizes.append(size)

    assert costs[0] == costs[1]
    assert all(costs[1][name] <= STATEMENTS_MAX[name] for name in STATEMENTS_MAX), costs[1]
    grown = [name for name in sizes[0] if sizes[1][name] > sizes[0][name]]
    assert set(STATEMENTS_MAX) - set(grown) == {"unsettled"}
