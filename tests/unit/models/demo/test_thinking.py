"""The thinking says what was really done."""

from tests.unit.models.demo.asking import thought


def test_there_is_no_thinking_unless_it_is_asked_for() -> None:
    assert thought("How do I cancel a run?") == ""


def test_it_names_the_words_and_the_passages_that_it_looked_at() -> None:
    said = thought("How do I cancel a run?", reasoning_effort="high")

    assert "“How do I cancel a run?”" in said
    assert "cancel, run" in said
    assert "“How to cancel or stop a run” (" in said
    assert said.endswith("The documentation fits, so I quote its first match.")


def test_it_names_the_sentence_of_the_prompt_that_came_closest() -> None:
    said = thought("s:The shop opens at 9.", "u:When does the shop open?", reasoning_effort="low")

    assert "I look at 1 sentence;" in said
    assert "(it matches 100% of the question) is “The shop opens at 9.”" in said


def test_it_says_how_little_matched() -> None:
    said = thought("s:The shop is blue.", "u:Is the shop cheap?", reasoning_effort="low")

    assert "(it matches 50% of the question)" in said


def test_it_admits_that_nothing_fits() -> None:
    said = thought("What is the capital of France?", reasoning_effort="low")

    assert "none of them fits" in said
    assert said.endswith("so I say that I do not know.")


def test_it_thinks_in_russian() -> None:
    facts = "s:Магазин открыт. Доставка стоит 300 рублей."

    said = thought(facts, "u:Подумай: сколько стоит доставка?")

    assert "«Подумай: сколько стоит доставка?»" in said
    assert "2 предложения; ближе всего (совпало 100% вопроса): «Доставка стоит 300 рублей»." in said


def test_it_knows_when_there_is_nothing_to_look_up() -> None:
    assert thought("2+2", reasoning_effort="high") == (
        "The question is “2+2”. I follow fixed rules; my thinking is the list of checks that I"
        " made. It is nothing but a sum; I calculate it exactly, in fractions."
    )


def test_without_a_question_there_is_no_thought() -> None:
    assert thought(reasoning_effort="high") == "There is no question to think about."
