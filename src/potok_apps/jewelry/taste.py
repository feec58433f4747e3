"""The taste test as a state machine: what an answer does to it. Pure; `taste_store` keeps it.

An answer that is not understood is asked for once more, then passed over. The index in the state
is the only truth about which question is open.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

from potok_apps.jewelry.bounds import MESSAGE_CHARACTERS_MAX
from potok_apps.jewelry.taste_questions import QUESTIONS, Question, Values, read_answer
from potok_apps.jewelry.texts import Language, Text, joined, listed
from potok_apps.jewelry.vocabulary import label
from potok_apps.jewelry.words import fold

__all__ = [
    "Outcome",
    "Step",
    "TasteState",
    "question_of",
    "start_test",
    "step_test",
]

Outcome = Literal[
    "started",
    "accepted",
    "back",
    "skipped",
    "ask_again",
    "passed_over",
    "paused",
    "restarted",
    "already_complete",
]

_BACK = frozenset(("назад", "вернись", "вернуться", "предыдущий", "back", "previous"))
_SKIP = frozenset(
    listed("пропустить пропусти пропускаю пропустим дальше скип далее следующий skip next")
)
_UNSURE = ("не знаю", "затрудняюсь", "сложно сказать", "не уверен", "i don't know", "not sure")
_PAUSE = frozenset(listed("стоп хватит выйти выход прекрати закончить потом stop quit exit later"))
_AGAIN = ("заново", "сначала", "начать снова", "перезапус", "start over", "restart")
_COMMAND_WORDS_MAX = 4  # a longer message is an answer, even with such a word in it


@dataclass(frozen=True, slots=True, kw_only=True)
class TasteState:
    """Where somebody stands: `answers` has (question id, values) for what was answered so far."""

    index: int = 0
    answers: tuple[tuple[str, Values], ...] = ()
    is_asked_again: bool = False
    is_paused: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether every question was answered or passed."""
        return self.index >= len(QUESTIONS)

    @property
    def is_open(self) -> bool:
        """Whether a next message is likely to be an answer."""
        return not self.is_complete and not self.is_paused

    def as_json(self) -> dict[str, Any]:
        """Return the state as it is stored."""
        return {
            "index": self.index,
            "answers": [[one, [list(pair) for pair in values]] for one, values in self.answers],
            "is_asked_again": self.is_asked_again,
            "is_paused": self.is_paused,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "TasteState":
        """Return a state that was stored."""
        return cls(
            index=stored["index"],
            answers=tuple(
                (one, tuple((kind, value) for kind, value in values))
                for one, values in stored["answers"]
            ),
            is_asked_again=stored["is_asked_again"],
            is_paused=stored["is_paused"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one message did; `heard` is what was understood of it."""

    outcome: Outcome
    state: TasteState
    heard: Values = ()

    @property
    def reply(self) -> Text:
        """What to say: what was heard, then the open question with its options."""
        parts = [_remark(self)]
        question = question_of(self.state)
        if question is not None and self.outcome != "paused":
            parts.append(_asked(self.state.index, question))
        return joined((part for part in parts if part.ru), " ")

    def as_metadata(self, language: Language) -> dict[str, Any]:
        """Return the documented keys of the taste agent, without profile and products."""
        question = question_of(self.state)
        return {
            "current_question_index": self.state.index,
            "total_questions": len(QUESTIONS),
            "question": question.as_metadata(language) if question is not None else None,
            "is_complete": self.state.is_complete,
            "outcome": self.outcome,
            "answers": {
                one: [{"kind": kind, "value": value} for kind, value in values]
                for one, values in self.state.answers
            },
        }


def question_of(state: TasteState) -> Question | None:
    """Return the open question, None when the test is complete."""
    return None if state.is_complete else QUESTIONS[state.index]


def start_test() -> Step:
    """Return the first step of a new test."""
    return Step(outcome="started", state=TasteState())


def step_test(state: TasteState, message: str) -> Step:
    """Return what a message does to a test."""
    message = message[:MESSAGE_CHARACTERS_MAX]
    words = fold(message).replace(",", " ").replace(".", " ").replace("!", " ").split()
    is_short = len(words) <= _COMMAND_WORDS_MAX
    folded = " ".join(words)
    if is_short and any(one in folded for one in _AGAIN):
        return Step(outcome="restarted", state=TasteState())
    if is_short and _BACK & set(words):
        return _back(state)
    question = question_of(state)
    if question is None:
        return Step(outcome="already_complete", state=state)
    state = replace(state, is_paused=False)
    if is_short and _SKIP & set(words):
        return Step(outcome="skipped", state=_moved(state, None))
    if is_short and _PAUSE & set(words):
        return Step(outcome="paused", state=replace(state, is_paused=True))
    values = read_answer(question, message)
    if values is not None:
        return Step(outcome="accepted", state=_moved(state, values), heard=values)
    if any(one in folded for one in _UNSURE):
        return Step(outcome="skipped", state=_moved(state, None))
    if not state.is_asked_again:
        return Step(outcome="ask_again", state=replace(state, is_asked_again=True))
    return Step(outcome="passed_over", state=_moved(state, None))


def _back(state: TasteState) -> Step:
    index = max(0, min(state.index, len(QUESTIONS)) - 1)
    reopened = QUESTIONS[index].id
    answers = tuple(one for one in state.answers if one[0] != reopened)
    return Step(outcome="back", state=TasteState(index=index, answers=answers))


def _moved(state: TasteState, values: Values | None) -> TasteState:
    question = QUESTIONS[state.index]
    answers = tuple(one for one in state.answers if one[0] != question.id)
    if values is not None:
        answers = (*answers, (question.id, values))
    return TasteState(index=state.index + 1, answers=answers)


def _asked(index: int, question: Question) -> Text:
    head = Text(
        f"Вопрос {index + 1} из {len(QUESTIONS)}. ", f"Question {index + 1} of {len(QUESTIONS)}. "
    )
    options = joined(option.text for option in question.options)
    tail = Text(f" Варианты: {options.ru}.", f" Options: {options.en}.")
    if not question.options:
        tail = Text("", "")
    return Text(head.ru + question.text.ru + tail.ru, head.en + question.text.en + tail.en)


def _remark(step: Step) -> Text:
    match step.outcome:
        case "accepted":
            heard = joined(_heard(kind, value) for kind, value in step.heard)
            if not step.heard:
                heard = Text("подойдёт любое", "anything will do")
            done = _done() if step.state.is_complete else Text("", "")
            return Text(f"Записал: {heard.ru}.{done.ru}", f"Noted: {heard.en}.{done.en}")
        case "started":
            return Text(
                "Восемь коротких вопросов, и вкус станет понятнее. Можно отвечать своими словами,"
                " говорить «назад» и «пропустить».",
                "Eight short questions, and your taste will be clearer. Answer in your own words;"
                " “back” and “skip” work, too.",
            )
        case "back":
            return Text("Вернулись на шаг.", "One step back.")
        case "skipped" | "passed_over":
            done = _done() if step.state.is_complete else Text("", "")
            return Text(f"Пропускаем.{done.ru}", f"Skipped.{done.en}")
        case "ask_again":
            return Text(
                "Не понял ответ, попробуйте ещё раз: назовите вариант или скажите «пропустить».",
                "I did not understand; try again: name an option or say “skip”.",
            )
        case "paused":
            return Text(
                "Хорошо, остановимся здесь. Ответы сохранены, продолжим, когда захотите.",
                "All right, let us stop here. Your answers are kept; go on whenever you like.",
            )
        case "restarted":
            return Text("Начинаем заново.", "Starting over.")
        case "already_complete":
            return Text(
                "Тест уже пройден. Скажите «заново», чтобы ответить ещё раз, или «назад».",
                "The test is done. Say “start over” to answer again, or “back”.",
            )


def _done() -> Text:
    return Text(
        " Это был последний вопрос: профиль готов.",
        " That was the last question: your profile is ready.",
    )


_OTHER_NAMES = {
    ("scale", "small"): Text("едва заметное", "barely visible"),
    ("scale", "medium"): Text("умеренное", "moderate"),
    ("scale", "bold"): Text("крупное", "bold"),
}


def _heard(kind: str, value: str) -> Text:
    match kind:
        case "budget_min":
            return Text(f"от {value} ₽", f"from {value} ₽")
        case "budget_max":
            return Text(f"до {value} ₽", f"up to {value} ₽")
        case "birthday":
            day = ".".join(reversed(value.split("-")))
            return Text(day, value)
        case _:
            return _OTHER_NAMES.get((kind, value)) or label(kind, value)
