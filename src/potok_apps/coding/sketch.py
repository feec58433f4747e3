"""What the coding agent says with the demo model, which can write no code: a frame, honestly so."""

import json

__all__ = ["answer_facts", "code_facts", "plan_for"]


def plan_for(message: str, language: str) -> list[str]:
    """Return the steps of any task."""
    if language == "ru":
        return ["Понять задачу и её входные данные", "Написать функцию", "Показать пример вызова"]
    return ["Understand the task and its input", "Write the function", "Show how it is called"]


def code_facts(message: str, language: str, *, attempt: int) -> str:
    """Return a file that has the task in it, in the form that the demo model tells."""
    title = " ".join(message.split())[:160].replace('"""', "'''").replace("</facts>", "")
    todo, note = {
        "ru": (
            "демо-модель не пишет код: подключите настоящую модель",
            "Пример вызова.",
        ),
        "en": ("the demo model writes no code: connect a real one", "How it is called."),
    }[language]
    check = "    if text is None:\n        raise ValueError('text')\n" if attempt > 1 else ""
    return (
        f"\n<facts>\n```python solution.py\n{json.dumps(title, ensure_ascii=False)}\n\n\n"
        f"def solve(text: str) -> str:\n{check}"
        f"    raise NotImplementedError({todo!r})\n\n\n"
        f"if __name__ == '__main__':\n    # {note}\n    print(solve('...'))\n```\n</facts>"
    )


def answer_facts(language: str) -> str:
    """Return what there is to say of that file."""
    told = {
        "ru": (
            "Готова заготовка `solution.py`: в ней есть ваша задача, функция `solve` и пример"
            " вызова. Сам код должна написать настоящая модель: демо-модель только показывает,"
            " как идут этапы. Задайте `OPENAI_API_KEY` или запустите Ollama, и ответ станет"
            " настоящим. Код не выполнялся."
        ),
        "en": (
            "A frame is ready, `solution.py`: it has your task, a function `solve` and a call of"
            " it. The code itself needs a real model: the demo model only shows how the stages go."
            " Set `OPENAI_API_KEY` or start Ollama, and the answer becomes a real one. The code was"
            " not executed."
        ),
    }[language]
    return f"\n<facts>\n{told}\n</facts>"
