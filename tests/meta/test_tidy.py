from pathlib import Path

import pytest

from scripts import tidy, tidy_reference
from scripts.tidy_tree import Tree, read_tree

ROOT = Path(__file__).parent.parent.parent


def tree_with(root: Path, files: dict[str, str]) -> Tree:
    for file, text in files.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text)
    return Tree(root, tuple(files), tuple(files), ("index.example.net",), ("/home/somebody/potok",))


def sentences(tree: Tree) -> list[str]:
    return [str(fault) for fault in tidy.find_faults(tree, {})]


@pytest.mark.timeout(60)
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="what belongs to the project, git knows")
def test_this_checkout_is_tidy() -> None:
    faults = tidy.find_faults(read_tree(ROOT), tidy.EXCEPTIONS)

    assert [str(fault) for fault in faults] == []


@pytest.mark.parametrize(
    ("file", "text", "rule"),
    [
        ("src/potok/wire/utils.py", "", "names"),
        ("src/potok/wire/sse.py", "class ConnectionManager: ...\n", "names"),
        ("src/potok/wire/sse.py", "def encode(misc: int) -> None: ...\n", "names"),
        (
            "src/potok/wire/sse.py",
            "class A:\n    def __init__(self):\n        self.helper = 1\n",
            "names",
        ),
        ("spec/vectors/many.json", "x" * 500_001, "size"),
        ("src/potok/__pycache__/sse.pyc", "", "generated"),
        ("src/potok/wire/sse.py", "a = 1\n" * 401, "length"),
        ("web/src/core/sse.ts", "a = 1\n" * 401, "length"),
        ("src/potok/wire/sse.py", "async def encode():\n" + "    a = 1\n" * 70, "length"),
        ("src/potok/limits.py", "EVENT_BYTES_MAX = 1\n", "limits"),
        ("src/potok/limits.py", "# The first of four.\nA = 1\nB = 2\nC = 3\nD = 4\n", "limits"),
        ("src/potok/limits.py", "# The first of two.\nA = 1\n\nB = 2\n", "limits"),
        ("src/potok/limits.py", "# wire\nEVENT_BYTES_MAX: int = 1\n", "limits"),
        ("src/potok/errors.py", 'class A(Exception):\n    code = "offset_expired"\n', "docs"),
        (
            "src/potok/errors.py",
            'class A(Exception):\n    code, retryable = "lost", False\n',
            "docs",
        ),
        ("docs/run.md", "Packages come from index.example.net, quickly.\n", "strangers"),
        ("docs/run.md", "Go to `/home/somebody/potok/src`.\n", "strangers"),
        ("requirements.lock", "--index-url somewhere\nrich==1\n", "locks"),
        ("requirements.lock", "rich @ https" + "://somewhere/rich.whl\n", "locks"),
        ("web/package-lock.json", '{"resolved": "https' + '://somewhere/react.tgz"}\n', "locks"),
    ],
)
def test_a_fault_is_found(tmp_path: Path, file: str, text: str, rule: str) -> None:
    found = sentences(tree_with(tmp_path, {file: text}))

    assert len(found) == 1
    assert found[0].endswith(f"[{rule}]")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("src/potok/wire/sse.py", "from contextlib import contextmanager\n"),
        ("src/potok/wire/sse.py", "def add():\n    def route():\n" + "        a = 1\n" * 69),
        (
            "src/potok/limits.py",
            "KiB = 1024\nEVENT_BYTES_MAX = 1 * KiB  # a tool result may be large\n",
        ),
        (
            "src/potok/limits.py",
            "# The shortest wait and the longest.\nTICK_MIN = 1\nTICK_MAX = 2\n",
        ),
        ("web/package-lock.json", '{"name": "react", "integrity": "sha512-x"}\n'),
        ("requirements.lock", "rich==1 \\\n    --hash=sha256:00\n    # via -r x\n"),
    ],
)
def test_what_is_in_order_is_left_alone(tmp_path: Path, file: str, text: str) -> None:
    assert sentences(tree_with(tmp_path, {file: text})) == []


def test_an_error_code_must_stand_alone_in_its_page(tmp_path: Path) -> None:
    code = 'class A(Exception):\n    code = "lost"\n'
    page = "docs/reference/errors.md"

    only_part = sentences(tree_with(tmp_path, {"src/potok/errors.py": code, page: "`log_lost`\n"}))
    named = sentences(tree_with(tmp_path, {"src/potok/errors.py": code, page: "`lost`\n"}))

    assert "does not name lost" in only_part[0]
    assert named == []


def test_an_exception_excuses_only_its_own_fault_and_must_be_needed(tmp_path: Path) -> None:
    tree = tree_with(tmp_path, {"src/potok/utils.py": ""})

    assert tidy.find_faults(tree, {("names", "src/potok/utils.py"): "a reason"}) == []
    assert len(tidy.find_faults(tree, {("length", "src/potok/utils.py"): "a reason"})) == 2


def test_a_page_names_a_path_only_if_it_is_complete() -> None:
    assert tidy_reference.is_named("/api/runs", "`POST /api/runs` starts")
    assert not tidy_reference.is_named("/api/runs", "`POST /api/runs/{id}`")
