"""The command on terminals: colours, widths, names of terminals, the live line, and Ctrl-C."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from heaplaw import native
from heaplaw.console import Output
from heaplaw.terminal.live import Line, Quiet

from .conftest import Terminal, plain

CHECK = ("check", "mutant:size-33", "--seed", "1", "-n", "600", "--seconds", "0.1")
needs_mutants = pytest.mark.skipif(native.find(native.MUTANTS) is None, reason="the mutants' library is not built here")


@needs_mutants
def test_a_terminal_of_60_columns(terminal: Terminal) -> None:
    shown = terminal(*CHECK, columns=60, errors=False)
    assert shown.code() == 1
    text = shown.until(None)
    assert "\x1b[" in text
    lines = plain(text).splitlines()
    assert not [
        line for line in lines if len(line) > 60 and not line.startswith(("    again ", "    why ", "SUMMARY: "))
    ]
    assert "HL103 blocks_disjoint VIOLATED: " in plain(text)
    assert "\r" not in text


@needs_mutants
@pytest.mark.parametrize("said", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_who_wants_no_colours_gets_none(terminal: Terminal, said: dict[str, str]) -> None:
    shown = terminal(*CHECK, columns=120, errors="TERM" in said, **said)
    assert shown.code() == 1
    text = shown.until(None)
    assert "\x1b" not in text
    assert "\r" not in text
    assert max(map(len, text.splitlines()[:-2])) > 80  # the terminal's width all the same


@needs_mutants
def test_ctrl_c_on_a_terminal_ends_the_live_line_too(terminal: Terminal) -> None:
    at_once = "import heaplaw.terminal.live as live; live.DELAY = 0"
    shown = terminal("check", "mutant:size-33", "-n", "400000", "--seed", "1", first=at_once)
    shown.until("…".encode())
    shown.press(b"\x03")
    assert shown.code() == 130
    text = shown.until(None)
    assert "… mutant:size-33" in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # the cursor is back
    after = text[text.rindex("\x1b[?25h") :]
    assert "…" not in plain(after).splitlines()[0]
    assert "interrupted" in after
    assert "Traceback" not in text


STYLED = re.compile(r"\x1b\[[\d;]*m")


@needs_mutants
@pytest.mark.parametrize("wish", [{}, {"NO_COLOR": "1"}])
def test_the_live_line_has_no_style_where_none_is_wanted(terminal: Terminal, wish: dict[str, str]) -> None:
    at_once = "import heaplaw.terminal.live as live; live.DELAY = 0"
    shown = terminal(*CHECK, columns=120, first=at_once, **wish)
    assert shown.code() == 1
    text = shown.until(None)
    assert "… mutant:size-33" in text
    assert bool(STYLED.search(text)) == (not wish)


@needs_mutants
def test_coloured_lines_end_where_their_text_does(terminal: Terminal) -> None:
    text = terminal(*CHECK, columns=100, errors=False).until(None)
    assert STYLED.search(text)
    assert [line for line in plain(text).splitlines() if line != line.rstrip()] == []


def test_the_list_of_subjects_fits_a_terminal(terminal: Terminal) -> None:
    text = terminal("subjects", columns=60).until(None)
    assert STYLED.search(text)
    assert max(map(len, plain(text).splitlines())) <= 60


def test_what_the_live_line_says() -> None:
    line = Line("a-subject")
    assert line.text(2) == "  … a-subject, 2 s"
    line.says("minimising HL103 blocks_disjoint")
    assert line.text(3.2) == "  … a-subject: minimising HL103 blocks_disjoint, 3 s"
    line.counts(500_000, 1_000_000, 0)
    assert line.text(2).endswith(", 500,000 of 1,000,000 operations, 250,000/s, no law broken")
    line.counts(1, 2, 1)
    assert line.text(0).endswith("1 of 2 operations, 0/s, 1 law broken")
    line.counts(1, 2, 3)
    assert line.text(1).endswith("3 laws broken")
    line.says("next")
    assert line.text(0) == "  … a-subject: next, 0 s"
    assert len(Line("x" * 100).text(0)) < 60


def test_a_run_that_is_short_tells_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    for told in (Line("a-subject"), Quiet()):
        with told:
            told.says("something")
            told.counts(1, 2, 0)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("colour", "environment", "there", "coloured"),
    [
        ("auto", {"TERM": "xterm"}, True, True),
        ("auto", {"TERM": "xterm"}, False, False),
        ("auto", {"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ("auto", {"TERM": "xterm", "NO_COLOR": ""}, True, True),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {}, True, False),
        ("always", {"TERM": "dumb"}, False, True),
        ("never", {"TERM": "xterm"}, True, False),
    ],
)
def test_when_there_are_colours(
    monkeypatch: pytest.MonkeyPatch, colour: str, environment: dict[str, str], there: bool, coloured: bool
) -> None:
    for name in ("TERM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**environment, "COLUMNS": "97"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: there)
    output = Output.standard(colour)
    assert (output.coloured, output.page.columns) == (coloured, 97 if there else 80)


WITHOUT_RICH = """
import sys
from heaplaw.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    sys.stderr.write(f"{end.code} {'rich' in sys.modules}")
"""


@needs_mutants
def test_nothing_of_rich_is_loaded_where_there_is_no_terminal(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WITHOUT_RICH, *CHECK]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stderr == "1 False"
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines()[:-1])) <= 80


@needs_mutants
def test_a_reader_who_leaves_changes_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "heaplaw.cli", *CHECK, "--color", "always"]
    read, write = os.pipe()
    os.close(read)  # nobody is there
    done = subprocess.run(command, cwd=tmp_path, stdout=write, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")
    assert list((tmp_path / "heaplaw-out").glob("HL103-*.json"))
