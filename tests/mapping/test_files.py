"""Files that are no mapping at all: one clear error each."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from heaplaw.mapping import Mapping, MappingError, load
from heaplaw.mapping.positions import MOST_BYTES

Report = Callable[[str | bytes], str]


def refused(path: Path) -> str:
    with pytest.raises(MappingError) as caught:
        load(path)
    assert caught.value.count == 1
    return caught.value.report


def test_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert refused(Path("m.toml")) == "error: no such file\n  --> m.toml\n\n1 error in m.toml; nothing was run."


def test_folder(tmp_path: Path) -> None:
    assert refused(tmp_path).startswith("error: a folder, not a mapping file\n")


def test_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "m").touch()
    assert refused(tmp_path / "m" / "m.toml").startswith("error: cannot be read: Not a directory\n")


def test_neither_file_nor_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.toml")
    assert refused(tmp_path / "m.toml").startswith("error: not a regular file\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_unreadable(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text("name = 'm'")
    (tmp_path / "m.toml").chmod(0)
    assert refused(tmp_path / "m.toml").startswith("error: cannot be read: Permission denied\n")


def test_reading_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "m.toml").write_text("name = 'm'")
    monkeypatch.setattr(Path, "read_bytes", fails)
    assert refused(tmp_path / "m.toml").startswith("error: cannot be read: Permission denied\n")


@pytest.mark.parametrize("name", ["a\0b", "x" * 300])
def test_names_that_no_file_can_have(tmp_path: Path, name: str) -> None:
    assert refused(tmp_path / name).startswith("error: ")


@pytest.mark.parametrize("text", ["", " \n\t\n", "# only a comment\n", "\ufeff"])
def test_empty(report: Report, text: str) -> None:
    told = report(text)
    assert told.startswith("error: the mapping is empty\n  --> m.toml\n")
    assert told.count("error: ") == 1


def test_too_large(report: Report) -> None:
    assert report("#" * (MOST_BYTES + 1)).startswith("error: too large to be a mapping")


def test_not_utf8(report: Report, whole: str) -> None:
    assert report(whole.encode() + "name = 'ä\ufeff".encode() + b"\xe4'\n") == (
        "error: not UTF-8: the byte 0xe4\n"
        "  --> m.toml:7:11\n"
        "   |\n"
        " 7 | name = 'ä��'\n"
        "   |           ^\n"
        "   = help: save the file as UTF-8\n\n"
        "1 error in m.toml; nothing was run."
    )


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_not_utf8_in_the_first_line(report: Report, mark: bytes) -> None:
    assert "m.toml:1:2\n" in report(mark + b"a\xff")


def test_a_byte_order_mark_and_line_ends_of_windows(
    reading: Callable[[str | bytes], Mapping], report: Report, whole: str
) -> None:
    text = whole.replace("\n", "\r\n")
    assert reading("\ufeff" + text).operations["alloc"].position.line == 5
    assert "m.toml:1:1\n" in report("\ufefflibary = 'a'\r\n" + text)
    assert "m.toml:7:2\n" in report(text + " nam = 'a'\r\n")


def test_characters_that_a_terminal_would_obey_are_not_printed(report: Report, whole: str) -> None:
    told = report(f'{whole}"\\u001b[31m" = 1\nname = "\x1b[31m"\n')
    assert "\x1b" not in told
    told = report(f'{whole}"\\u001b[31m\\u202e" = 1\n')
    assert "unknown key `�[31m�`" in told


@pytest.mark.parametrize(
    "text", ["a = " + "[" * 5000, "a = " + "{a=" * 5000, "a = " + "[" * 5000 + "]" * 5000, f"a = {'9' * 5000}"]
)
def test_depths_and_lengths_that_python_refuses(report: Report, text: str) -> None:
    assert "error: " in report(text)


def test_a_key_of_thousands_of_parts(report: Report) -> None:
    assert "unknown key `a`" in report(".".join("a" * 3000) + " = 1")


def test_long_words_are_cut(report: Report, whole: str) -> None:
    first = report(f"{whole}{'k' * 1000} = 1\n").splitlines()[0]
    assert first == f"error: unknown key `{'k' * 59}…`"
