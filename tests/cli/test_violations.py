"""A broken allocator: what is told, what is kept, and that it can be seen again."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SMALL = ("-n", "20000", "--seed", "1")


def stored(folder: Path, law: str) -> Path:
    (path,) = (folder / "heaplaw-out").glob(f"{law}-*.json")
    return path


def test_a_failure_tells_law_trace_picture_and_what_to_type(run: Any, mutants: Path, tmp_path: Path) -> None:
    ran = run("check", "mutant:size-33", *SMALL)
    assert ran.code == 1
    block = ran.out.partition("HL103 blocks_disjoint VIOLATED")[2].partition("\n\nHL")[0]
    for part in (
        "p1 = malloc(33)",
        "usable 32",
        "law       blocks that are live at the same time share no byte",
        "source    C17 7.22.3 p1",
        "observed  1 byte shared",
        "required  0 bytes shared",
        "fails for size 33 alone",
        "replayed 3 of 3 times",
        "why       heaplaw explain HL103",
    ):
        assert part in block, (part, block)
    assert "X" in block  # the picture: a byte that two blocks share
    assert max(len(line) for line in block.splitlines()[1:]) <= 80
    path = stored(tmp_path, "HL103")
    assert f"heaplaw replay {path.relative_to(tmp_path)}" in block
    assert ran.out.splitlines()[-1].startswith("SUMMARY: heaplaw: mutant:size-33: VIOLATED HL103 blocks_disjoint")
    document = json.loads(path.read_text())
    assert [row["op"] for row in document["operations"]] == ["ALLOC", "ALLOC"]
    assert str(tmp_path) not in path.read_text()


def test_a_violation_is_found_again_with_its_seed(run: Any, mutants: Path, tmp_path: Path) -> None:
    def once() -> str:
        lines = run("check", "mutant:calloc-512-dirty", *SMALL).out.splitlines()
        return "\n".join(line for line in lines if " s: " not in line)

    assert once() == once()
    assert len(list((tmp_path / "heaplaw-out").iterdir())) == 1


@pytest.mark.parametrize(
    ("mutant", "law"),
    [("size-33", "HL103"), ("calloc-512-dirty", "HL204"), ("realloc-words", "HL202"), ("leak-eighth", "HL304")],
)
def test_replays_break_the_law_again(run: Any, mutants: Path, tmp_path: Path, mutant: str, law: str) -> None:
    assert run("check", f"mutant:{mutant}", "-n", "50000", "--seed", "1").code == 1
    ran = run("replay", stored(tmp_path, law))
    assert ran.code == 1, ran
    assert f"{law} " in ran.out
    assert "replayed 3 of 3 times" in ran.out


def test_a_replay_after_the_repair(run: Any, mutants: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SKEWED)
    assert run("check", "mine:Pool", "--shape", "pool", "-n", "500", "--seed", "1").code == 1
    path = stored(tmp_path, "HL101")
    assert run("replay", path, "--times", "2").code == 1
    (tmp_path / "mine.py").write_text(SKEWED.replace("+ 4", ""))
    ran = run("replay", path, "--times", "2")
    assert ran.code == 0, ran
    assert "aligned holds now: 0 of 2 runs broke it" in ran.out
    (tmp_path / "mine.py").unlink()
    run("replay", path).refused("cannot import mine")


def test_several_traces_are_replayed_one_after_the_other(run: Any, tmp_path: Path) -> None:
    for name in ("mine", "other"):
        (tmp_path / f"{name}.py").write_text(SKEWED)
        assert run("check", f"{name}:Pool", "--shape", "pool", "-n", "500", "--seed", "1").code == 1
    found = (tmp_path / "heaplaw-out").glob("HL101-*.json")
    mine, other = sorted(found, key=lambda path: "other" in path.read_text())

    def replayed() -> tuple[int, str, str]:
        ran = run("replay", mine, other, mine, "--times", "1")
        return ran.code, ran.out, ran.err

    code, out, err = replayed()
    assert (code, out.count("replayed 1 of 1 times"), err) == (1, 3, "")
    (tmp_path / "mine.py").write_text(SKEWED.replace("+ 4", ""))
    code, out, _ = replayed()
    assert (code, out.count("holds now"), out.count("replayed 1 of 1 times")) == (1, 2, 1)
    assert out.index("holds now") < out.index("VIOLATED") < out.rindex("holds now")
    (tmp_path / "other.py").unlink()  # what cannot be run does not hide the others
    code, out, err = replayed()
    assert (code, out.count("holds now"), err.count("cannot import other")) == (2, 2, 1)
    (tmp_path / "other.py").write_text(SKEWED.replace("+ 4", ""))
    code, out, err = replayed()
    assert (code, out.count("holds now"), err) == (0, 3, "")


SKEWED = """
from heaplaw.mutants.pools import CorrectPool

