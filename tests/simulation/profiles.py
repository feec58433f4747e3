"""How long simulations look: a little at every change, and much where there is time."""

from hypothesis import HealthCheck, Phase, settings

__all__ = ["long_look", "short_look"]

_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)


def short_look(examples: int, *, steps: int = 25) -> settings:
    """The same examples at every run: what is red was made red by the change.

    A failure is shown as it was found: making it smaller would take longer than a test may.
    """
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=True,
        print_blob=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=_SLOW,
    )


def long_look(examples: int, *, steps: int = 40) -> settings:
    """New examples at every run; a failure says how to have it again."""
    return settings(
        short_look(examples, steps=steps),
        derandomize=False,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )
