"""`python -m bench <name>`: runs one benchmark; without a name, all of them."""

import importlib
import sys
from pathlib import Path

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def main(arguments: list[str]) -> int:
    """Run what is asked for; the highest of their exit codes."""
    wanted = NAMES if not arguments or arguments[0].startswith("-") else [arguments.pop(0)]
    if unknown := set(wanted) - set(NAMES):
        print(f"There is no benchmark {', '.join(unknown)}. There are: {', '.join(NAMES)}.")
        return 2
    return max(importlib.import_module(f"bench.{name}").main(arguments) for name in wanted)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
