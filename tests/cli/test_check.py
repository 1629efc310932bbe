"""`heaplaw check` on allocators that keep the laws."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from heaplaw import native

SMALL = ("-n", "20000", "--seed", "1")


def test_the_c_library_when_nothing_is_named(run: Any, tmp_path: Path) -> None:
    ran = run("check", *SMALL)
    assert ran.code == 0, ran
    first, *rest = ran.out.splitlines()
    version = os.confstr("CS_GNU_LIBC_VERSION")
    assert f"   {version}   " in first
    assert "seed 1" in first
    assert rest[-1] == f"SUMMARY: heaplaw: {version}: 27 hold, 0 violated, 2 violated as expected, 16 not applicable"
    assert ran.err == ""
    assert not (tmp_path / "heaplaw-out").exists()  # nothing was found, nothing is left behind


def test_the_seed_is_drawn_and_printed(run: Any) -> None:
    first = run("check", "-n", "500").out.splitlines()[0]
    seed = first.partition("seed ")[2].split()[0]
    assert run("check", "-n", "500", "--seed", seed).out.splitlines()[0] == first


def test_three_families_of_cpython(run: Any) -> None:
    ran = run("check", "cpython", *SMALL)
    assert ran.code == 0, ran
    for family in ("PyMem_Raw*", "PyMem_*", "PyObject_*"):
        assert re.search(re.escape(family) + r": \d+ hold, 0 violated, \d+ not applicable", ran.out)
    assert ran.out.count("absent    aligned_alloc posix_memalign (left out)") == 3


def test_a_shared_library(run: Any, library: Path) -> None:
    ran = run("check", library, *SMALL)
    known = "VIOLATED HL101 aligned" if "mimalloc" in library.name else ""
    summary = ran.out.splitlines()[-1]
    if known and ran.code == 1:  # mimalloc 2.0: aligned_alloc(256, 256) is aligned to 128 when it is preloaded
        assert summary.endswith(known), ran
    else:
        assert ran.code == 0, ran
    assert library.name in ran.out.splitlines()[0]


def test_a_prefix(run: Any, mutants: Path) -> None:
    ran = run("check", mutants, "--prefix", "mut_", *SMALL, env={"HEAPLAW_MUTANT": "ok-classes"})
    assert ran.code == 0, ran
    assert ran.out.splitlines()[0].split("   ")[1] == "libheaplaw_mutants.so"


def test_a_library_whose_path_the_loader_would_split(run: Any, mutants: Path, tmp_path: Path, compiled: Any) -> None:
    forward = (
        "#include <stddef.h>\nextern void *__libc_malloc(size_t);\nvoid *malloc(size_t n) { return __libc_malloc(n); }"
    )
    forward += "\nextern void __libc_free(void *);\nvoid free(void *p) { __libc_free(p); }"
    built = compiled(forward, "plain.so", "-shared", "-fPIC", "-fno-builtin")
    odd = tmp_path / "a folder: with blanks"
    odd.mkdir()
    built.rename(odd / "plain.so")
    ran = run("check", odd / "plain.so", *SMALL)
    assert ran.code == 0, ran
    assert "absent    calloc realloc aligned_alloc posix_memalign (left out)" in ran.out


@pytest.mark.parametrize(
    ("thing", "shape"),
    [
        ("heaplaw.refimpl.allocators:PoolAllocator", "pool"),
        ("heaplaw.mutants.pools:CorrectPool", "pool"),
        ("heaplaw.mutants.heaps:CorrectHeap", "malloc"),
    ],
)
def test_python_objects(run: Any, thing: str, shape: str) -> None:
    ran = run("check", thing, "--shape", shape, "-n", "4000", "--seed", "1")
    assert ran.code == 0, ran
    assert "unknown" not in ran.out
    assert "0 violated" in ran.out


def test_a_pool_of_other_measures(run: Any) -> None:
    thing = "heaplaw.refimpl.allocators:PoolAllocator"
    ran = run("check", thing, "--shape", "pool", "--block-size", "24", "--num-blocks", "3", "-n", "500", "--seed", "1")
    assert ran.code == 0, ran


def test_a_pool_may_promise_a_larger_alignment(run: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from heaplaw.mutants.pools import CorrectPool\n\nclass Pool(CorrectPool):\n"
        "    def __init__(self):\n        super().__init__()\n        self.alignment = 4096\n"
    )
    ran = run("check", "mine:Pool", "--shape", "pool", "-n", "500", "--seed", "1")
    assert ran.code == 1, ran
    assert "HL101 aligned VIOLATED" in ran.out


def test_several_subjects_and_the_worst_decides(run: Any, mutants: Path) -> None:
    ran = run("check", "pymem", "mutant:size-33", "mutant:ok-classes", *SMALL)
    assert ran.code == 1
    assert ran.out.count("SUMMARY") == 3


def test_without_native_code_it_is_slower_and_says_so_once(run: Any) -> None:
    ran = run("check", *SMALL, env={"HEAPLAW_NO_NATIVE": "1"})
    assert ran.code == 0, ran
    assert len([line for line in (ran.out + ran.err).splitlines() if "slower" in line]) == 1
    assert "27 hold, 0 violated" in ran.out


def test_both_ways_give_the_same_verdicts(run: Any) -> None:
    if native.find(native.HOST) is None:
        pytest.skip("the native driver is not built here (no C compiler)")

    def table(text: str) -> list[str]:
        return [line[:45] for line in text.splitlines() if line.startswith("  HL")]

    quick, slow = run("check", *SMALL), run("check", *SMALL, env={"HEAPLAW_NO_NATIVE": "1"})
    assert table(quick.out) == table(slow.out)


def test_the_catalogue(run: Any) -> None:
    ran = run("laws")
    assert ran.code == 0
    assert "HL103  blocks_disjoint" in ran.out
    assert "source    C17 7.22.3 p1" in run("explain", "HL103").out


def test_a_reader_who_leaves_changes_nothing(mutants: Path, tmp_path: Path) -> None:
    import subprocess
    import sys

    command = (
        f"{sys.executable} -m heaplaw.cli check mutant:size-33 -n 20000 --seed 1 | head -1; echo ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "1"
    assert done.stderr == ""
    assert list((tmp_path / "heaplaw-out").glob("HL103-*.json"))
