"""Files are found in what a coder writes, also in what was cut off."""

import pytest

from potok_apps.coding.files import find_files

TWO = """Here it is.

```python src/count.py
def count(text):
    return len(text.split())
```

~~~js
// web/main.js
count("a b")
~~~
"""


def test_files_have_the_paths_that_their_blocks_name() -> None:
    files = find_files(TWO)

    assert [(file.path, file.language) for file in files] == [
        ("src/count.py", "python"),
        ("web/main.js", "js"),
    ]
    assert files[0].content == "def count(text):\n    return len(text.split())\n"


@pytest.mark.parametrize(
    ("block", "path"),
    [
        ("```python\nx = 1\n```", "file1.py"),
        ("```\nx\n```", "file1.txt"),
        ("```python path=a/b.py\nx = 1\n```", "a/b.py"),
        ('```ts title="a.ts"\nx\n```', "a.ts"),
        ("```python\n# file: a.py\nx = 1\n```", "a.py"),
    ],
)
def test_a_path_may_stand_in_many_ways_or_is_made_up(block: str, path: str) -> None:
    assert [file.path for file in find_files(block)] == [path]


def test_a_later_file_takes_the_place_of_an_earlier_one_of_its_path() -> None:
    files = find_files("```python a.py\nold\n```\n```python a.py\nnew\n```\n")

    assert [file.content for file in files] == ["new\n"]


@pytest.mark.parametrize("cut", range(len(TWO) + 1))
def test_what_is_cut_off_anywhere_is_still_read(cut: int) -> None:
    files = find_files(TWO[:cut])

    assert all(file.content.strip() and file.path for file in files)


def test_an_inner_fence_does_not_end_a_longer_one() -> None:
    files = find_files("````md a.md\n```python\nx\n```\n````\n")

    assert files[0].content == "```python\nx\n```\n"
