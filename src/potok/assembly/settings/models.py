"""`[models."<name>"]`: what becomes of a model's answers when its provider fails."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from potok.agents.sources import ModelRules
from potok.assembly.settings.problems import describe_table
from potok.limits import FALLBACKS_MAX, NAME_CHARACTERS_MAX

__all__ = ["ModelTable", "read_models"]

_Name = Annotated[str, StringConstraints(min_length=1, max_length=NAME_CHARACTERS_MAX)]


class ModelTable(BaseModel):
    """One `[models."<name>"]`; the name is the one that requests use, or a full one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fallback: tuple[_Name, ...] = Field(
        default=(),
        max_length=FALLBACKS_MAX,
        description=f"a list of names of other models, at most {FALLBACKS_MAX}",
    )
    policy: Literal["continue", "restart", "fail"] = Field(
        default="continue", description="continue, restart or fail"
    )
    continues: Literal["prefill", "prompt", "no"] | None = Field(
        default=None, description="prefill, prompt or no"
    )
    prefill: Literal["message", "prefix", "final"] | None = Field(
        default=None, description="message, prefix or final"
    )
    structured: Literal["schema", "object", "no"] | None = Field(
        default=None, description="schema, object or no"
    )


def read_models(
    tables: Mapping[str, Any],
    aliases: Mapping[str, str],
    *,
    file: str,
    problems: list[str],
) -> Mapping[str, ModelRules]:
    """Return the rules of models by name; faults go to `problems`.

    What is set for an alias holds for its model, too, unless that has a table of its own: a run
    that goes on after a restart knows its model's own name only.
    """
    found: dict[str, ModelRules] = {}
    content = tables.get("models", {})
    for name, keys in content.items() if isinstance(content, dict) else ():
        place = f'models."{name}"'
        if not isinstance(keys, dict):
            problems.append(f"{place} in {file} must be a table. Write [{place}].")
            continue
        try:
            table = ModelTable.model_validate(keys)
        except ValidationError as error:
            problems.extend(describe_table(error, ModelTable, table=place, file=file))
            continue
        if name in table.fallback:
            problems.append(
                f"fallback in [{place}] of {file} names the model itself. Name other models."
            )
        found[name] = ModelRules(
            fallback=table.fallback,
            policy=table.policy,
            continues=table.continues,
            prefill=table.prefill,
            structured=table.structured,
        )
    own = {aliases[name]: rules for name, rules in found.items() if name in aliases}
    return {**own, **found}
