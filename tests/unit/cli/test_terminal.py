import io

import pytest

from potok.cli.terminal import Terminal


class Screen(io.StringIO):
    """An output that a person looks at."""

    def isatty(self) -> bool:
        return True


def test_dimmed_words_are_dimmed_on_a_screen_and_plain_in_a_file() -> None:
    screen, file = Screen(), io.StringIO()

    for out in (screen, file):
        terminal = Terminal(out)
        terminal.write("thought", dim=True)
        terminal.write("text")

    assert screen.getvalue() == "\x1b[2mthought\x1b[22mtext"
    assert file.getvalue() == "thoughttext"


def test_a_plain_screen_has_no_styles() -> None:
    screen = Screen()

    Terminal(screen, is_plain=True).line("note", dim=True)

    assert screen.getvalue() == "note\n"


@pytest.mark.parametrize("trick", ["\x1b[2J", "\x1b]0;title\x07", "a\rb", "\x9b31m", "\x08"])
def test_a_model_cannot_steer_the_screen(trick: str) -> None:
    screen = Screen()

    Terminal(screen).write(trick)

    assert not set(screen.getvalue()) & set("\x1b\x07\r\x9b\x08")


def test_a_file_gets_every_character() -> None:
    file = io.StringIO()

    Terminal(file).write("a\x1b[2Jb\r\n")

    assert file.getvalue() == "a\x1b[2Jb\r\n"


def test_a_line_of_its_own_begins_below_what_stands_there() -> None:
    file = io.StringIO()
    terminal = Terminal(file)

    terminal.write("half")
    terminal.line("note")
    terminal.line("next")

    assert file.getvalue() == "half\nnote\nnext\n"


def test_no_style_is_left_behind() -> None:
    screen = Screen()
    terminal = Terminal(screen)

    terminal.write("thought", dim=True)
    terminal.reset()
    terminal.reset()

    assert screen.getvalue() == "\x1b[2mthought\x1b[22m"