class Pool(CorrectPool):
    def alloc(self):
        block = super().alloc()
        return block + 4 if block else 0
    def dealloc(self, block):
        super().dealloc(block - 4)
    alloc.__doc__ = "four bytes too high"
""".replace("block - 4", "block // 8 * 8")


@pytest.mark.parametrize(
    ("mutant", "law", "seen"),
    [
        ("size-33", "HL103", "FAULT: shares bytes with the block of step 1"),
        ("calloc-512-dirty", "HL204", "FAULT: byte 0 is not zero"),
        ("realloc-words", "HL202", "was not kept"),
        ("class-1008-skew", "HL101", "FAULT: not aligned"),
        ("usable-plus-8", "HL106", "FAULT: shares bytes"),
        ("header-wrap", "HL302", "FAULT: handed out, though too large"),
        ("stack-smash", "HL301", "step 1: "),
    ],
)
def test_the_c_program_shows_the_fault(
    run: Any, compiled: Any, mutants: Path, tmp_path: Path, mutant: str, law: str, seen: str
) -> None:
    run("check", f"mutant:{mutant}", "-n", "50000", "--seed", "1")
    ran = run("replay", stored(tmp_path, law), "--emit", "c")
    assert ran.code == 0
    flags = ("-O0", "-fno-builtin", "-Wall", "-Werror", str(mutants), f"-Wl,-rpath,{mutants.parent}")
    program = compiled(ran.out, "witness", *flags)
    assert f"HEAPLAW_MUTANT={mutant} ./witness" in ran.out
    done = subprocess.run(
        [program], env={**os.environ, "HEAPLAW_MUTANT": mutant}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == (-11 if mutant == "stack-smash" else 1), done
    assert seen in done.stdout
    healthy = subprocess.run(
        [program], env={**os.environ, "HEAPLAW_MUTANT": "ok-classes"}, capture_output=True, text=True, timeout=60
    )
    assert (healthy.returncode, healthy.stdout.splitlines()[-1]) == (0, "no fault seen")


def test_a_c_program_for_a_preloaded_library(run: Any, compiled: Any, tmp_path: Path) -> None:
    source = """
#include <stddef.h>
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t);
extern void __libc_free(void *);
static size_t served;
void *malloc(size_t n) { return n == 40 ? (char *)__libc_malloc(64) + 8 : __libc_malloc(n); }
void *calloc(size_t n, size_t m) { return __libc_calloc(n, m); }
void free(void *p) { if (((size_t)p & 15) == 0) __libc_free(p); served++; }
"""
    library = compiled(source, "forty.so", "-shared", "-fPIC", "-fno-builtin", "-O0")
    ran = run("check", library, *SMALL)
    assert ran.code == 1, ran
    emitted = run("replay", stored(tmp_path, "HL101"), "--emit", "c").out
    assert f"LD_PRELOAD={library} ./witness" in emitted
    program = compiled(emitted, "witness", "-O0", "-fno-builtin", "-Wall", "-Werror")
    plain = subprocess.run([program], capture_output=True, text=True, timeout=60)
    assert plain.returncode == 0, plain
    faulty = subprocess.run(
        [program], env={**os.environ, "LD_PRELOAD": str(library)}, capture_output=True, text=True, timeout=60
    )
    assert faulty.returncode == 1, faulty
    assert "FAULT: not aligned" in faulty.stdout


def test_the_pytest_regression_fails_until_the_repair(run: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SKEWED)
    assert run("check", "mine:Pool", "--shape", "pool", "-n", "500", "--seed", "1").code == 1
    (tmp_path / "test_regression.py").write_text(run("replay", stored(tmp_path, "HL101"), "--emit", "pytest").out)
    shutil.rmtree(tmp_path / "heaplaw-out")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_regression.py"]
    failing = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert failing.returncode == 1, failing
    assert "HL101 aligned VIOLATED" in failing.stdout
    (tmp_path / "mine.py").write_text(SKEWED.replace("+ 4", ""))
    passing = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert passing.returncode == 0, passing


def test_an_object_has_no_c_program(run: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SKEWED)
    run("check", "mine:Pool", "--shape", "pool", "-n", "500", "--seed", "1")
    run("replay", stored(tmp_path, "HL101"), "--emit", "c").refused("--emit pytest")


def test_what_was_found_is_shown_when_it_cannot_be_stored(run: Any, mutants: Path, tmp_path: Path) -> None:
    """The folder vanishes while the check runs: here, a file stands in its place from the start of minimising."""
    (tmp_path / "mine.py").write_text(
        SKEWED + "\nimport os\nif not os.path.exists('out'):\n    open('out', 'w').close()\n"
    )
    ran = run("check", "mine:Pool", "--shape", "pool", "-n", "500", "--seed", "1", "--output", "out")
    assert ran.code == 1
    assert "HL101 aligned VIOLATED" in ran.out
    assert "cannot be written" in ran.err
