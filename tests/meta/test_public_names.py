import importlib
import pkgutil

import pytest

import potok


def module_names() -> list[str]:
    found = pkgutil.walk_packages(potok.__path__, "potok.")
    # Importing __main__ would run the command line.
    return ["potok", *(module.name for module in found if not module.name.endswith("__main__"))]


@pytest.mark.parametrize("name", module_names())
def test_every_public_name_is_defined_once(name: str) -> None:
    module = importlib.import_module(name)
    public: list[str] = getattr(module, "__all__", [])

    assert [missing for missing in public if not hasattr(module, missing)] == []
    assert len(public) == len(set(public))


def test_the_walk_reaches_the_rooms() -> None:
    assert {"potok.events", "potok.wire", "potok.server"} <= set(module_names())
