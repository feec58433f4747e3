import pytest

from potok.chats.contract import MessageRecord
from potok.events.run_request import RunRequest
from potok.limits import CHAT_HISTORY_CHARACTERS_MAX, TITLE_MADE_CHARACTERS_MAX
from potok.runs.chat_prompts import asked_text, clean_title, earlier_texts, prompt_of


def message(role: str, content: str) -> MessageRecord:
    return MessageRecord(
        id=1,
        chat_id=1,
        principal="me",
        parent_id=None,
        role=role,  # type: ignore[arg-type]
        content=content,
        status="finished",
        run=None,
        client_id=None,
        metadata={},
        plan=None,
        created_at=0.0,
    )


def test_instructions_come_first_and_empty_messages_are_not_shown() -> None:
    way = [message("user", "q"), message("assistant", ""), message("user", "r")]

    shown = prompt_of(way, instructions="Be brief.")

    assert [one["content"] for one in shown] == ["Be brief.", "q", "r"]


def test_the_oldest_messages_give_way_and_the_newest_never_does() -> None:
    half = "x" * (CHAT_HISTORY_CHARACTERS_MAX // 2)
    way = [message("user", "old"), message("assistant", half), message("user", half + "new")]

    shown = prompt_of(way, instructions="")

    assert [one["content"][-3:] for one in shown] == ["new"]


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ("Choosing a ring", "Choosing a ring"),
        ('"Choosing a ring."', "Choosing a ring"),
        ("Title: Choosing a ring\n\nAnd more", "Choosing a ring"),
        ("**Название: Выбор кольца**", "Выбор кольца"),
        ("\n\n  «Выбор   кольца»  ", "Выбор кольца"),
        ("", ""),
        ("\n", ""),
    ],
)
def test_titles_lose_their_ornaments(answer: str, title: str) -> None:
    assert clean_title(answer) == title


def test_long_titles_are_cut_between_words() -> None:
    title = clean_title("word " * 100)

    assert len(title) <= TITLE_MADE_CHARACTERS_MAX + 1
    assert title.endswith("word…")


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (RunRequest(model="m", messages=({"role": "user", "content": "q"},)), "q"),
        (RunRequest(model="m", messages=({"role": "tool", "content": "q"},)), None),
        (RunRequest(agent="a", input="q"), "q"),
        (RunRequest(agent="a", input={"message": "q", "x": 1}), "q"),
        (RunRequest(agent="a", input={"x": 1}), '{"x":1}'),
    ],
)
def test_what_the_user_says_is_found_in_requests_of_other_faces(
    request_: RunRequest, text: str | None
) -> None:
    assert asked_text(request_) == text


def test_what_came_before_it_is_found_too() -> None:
    messages = tuple({"role": role, "content": role} for role in ("system", "tool", "user", "user"))

    earlier = earlier_texts(RunRequest(model="m", messages=messages))

    assert earlier == (("system", "system"), ("user", "user"))
