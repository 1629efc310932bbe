"""Shims are compiled once for each content, by any number of processes, and a wrong one is told in one line."""

import ctypes
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from heaplaw.errors import UsageError
from heaplaw.subjects.build import compiled

SOURCE = '#include "answer.h"\nint answer(void) { return ANSWER; }\n'


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache for this test alone, and no compiler but the usual one."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler (Debian: gcc)")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv("CXX", raising=False)
    return tmp_path / "cache" / "heaplaw"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A shim with a header beside it."""
    (tmp_path / "answer.h").write_text("#define ANSWER 42\n")
    path = tmp_path / "shim.c"
    path.write_text(SOURCE)
    return path


def answer(source: Path) -> int:
    """What the shim's function gives."""
    return int(ctypes.CDLL(str(compiled(source))).answer())


def wrong(source: Path) -> str:
    """The one line that says why the shim cannot be compiled."""
    with pytest.raises(UsageError) as caught:
        compiled(source)
    text = str(caught.value)
    assert text.count("\n") == 0
    return text


def test_a_shim_is_compiled_into_the_cache(source: Path, kept: Path) -> None:
    assert answer(source) == 42
    assert compiled(source).parent == kept
    assert [path.name for path in kept.iterdir()] == [compiled(source).name]  # no drafts are left


def test_the_same_content_is_not_compiled_again(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = tmp_path / "calls"
    counting = tmp_path / "counting-cc"
    counting.write_text(f'#!/bin/sh\necho "$@" >>{calls}\nexec cc "$@"\n')
    counting.chmod(0o755)
    monkeypatch.setenv("CC", str(counting))
    first = compiled(source)
    assert "-shared" in calls.read_text()
    calls.write_text("")
    assert compiled(source) == first
    assert "-shared" not in calls.read_text()


def test_what_is_cached_depends_on_the_source(source: Path) -> None:
    assert answer(source) == 42
    source.write_text(SOURCE.replace("ANSWER;", "ANSWER + 1;"))
    assert answer(source) == 43


def test_what_is_cached_depends_on_included_files(source: Path, tmp_path: Path) -> None:
    assert answer(source) == 42
    (tmp_path / "answer.h").write_text('#include "deeper.h"\n')
    (tmp_path / "deeper.h").write_text("#define ANSWER 44\n")
    assert answer(source) == 44
    (tmp_path / "deeper.h").write_text("#define ANSWER 45\n")
    assert answer(source) == 45


def test_what_is_cached_depends_on_the_compiler(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert answer(source) == 42
    monkeypatch.setenv("CC", "cc -Danswer=other")  # arguments are taken, without a shell
    assert ctypes.CDLL(str(compiled(source))).other() == 42


def test_a_path_with_spaces_and_signs_is_only_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "a b; touch c $(touch d)"
    folder.mkdir()
    shim = folder / "-x.c"
    shim.write_text("int answer(void) { return 7; }\n")
    assert answer(shim) == 7
    assert sorted(path.name for path in tmp_path.rglob("[cd]")) == []


@pytest.mark.skipif(shutil.which("c++") is None, reason="no C++ compiler (Debian: g++)")
@pytest.mark.parametrize("suffix", [".cc", ".cpp", ".cxx"])
def test_cpp(tmp_path: Path, suffix: str) -> None:
    shim = tmp_path / f"shim{suffix}"
    shim.write_text('#include <new>\nextern "C" int answer() { return [] { return 6; }(); }\n')
    assert answer(shim) == 6


def test_a_broken_shim_names_file_and_line(source: Path, kept: Path) -> None:
    source.write_text("int fine(void) { return 1; }\n\nint answer(void) { return nothing; }\n")
    assert wrong(source).startswith(f"{source}:3:")
    assert "nothing" in wrong(source)
    assert list(kept.iterdir()) == []


def test_a_missing_header_names_file_and_line(source: Path, tmp_path: Path) -> None:
    (tmp_path / "answer.h").unlink()
    assert wrong(source).startswith(f"{source}:1:")
    assert "answer.h" in wrong(source)


def test_a_missing_shim(tmp_path: Path) -> None:
    assert wrong(tmp_path / "none.c").startswith(f"{tmp_path / 'none.c'}: ")


def test_another_language(tmp_path: Path) -> None:
    (tmp_path / "shim.rs").write_text("fn main() {}\n")
    assert ".c, .cc" in wrong(tmp_path / "shim.rs")


def test_no_compiler(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "install gcc, or set CC" in wrong(source)
    plus = tmp_path / "shim.cc"
    plus.write_text("int x;\n")
    assert "install g++, or set CXX" in wrong(plus)


@pytest.mark.parametrize("command", ["no-such-compiler", 'cc "', "/"])
def test_a_wrong_compiler(source: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("CC", command)
    assert "CC" in wrong(source)


def test_a_cache_that_cannot_be_written(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert answer(source) == 42
    assert not compiled(source).is_relative_to(tmp_path)


def test_processes_at_once(source: Path, kept: Path) -> None:
    code = (
        "import ctypes, sys; from pathlib import Path; from heaplaw.subjects.build import compiled; "
        "sys.exit(ctypes.CDLL(str(compiled(Path(sys.argv[1])))).answer())"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(source)]) for _ in range(4)]
    assert [process.wait(60) for process in running] == [42] * 4
    assert len(list(kept.iterdir())) == 1
