"""Checks what a machine can check of how this project is kept, and prints a line for each fault.

`python -m scripts.tidy` looks at the files that git would take. What good code is, people say.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from scripts.tidy_reference import find_undocumented
from scripts.tidy_tree import FILE_BYTES_MAX, Fault, Tree, read_tree

SOURCE_LINES_MAX = 400  # a longer file holds two ideas
TEST_LINES_MAX = 600  # tests are lists of cases: long, but flat
FUNCTION_LINES_MAX = 70  # a longer function does not fit on a screen
REASON_WORDS_MIN = 3  # fewer is a heading
SHARED_REASON_MAX = 3  # constants in a row under one comment; more would hide one without
BANNED_WORDS = {"util", "utils", "helper", "helpers", "manager", "managers", "misc"}
GENERATED = (
    *("*.pyc", "*.so", "*.egg-info/*", "*.sqlite3*", "*.log", "*.tsbuildinfo", "*.whl", "*.orig"),
    *(
        "*__pycache__/*",
        "*node_modules/*",
        "*.venv/*",
        ".coverage*",
        "*.DS_Store",
        "dist/*",
        "build/*",
        "*_cache/*",
    ),
)
SOURCES = (".py", ".ts", ".tsx")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

# (rule, file) -> why it may stay. One that nothing needs any more is a fault: the list shrinks.
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("length", "src/potok/errors.py"): "all errors stand in one tree, to be seen at once",
    ("length", "src/potok/limits.py"): "all bounds stand in one place, each with its reason",
}


def is_test(file: str) -> bool:
    """Whether a file holds tests: our own, or the suites that users run."""
    return file.startswith(("tests/", "src/potok/testing/")) or ".test." in file


def find_names(tree: Tree) -> Iterator[Fault]:
    """Names that say nothing, in files and in what Python code defines."""
    for file in tree.files:
        if file.endswith(SOURCES):
            for word in words_of(file.rsplit(".", 1)[0]) & BANNED_WORDS:
                yield Fault("names", file, f"the file name says '{word}'; say what is in it")
    for file, module in tree.modules.items():
        for node in ast.walk(module):
            for word in words_of(defined_name(node)) & BANNED_WORDS:
                line: int = getattr(node, "lineno", 0)
                yield Fault(
                    "names", file, f"'{defined_name(node)}' says '{word}'; say what it does", line
                )


def words_of(name: str) -> set[str]:
    """The small-letter words of a snake_case, CamelCase or path name."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def defined_name(node: ast.AST) -> str:
    """The name that a node brings into the world, or an empty one."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case (
            ast.arg(arg=name)
            | ast.Name(id=name, ctx=ast.Store())
            | ast.Attribute(attr=name, ctx=ast.Store())
        ):
            return name
        case _:
            return ""


def find_sizes(tree: Tree) -> Iterator[Fault]:
    """Files too large for git, generated files, long sources and long functions."""
    for file in tree.files:
        if (tree.root / file).stat().st_size > FILE_BYTES_MAX:
            yield Fault(
                "size", file, f"is over {FILE_BYTES_MAX // 1000} KB; generate it when it is needed"
            )
    for file in tree.tracked:
        if any(fnmatch(file, pattern) for pattern in GENERATED):
            yield Fault(
                "generated", file, "is generated; remove it from git and name it in .gitignore"
            )
    for file, text in tree.texts.items():
        lines = text.count("\n")
        lines_max = TEST_LINES_MAX if is_test(file) else SOURCE_LINES_MAX
        if file.endswith(SOURCES) and lines > lines_max:
            yield Fault("length", file, f"has {lines} lines, {lines_max} at most; split it by idea")
    for file, module in tree.modules.items():
        for node in ast.walk(module):
            if isinstance(node, FUNCTIONS) and (lines := own_lines(node)) > FUNCTION_LINES_MAX:
                sentence = f"{node.name} has {lines} lines, {FUNCTION_LINES_MAX} at most"
                yield Fault("length", file, sentence, node.lineno)


def own_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function, without those of the functions defined in its body."""
    inner = [node for node in function.body if isinstance(node, FUNCTIONS)]
    lines = [(node.end_lineno or node.lineno) - node.lineno + 1 for node in (function, *inner)]
    return lines[0] - sum(lines[1:])


def find_limits(tree: Tree, file: str = "src/potok/limits.py") -> Iterator[Fault]:
    """Constants of limits.py that give no reason, beside them or in the line above."""
    if file not in tree.modules:
        return
    tokens = tokenize.generate_tokens(io.StringIO(tree.texts[file]).readline)
    comments = {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}
    shared = {0: 0}  # last line of an explained constant -> how many share its reason
    for node in tree.modules[file].body:
        name = defined_name(node.targets[0]) if isinstance(node, ast.Assign) else ""
        name = defined_name(node.target) if isinstance(node, ast.AnnAssign) else name
        if not name.isupper():
            continue
        end = node.end_lineno or node.lineno
        beside = [comments.get(line, "") for line in range(node.lineno - 1, end + 1)]
        if any(len(comment.split()) > REASON_WORDS_MIN for comment in beside):
            shared[end] = 1
        elif 0 < (before := shared.get(node.lineno - 1, 0)) < SHARED_REASON_MAX:
            shared[end] = before + 1
        else:
            yield Fault("limits", file, f"{name} has no comment with its reason", node.lineno)


def find_strangers(tree: Tree) -> Iterator[Fault]:
    """This machine's folders and package hosts, and lock files that say where things come from."""
    for file, text in tree.texts.items():
        for word in (*tree.hosts, *tree.places):
            found = re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-])", text)
            if found:
                line = text.count("\n", 0, found.start()) + 1
                yield Fault(
                    "strangers", file, f"names {word}, which is true of one machine only", line
                )
        name = file.rsplit("/", 1)[-1]
        is_pinned = fnmatch(name, "requirements*") or name in {
            "uv.lock",
            "yarn.lock",
            "pnpm-lock.yaml",
        }
        if is_pinned and re.search(
            r"^ *-(i|f|-index-url|-extra-index-url|-find-links)\b|://", text, re.MULTILINE
        ):
            yield Fault(
                "locks", file, "names the place its packages come from; write it with scripts/lock"
            )
        if name == "package-lock.json" and re.search(r'"resolved": *"\w+://', text):
            yield Fault(
                "locks",
                file,
                "has resolved addresses; install with omit-lockfile-registry-resolved",
            )


CHECKS = (find_names, find_sizes, find_limits, find_undocumented, find_strangers)


def find_faults(tree: Tree, exceptions: dict[tuple[str, str], str]) -> list[Fault]:
    """All faults of a tree that no exception excuses, and the exceptions that excuse nothing."""
    faults = [fault for check in CHECKS for fault in check(tree)]
    used = {(fault.rule, fault.file) for fault in faults} & exceptions.keys()
    kept = [fault for fault in faults if (fault.rule, fault.file) not in exceptions]
    for rule, file in exceptions.keys() - used:
        kept.append(
            Fault(rule, file, "is excused in scripts/tidy.py and needs it no more; remove the line")
        )
    return sorted(kept, key=lambda fault: (fault.file, fault.line, fault.sentence))


def main() -> int:
    """Print the faults of this checkout; 1 if there are any."""
    root = Path(__file__).resolve().parent.parent
    sys.path.insert(0, str(root / "src"))
    if not (root / ".git").exists():
        print("tidy: this is no git checkout, there is nothing to compare with")
        return 0
    tree = read_tree(root)
    faults = find_faults(tree, EXCEPTIONS)
    for fault in faults:
        print(fault)
    print(f"tidy: {len(tree.files)} files, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
