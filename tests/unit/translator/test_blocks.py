"""A text is cut so that nothing of it is lost, and no code is given to a model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potok_apps.translator.blocks import cut_blocks

LINES = st.sampled_from(
    ["", "  ", "# Title", "Some *words* here.", "```python", "```", "~~~~", "print(1)", "> quote"]
)


@given(lines=st.lists(LINES, max_size=30), limit=st.integers(10, 80), crlf=st.booleans())
def test_the_blocks_are_the_text(lines: list[str], limit: int, crlf: bool) -> None:
    text = ("\r\n" if crlf else "\n").join(lines)

    blocks = cut_blocks(text, characters_max=limit)

    assert "".join(block.before + block.text for block in blocks) == text


@given(lines=st.lists(LINES, max_size=30))
def test_what_a_model_gets_has_no_blank_edges(lines: list[str]) -> None:
    blocks = cut_blocks("\n".join(lines))

    assert all(
        block.text == block.text.strip() and block.text for block in blocks if not block.is_code
    )


@pytest.mark.parametrize("fence", ["```", "~~~", "````"])
def test_fenced_code_is_no_models_business(fence: str) -> None:
    text = f"Before.\n\n{fence}python\nprint('Hello')\n\n# no title\n{fence}\nAfter."

    code = [block.text for block in cut_blocks(text) if block.is_code and block.text.strip()]

    assert code == [f"{fence}python\nprint('Hello')\n\n# no title\n{fence}\n"]


def test_paragraphs_go_together_while_they_fit() -> None:
    text = "\n\n".join(["word " * 9 + "end."] * 4)

    blocks = [block for block in cut_blocks(text, characters_max=110) if not block.is_code]

    assert [block.text.count("end.") for block in blocks] == [2, 2]
