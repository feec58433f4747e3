"""100,000 messages in 2,000 chats: how long people wait to list, open and search them.

    scripts/bench chats            both databases, PostgreSQL if it is installed
    scripts/bench chats --small    a tenth of it

Fills a new database through the import, as a person would, then asks as the routes do. Prints the
median and the 95th percentile of each question, and what a message costs to write.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from potok.chats.contract import Ending, ImportedChat, ImportedMessage, NewAnswer, NewChat
from potok.chats.database import sqlite_url
from potok.chats.store import SqlChatStore
from potok.clock import SystemClock

CHATS, MESSAGES_PER_CHAT = 2_000, 50
QUESTIONS = 100
LIMIT_SECONDS = 0.100
ME = "me"

RUSSIAN = [
    "кольцо",
    "золото",
    "серебро",
    "подарок",
    "камень",
    "изумруд",
    "размер",
    "цена",
    "магазин",
    "свадьба",
    "украшение",
    "браслет",
    "серьги",
    "цепочка",
    "проба",
    "блеск",
    "огранка",
    "мастер",
    "работа",
    "время",
    "день",
    "ночь",
    "город",
    "река",
    "дорога",
    "дом",
    "окно",
    "свет",
    "поток",
    "ответ",
    "сервер",
    "запрос",
    "текст",
    "слово",
    "буква",
    "память",
    "сеть",
    "журнал",
    "читатель",
    "писатель",
    "событие",
    "начало",
]
ENGLISH = [
    "ring",
    "gold",
    "silver",
    "gift",
    "stone",
    "emerald",
    "size",
    "price",
    "store",
    "wedding",
    "jewel",
    "bracelet",
    "earring",
    "chain",
    "answer",
    "server",
    "request",
    "text",
    "word",
    "letter",
    "memory",
    "network",
    "reader",
    "writer",
    "event",
    "stream",
    "start",
    "finish",
]
ENDINGS = ("", "а", "у", "ом", "е", "ы", "ами")


def text_of(dice: random.Random, words: int) -> str:
    """Return words as people write them: many forms, and one that is in every message."""
    said = [
        dice.choice(RUSSIAN) + dice.choice(ENDINGS) if dice.random() < 0.7 else dice.choice(ENGLISH)
        for _ in range(words)
    ]
    said.append("обычно")
    if dice.random() < 0.001:
        said.append("редкостный")
    return " ".join(said)


def chats_of(dice: random.Random, number: int) -> Iterator[ImportedChat]:
    """Yield chats, each with a straight talk."""
    for chat in range(number):
        at = 1_700_000_000.0 + chat * 1_000
        messages = tuple(
            ImportedMessage(
                role="assistant" if place % 2 else "user",
                content=text_of(dice, 80 if place % 2 else 20),
                created_at=at + place,
                parent=place - 1 if place else None,
            )
            for place in range(MESSAGES_PER_CHAT)
        )
        yield ImportedChat(
            title=text_of(dice, 4),
            created_at=at,
            updated_at=at + MESSAGES_PER_CHAT,
            messages=messages,
            leaf=MESSAGES_PER_CHAT - 1,
        )


async def measure(
    name: str, ask: Callable[[], Awaitable[object]], *, is_checked: bool = True
) -> bool:
    """Ask many times; print and judge how long it took."""
    times = []
    for _ in range(QUESTIONS):
        began = time.perf_counter()
        await ask()
        times.append(time.perf_counter() - began)
    p95 = statistics.quantiles(times, n=20)[-1]
    is_good = p95 <= LIMIT_SECONDS or not is_checked
    print(
        f"  {name:<34} median {statistics.median(times) * 1000:7.2f} ms"
        f"   p95 {p95 * 1000:7.2f} ms{'' if is_good else '   TOO SLOW'}"
    )
    return is_good


async def fill(store: SqlChatStore, dice: random.Random, number: int) -> list[int]:
    """Import all chats, a hundred at a time."""
    began, ids, part = time.perf_counter(), [], []
    for chat in chats_of(dice, number):
        part.append(chat)
        if len(part) == 100:
            ids += (await store.transfer.add(part, principal=ME)).chat_ids
            part = []
    seconds = time.perf_counter() - began
    count = number * MESSAGES_PER_CHAT
    print(f"  filled with {count} messages in {seconds:.1f} s, {seconds / count * 1e6:.0f} us each")
    return ids


async def measure_writing(store: SqlChatStore, dice: random.Random) -> None:
    """Print what a turn costs with answers of growing length: linear, or the store rewrites."""
    chat = await store.chats.create(NewChat(title="writing"), principal=ME)
    for words in (100, 1_000, 10_000):
        text = text_of(dice, words)
        times = []
        for turn in range(10):
            new = NewAnswer(chat_id=chat.id, run=f"run-{words}-{turn}", content="?")
            began = time.perf_counter()
            begun = await store.answers.begin(new, principal=ME)
            ending = Ending(status="finished", text=text, metadata={}, is_empty=False)
            await store.answers.settle(begun.answer.id, run=new.run, ending=ending)
            times.append(time.perf_counter() - began)
        print(f"  a turn with {words:>6} words {statistics.median(times) * 1000:17.2f} ms")


async def ask_all(store: SqlChatStore, dice: random.Random, ids: list[int]) -> bool:
    """Ask everything that the edge asks."""

    async def list_first() -> object:
        return await store.chats.page(
            principal=ME, project_id=None, is_archived=False, before=None, items_max=51
        )

    async def list_deep() -> object:
        before = (1_700_000_000.0 + dice.randrange(len(ids)) * 1_000, 10**9)
        return await store.chats.page(
            principal=ME, project_id=None, is_archived=False, before=before, items_max=51
        )

    async def open_chat() -> object:
        chat = await store.chats.read(dice.choice(ids), principal=ME)
        return await store.messages.path(chat, principal=ME, before=None, items_max=200)

    def search(*queries: str) -> Callable[[], Awaitable[object]]:
        async def ask() -> object:
            return await store.search.find(
                dice.choice(queries), principal=ME, project_id=None, before=None, items_max=50
            )

        return ask

    results = [
        await measure("list, first page", list_first),
        await measure("list, any page", list_deep),
        await measure("open a chat of 50 messages", open_chat),
        await measure("search, one word", search(*(f"{word} " for word in RUSSIAN + ENGLISH))),
        await measure("search, two words", search("кольца золотые ", "gold ring ", "река gift ")),
        await measure("search, half a word", search("коль", "браслет", "eme", "wed")),
        await measure("search, a word of every message", search("обычный ", "обычно ")),
        await measure("search, a rare word", search("редкостные ")),
        await measure("search, no such word", search("небылица ", "unheard ")),
    ]
    return all(results)


async def run(name: str, url: str, number: int) -> bool:
    """Measure one database."""
    print(f"{name}: {number} chats, {number * MESSAGES_PER_CHAT} messages")
    dice = random.Random(1)
    store = SqlChatStore(url, clock=SystemClock())
    await store.open()
    try:
        ids = await fill(store, dice, number)
        is_good = await ask_all(store, dice, ids)
        await measure_writing(store, dice)
        return is_good
    finally:
        await store.close()


def main(arguments: list[str] | None = None) -> int:
    """Measure both databases; 1 if a question took too long."""
    parser = argparse.ArgumentParser(prog="bench chats", description=__doc__)
    parser.add_argument("--small", action="store_true", help="a tenth of the messages")
    parser.add_argument("--postgres", metavar="URL", help="an empty database to fill")
    options = parser.parse_args(arguments)
    number = CHATS // 10 if options.small else CHATS
    with tempfile.TemporaryDirectory() as folder:
        is_good = asyncio.run(run("SQLite", sqlite_url(Path(folder) / "chats.sqlite3"), number))
    url = options.postgres or own_postgres()
    if url is None:
        print("PostgreSQL: not installed, not measured")
    else:
        is_good = asyncio.run(run("PostgreSQL", url, number)) and is_good
    return 0 if is_good else 1


def own_postgres() -> str | None:
    """Return the URL of a server that the tests know how to start, None without one."""
    from tests.postgres import started_url

    return started_url()


if __name__ == "__main__":
    raise SystemExit(main())
