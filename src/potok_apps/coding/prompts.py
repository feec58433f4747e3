"""What the planner, the coder and the critic are told."""

from typing import Any

__all__ = ["CRITIQUE", "PLAN", "answering", "chatting", "coding", "planning", "reviewing"]

Messages = list[dict[str, Any]]

PLAN: dict[str, Any] = {
    "type": "json_schema",
    "json_schema": {
        "name": "plan",
        "strict": True,
        "schema": {
            "type": "object",
            "required": ["steps"],
            "additionalProperties": False,
            "properties": {
                "steps": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": 7,
                    "items": {"type": "string", "description": "One step of the plan."},
                }
            },
        },
    },
}
CRITIQUE: dict[str, Any] = {
    "type": "json_schema",
    "json_schema": {
        "name": "critique",
        "strict": True,
        "schema": {
            "type": "object",
            "required": ["verdict", "issues"],
            "additionalProperties": False,
            "properties": {
                "verdict": {"type": "string", "enum": ["ok", "fix"]},
                "issues": {
                    "type": "array",
                    "maxItems": 7,
                    "items": {"type": "string", "description": "One thing to mend."},
                },
            },
        },
    },
}

_LANGUAGE = {"ru": "Answer in Russian.", "en": "Answer in English."}


def chatting(message: str, history: Messages) -> Messages:
    """Return the messages of a chat: as they are."""
    return [*history, {"role": "user", "content": message}]


def planning(message: str, history: Messages, language: str) -> Messages:
    """Return the messages that ask for a plan."""
    task = (
        "You plan a programming task for a coder. Give a few short steps, as JSON. "
        f"{_LANGUAGE[language]}"
    )
    return [
        {"role": "system", "content": task},
        *history,
        {"role": "user", "content": message},
    ]


def coding(
    message: str,
    history: Messages,
    language: str,
    *,
    steps: list[str],
    before: str,
    issues: list[str],
    facts: str = "",
) -> Messages:
    """Return the messages that ask for code; `before` and `issues` are of the last round."""
    task = (
        "You are a coder. Write whole files, each in a fenced block whose first line names its"
        " language and its path, as ```python path/to/file.py. No prose outside of the blocks."
        f" Comments: {_LANGUAGE[language]}"
    )
    plan = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, start=1))
    asked = f"{message}\n\nPlan:\n{plan}"
    if issues:
        listed = "\n".join(f"- {issue}" for issue in issues)
        asked += f"\n\nThe code so far:\n{before}\n\nMend this:\n{listed}"
    return [
        {"role": "system", "content": task + facts},
        *history,
        {"role": "user", "content": asked},
    ]


def reviewing(message: str, code: str, language: str) -> Messages:
    """Return the messages that ask for a verdict on code."""
    task = (
        "You review code that was written for a task. Say as JSON whether it can stay (ok) or what"
        f" must be mended (fix). Mend only real faults. {_LANGUAGE[language]}"
    )
    return [
        {"role": "system", "content": task},
        {"role": "user", "content": f"Task:\n{message}\n\nCode:\n{code}"},
    ]


def answering(
    message: str, code: str, language: str, *, issues: list[str], facts: str = ""
) -> Messages:
    """Return the messages that ask for the final answer on code."""
    task = (
        "You are the reviewer of code that was written for a task. Tell the person briefly what was"
        " made, how to use it and what is left to mend. Do not repeat the code."
        f" {_LANGUAGE[language]}"
    )
    left = "\n".join(f"- {issue}" for issue in issues)
    asked = f"Task:\n{message}\n\nCode:\n{code}" + (f"\n\nLeft to mend:\n{left}" if left else "")
    return [{"role": "system", "content": task + facts}, {"role": "user", "content": asked}]
