import pytest

from potok_apps.jewelry.taste import Step, TasteState, question_of, start_test, step_test
from potok_apps.jewelry.taste_profile import profile_of
from potok_apps.jewelry.taste_questions import QUESTIONS, Values, read_answer

ANSWERS = [
    "серебро или платина",
    "минимализм",
    "люблю жемчуг",
    "на каждый день",
    "себе",
    "чтобы почти незаметно, тонкое",
    "тысяч до двадцати",
    "3 апреля 1990",
]


def walk(*messages: str) -> Step:
    step = start_test()
    for message in messages:
        step = step_test(step.state, message)
    return step


def test_eight_answers_make_a_profile() -> None:
    step = walk(*ANSWERS)

    profile = profile_of(step.state)
    assert step.state.is_complete
    assert step.outcome == "accepted"
    assert profile.weights["metal"] == {"silver": 1.0, "platinum": 1.0}
    assert profile.weights["style"] == {"minimalism": 1.0}
    assert profile.weights["stone"] == {"pearl": 1.0}
    assert (profile.recipient, profile.scale) == (("self",), "small")
    assert (profile.budget_min, profile.budget_max) == (None, 20_000)
    assert (profile.zodiac, profile.confidence) == ("aries", 1.0)
    metadata = profile.as_metadata("ru")
    assert metadata["zodiac_sign"] == "Овен"
    assert metadata["budget"] == {"min": None, "max": 20_000}


def test_an_answer_that_is_not_understood_is_asked_for_once_more() -> None:
    again = walk("абракадабра")
    over = step_test(again.state, "абракадабра")

    assert (again.outcome, again.state.index) == ("ask_again", 0)
    assert (over.outcome, over.state.index) == ("passed_over", 1)
    assert over.state.answers == ()
    assert step_test(over.state, "абракадабра").outcome == "ask_again"


def test_an_understood_answer_after_asking_again_counts() -> None:
    step = walk("абракадабра", "золото")

    assert (step.outcome, step.state.index, step.state.is_asked_again) == ("accepted", 1, False)


def test_back_reopens_the_question_before() -> None:
    step = walk("серебро", "классика", "Назад")

    assert (step.outcome, step.state.index) == ("back", 1)
    assert [one for one, _ in step.state.answers] == ["metal"]
    assert walk("назад").state == TasteState()


def test_back_from_the_end_reopens_the_last_question() -> None:
    step = walk(*ANSWERS, "назад")

    assert (step.state.index, step.state.is_complete) == (7, False)


@pytest.mark.parametrize("message", ["пропустить", "Дальше!", "не знаю", "skip"])
def test_a_question_can_be_skipped(message: str) -> None:
    step = walk(message)

    assert (step.outcome, step.state.index, step.state.answers) == ("skipped", 1, ())


def test_anything_will_do_is_an_answer() -> None:
    step = walk("любой")

    assert (step.outcome, step.state.answers) == ("accepted", (("metal", ()),))
    assert profile_of(step.state).weights == {}


def test_a_pause_keeps_answers_and_the_next_answer_goes_on() -> None:
    paused = walk("серебро", "хватит")
    on = step_test(paused.state, "винтаж")

    assert (paused.outcome, paused.state.is_open) == ("paused", False)
    assert (on.state.index, on.state.is_open) == (2, True)
    assert [one for one, _ in on.state.answers] == ["metal", "style"]


def test_a_complete_test_says_so_and_can_begin_again() -> None:
    done = walk(*ANSWERS)

    assert step_test(done.state, "серебро").outcome == "already_complete"
    assert step_test(done.state, "заново") == Step(outcome="restarted", state=TasteState())


def test_a_command_inside_a_long_answer_is_no_command() -> None:
    step = walk("сначала я думала о золоте, но потом и дальше только серебро")

    assert step.outcome == "accepted"


