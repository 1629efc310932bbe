"""What runs documents sees what is not as it stands there."""

import os
from pathlib import Path

import pytest

from .documents import Command, Patch, Write, patched, run, same, steps

FENCE = "```"
DOCUMENT = f"""# Title

<!-- file: a.txt -->
{FENCE}text
one
two
{FENCE}

Prose, and a block that is not run:

{FENCE}sh
exit 7
{FENCE}

<!-- patch: a.txt -->
{FENCE}diff
 one
-two
+three
{FENCE}

{FENCE}console
$ cat a.txt
one
…
$ false
$ echo $?
1
{FENCE}
"""


def test_steps() -> None:
    assert list(steps(DOCUMENT)) == [
        Write("a.txt", "one\ntwo\n"),
        Patch("a.txt", " one\n-two\n+three\n"),
        Command("cat a.txt", "one\n…\n", code_follows=False),
        Command("false", "", code_follows=True),
        Command("echo $?", "1\n", code_follows=False),
    ]


def test_a_document_that_is_so(tmp_path: Path) -> None:
    assert len(list(run(DOCUMENT, tmp_path, os.environ))) == 5
    assert (tmp_path / "a.txt").read_text() == "one\nthree\n"


@pytest.mark.parametrize(
    ("true", "false"),
    [("one\n…\n$", "one\n$"), ("one\n…\n$", "two\n…\n$"), ("$?\n1", "$?\n2"), ("$ false\n$ echo $?\n1", "$ false")],
)
def test_a_document_that_is_not(tmp_path: Path, true: str, false: str) -> None:
    assert DOCUMENT.count(true) == 1
    with pytest.raises(AssertionError, match=r"^\$ "):
        list(run(DOCUMENT.replace(true, false), tmp_path, os.environ))


@pytest.mark.parametrize(
    ("shown", "said", "equal"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\n", "a\nb\n", False),
        ("a\nb\n", "a\n", False),
        ("…\nb\n", "a\na\nb\n", True),
        ("…\nb\n", "b\n", True),
        ("…\nb\n", "a\nb\nc\n", False),
        ("at 0x7ffff72eafe1, 1.5 s\n", "at 0x55e00cef3fd0, 22.75 s\n", True),
        ("at +0x31\n", "at +0x32\n", False),
        ("20,101 operations\n", "20,102 operations\n", False),
        ("HL101-ab235474.json\n", "HL101-79e42f84.json\n", True),
        ("HL101-ab235474.json\n", "HL102-ab235474.json\n", False),
    ],
)
def test_what_is_the_same(shown: str, said: str, equal: bool) -> None:
    assert same(shown, said) == equal


def test_a_change_says_what_it_changes() -> None:
    assert patched("a\nb\nc\n", " a\n-b\n+d\n@@\n-c\n") == "a\nd\n"
    for diff in ("-x\n", "-a\n+b\n"):
        with pytest.raises(ValueError, match=r"^occurs \d times"):
            patched("a\nb\na\n", diff)


def test_a_comment_needs_its_block() -> None:
    with pytest.raises(ValueError, match="no block"):
        list(steps("<!-- file: a.txt -->\n\nProse.\n"))
