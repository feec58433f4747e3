"""Answers out of the prompt itself."""

import pytest

from tests.unit.models.demo.asking import answer, plan

SHOP = (
    "s:You are the assistant of a shop.\nFacts:\n- The shop opens at 9:00 and closes at 21:00.\n"
    "- Delivery costs 300 roubles.\nThe owner is called Maria Petrova."
)
ABOUT_ANNA = "u:My name is Anna. I am 30 years old. I work as a nurse in Omsk."
ABOUT_ANNA_RU = "u:Меня зовут Анна. Мне 30 лет. Я работаю медсестрой в Омске."


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("When does the shop open?", "The shop opens at 9:00 and closes at 21:00."),
        ("what are your opening hours?", "The shop opens at 9:00 and closes at 21:00."),
        ("How much does delivery cost?", "Delivery costs 300 roubles."),
        ("Who is the owner?", "The owner is called Maria Petrova."),
    ],
)
def test_a_fact_of_the_instructions_is_quoted(question: str, fact: str) -> None:
    assert answer(SHOP, f"u:{question}") == f"The information that I was given says: “{fact}”"


def test_a_fact_in_russian_is_quoted() -> None:
    facts = "s:Магазин работает с 9 до 21. Доставка стоит 300 рублей."

    assert answer(facts, "u:Сколько стоит доставка?") == (
        "В сведениях, которые мне дали, сказано: «Доставка стоит 300 рублей»."
    )


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("What is my name?", "Your name is Anna. You told me so earlier in this chat."),
        ("How old am I?", "You are 30 years old. You told me so earlier in this chat."),
        ("Where do I work?", "You work as a nurse in Omsk. You told me so earlier in this chat."),
    ],
)
def test_what_people_said_of_themselves_is_said_back(question: str, said: str) -> None:
    assert answer(ABOUT_ANNA, "a:Noted.", f"u:{question}") == said


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Как меня зовут?", "Вас зовут Анна."),
        ("Сколько мне лет?", "Вам 30 лет."),
        ("Где я работаю?", "Вы работаете медсестрой в Омске."),
    ],
)
def test_what_people_said_of_themselves_is_said_back_in_russian(question: str, said: str) -> None:
    assert answer(ABOUT_ANNA_RU, "a:Ясно.", f"u:{question}") == (
        f"{said} Вы сами сказали об этом раньше в этом разговоре."
    )


def test_the_newer_of_two_names_counts() -> None:
    said = answer("u:My name is Anna.", "a:Ok.", "u:Call me Maria.", "a:Ok.", "u:What is my name?")

    assert said.startswith("Your name is Maria.")


def test_the_newer_of_two_answers_about_the_asker_counts() -> None:
    said = answer(
        "u:My city is Omsk.", "a:Ok.", "u:My city is Perm.", "a:Ok.", "u:What is my city?"
    )

    assert said == "Your city is Perm. You told me so earlier in this chat."


def test_a_fact_in_the_same_message_is_found() -> None:
    assert answer("My dog's name is Rex. What is my dog's name?") == (
        "Your dog's name is Rex: your message says so."
    )


def test_a_pasted_text_is_searched() -> None:
    said = answer(
        "Read this: The Volga is a river. It flows into the Caspian Sea. Moscow is a city.\n\n"
        "Which sea does it flow into?"
    )

    assert said == "Your message says: “It flows into the Caspian Sea.”"


def test_a_weak_match_is_called_one() -> None:
    said = answer("s:Returns are accepted within 14 days.", "u:Can I return a ring after 10 days?")

    assert said.startswith("I am not sure that this answers the question")
    assert "within 14 days" in said


@pytest.mark.parametrize(
    "question", ["How does photosynthesis work?", "Do you sell watches?", "Who was the first king?"]
)
def test_a_chance_word_is_no_answer(question: str) -> None:
    assert plan(SHOP, ABOUT_ANNA, "a:Ok.", f"u:{question}").rule == "unknown"


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("What is my name?", "You have not told me that in this chat"),
        ("What is my favourite colour?", "You have not told me that in this chat"),
        ("Как меня зовут?", "В этом разговоре вы мне этого не говорили"),
        ("Сколько мне лет?", "В этом разговоре вы мне этого не говорили"),
    ],
)
def test_what_was_never_told_is_not_known(question: str, said: str) -> None:
    assert answer(question).startswith(said)


def test_several_close_sentences_are_listed() -> None:
    said = answer("s:Anna sells rings. Boris sells rings. Clara buys.", "u:Who sells rings?")

    assert said.split("\n")[1:] == ["- Anna sells rings.", "- Boris sells rings."]


def test_a_summary_quotes_sentences_in_their_order() -> None:
    text = (
        "Summarize: The Volga is the longest river in Europe. It flows into the Caspian Sea."
        " The basin of the Volga is wide. Ships go there. The river Volga freezes in winter."
    )

    lines = answer(text).split("\n")

    assert lines[1:] == [
        "- The Volga is the longest river in Europe.",
        "- The basin of the Volga is wide.",
        "- The river Volga freezes in winter.",
    ]


def test_a_summary_leaves_questions_out() -> None:
    said = answer("u:A day. Is it? A night. The end.", "a:Hm.", "u:Summarize this")

    assert "Is it?" not in said
    assert said.endswith("\n- A day.\n- A night.\n- The end.")


def test_a_request_above_a_text_is_no_heading() -> None:
    assert answer("Кратко перескажи текст:\nОдин день. Другой день.").endswith(
        "\n- Один день.\n- Другой день."
    )


def test_without_a_text_there_is_no_summary() -> None:
    assert answer("Summarize the text") == (
        "I see no text to summarise. Paste it into the chat and ask again."
    )