READ: list[tuple[str, str, Values | None]] = [
    ("metal", "2", (("metal", "gold"), ("metal_color", "white"))),
    ("metal", "вариант 4", (("metal", "silver"),)),
    ("metal", "пятый", (("metal", "platinum"),)),
    ("metal", "rose_gold", (("metal", "gold"), ("metal_color", "rose"))),
    ("metal", "Розовое золото", (("metal", "gold"), ("metal_color", "rose"))),
    ("metal", "White gold", (("metal", "gold"), ("metal_color", "white"))),
    ("metal", "серебришко", (("metal", "silver"),)),
    ("metal", "9", None),
    ("metal", "0", None),
    ("style", "винтажный", (("style", "vintage"),)),
    ("stone", "без камней", (("stone", "none"),)),
    ("stone", "только не рубины", None),
    ("occasion", "на помолвку", (("occasion", "engagement"),)),
    ("recipient", "мама", (("recipient", "mother"),)),
    ("recipient", "Ребёнку", (("recipient", "child"),)),
    ("scale", "крупное и яркое", (("scale", "bold"),)),
    ("budget", "50", (("budget_max", "50000"),)),
    ("budget", "от 20 до 30 тысяч", (("budget_min", "20000"), ("budget_max", "30000"))),
    ("budget", "недорого", (("budget_max", "30000"),)),
    ("budget", "4", (("budget_min", "70000"), ("budget_max", "150000"))),
    ("birthday", "29 февраля", (("birthday", "02-29"),)),
    ("birthday", "03.04.1990", (("birthday", "1990-04-03"),)),
    ("birthday", "8 марта", (("birthday", "03-08"),)),
    ("birthday", "31 февраля", None),
    ("birthday", "неважно", None),
    ("metal", "", None),
]


@pytest.mark.parametrize(("question", "text", "values"), READ)
def test_free_answers_are_read(question: str, text: str, values: Values | None) -> None:
    asked = next(one for one in QUESTIONS if one.id == question)

    assert read_answer(asked, text) == values


def test_every_option_is_understood_by_its_code_and_in_both_languages() -> None:
    for question in QUESTIONS:
        for option in question.options:
            for said in (option.code, option.text.ru, option.text.en):
                assert (said, read_answer(question, said)) == (said, option.values)


def test_replies_ask_the_open_question_in_both_languages() -> None:
    step = walk("серебро")

    assert step.reply.ru.startswith("Записал: серебро. Вопрос 2 из 8. В каком стиле вам уютно?")
    assert step.reply.en.startswith("Noted: silver. Question 2 of 8. Which style feels like you?")
    for messages in (["что-то"], ["назад"], ["пропустить"], ["стоп"], ANSWERS, [*ANSWERS, "да"]):
        reply = walk(*messages).reply
        assert reply.ru
        assert not any("а" <= letter <= "я" for letter in reply.en.lower())


def test_metadata_has_the_documented_keys() -> None:
    step = walk("серебро", "классика", "жемчуг")

    metadata = step.as_metadata("ru")

    assert (metadata["current_question_index"], metadata["total_questions"]) == (3, 8)
    assert metadata["is_complete"] is False
    assert metadata["question"]["id"] == "occasion"
    assert metadata["answers"]["stone"] == [{"kind": "stone", "value": "pearl"}]
    assert walk(*ANSWERS).as_metadata("ru")["question"] is None


def test_a_state_survives_being_stored() -> None:
    for count in range(len(ANSWERS) + 1):
        state = walk(*ANSWERS[:count]).state
        assert TasteState.from_json(state.as_json()) == state


def test_the_open_question_follows_the_index() -> None:
    assert [question_of(TasteState(index=n)) for n in range(8)] == list(QUESTIONS)
    assert question_of(TasteState(index=8)) is None


def test_a_profile_of_no_answers_is_empty_and_says_so() -> None:
    profile = profile_of(TasteState())

    assert profile.confidence == 0
    assert profile.text.ru == "Ваш профиль пока пуст."
    assert profile.wishes.is_empty
