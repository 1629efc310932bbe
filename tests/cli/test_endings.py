"""Crashes, hangs, exits, exhausted memory and nonsense are found, and blamed on the right operation."""

import json
from pathlib import Path
from typing import Any

import pytest

SOON = ("--cpu", "0.5")
"""What hangs here does so for good: a tenth of the usual limit tells as much."""
SMALL = ("-n", "300", "--seed", "1", "--seconds", "3", *SOON)


def blamed(folder: Path, law: str = "HL301") -> dict[str, Any]:
    """The operation that the stored witness blames."""
    (path,) = (folder / "heaplaw-out").glob(f"{law}-*.json")
    document = json.loads(path.read_text())
    operations = document["operations"]
    return dict(operations[document["broken_at"][-1] % len(operations)])


@pytest.mark.parametrize(
    ("mutant", "ending", "operation", "law"),
    [
        ("exit-after-5", "exited: the process ended itself with code 0", "FREE", "HL301"),
        ("coalesce-loop", "hung: no return within the limit of CPU time", "FREE", "HL301"),
        ("stack-smash", "died: SIGSEGV", "RESIZE", "HL301"),
        ("abort-ptrdiff", "died: SIGABRT", "ALLOC", "HL302"),
        ("first-calloc", "died: SIGSEGV", "ZALLOC", "HL305"),
    ],
)
def test_libraries(run: Any, mutants: Path, tmp_path: Path, mutant: str, ending: str, operation: str, law: str) -> None:
    ran = run("check", f"mutant:{mutant}", "-n", "20000", "--seed", "1", "--seconds", "3", *SOON)
    assert ran.code == 1, ran
    (step,) = [
        line for line in ran.out.partition(f"{law} ")[2].partition("\n    law ")[0].splitlines() if " > " in line
    ][:1]
    assert ending in ran.out
    assert blamed(tmp_path, law)["op"] == operation, step


HEAPS = """
import mmap, os
from heaplaw.mutants.heaps import CorrectHeap
from heaplaw.mutants.pools import CorrectPool

class Exits(CorrectHeap):
    def calloc(self, count, size):
        os._exit(0)

class Leaves(CorrectHeap):
    def calloc(self, count, size):
        raise SystemExit(3)

class Aborts(CorrectHeap):
    def calloc(self, count, size):
        os.abort()

class Loops(CorrectHeap):
    def calloc(self, count, size):
        while True:
            pass

class Raises(CorrectHeap):
    def calloc(self, count, size):
        raise ValueError("no\\nluck")

class Names(CorrectHeap):
    def calloc(self, count, size):
        return "block"

class Fractions(CorrectHeap):
    def calloc(self, count, size):
        return 1.5

class Negative(CorrectHeap):
    def calloc(self, count, size):
        return -16

class Truth(CorrectHeap):
    def calloc(self, count, size):
        return True

class Wild(CorrectHeap):
    def calloc(self, count, size):
        return 16

class Leaks(CorrectHeap):
    kept = []
    def calloc(self, count, size):
        while True:
            self.kept.append(mmap.mmap(-1, 2**30))
"""


@pytest.mark.parametrize(
    ("thing", "law", "told"),
    [
        ("Exits", "HL301", "exited: the process ended itself with code 0"),
        ("Leaves", "HL301", "exited: the process ended itself with code 3"),
        ("Aborts", "HL301", "died: SIGABRT"),
        ("Loops", "HL301", "hung: no return within the limit of CPU time"),
        ("Raises", "HL301", "raised ValueError: no luck"),
        ("Names", "HL301", "returned 'block', which is no address"),
        ("Fractions", "HL301", "returned 1.5, which is no address"),
        ("Negative", "HL301", "returned -16, which is no address"),
        ("Truth", "HL301", "returned True, which is no address"),
        ("Leaks", "HL301", "raised OSError: [Errno 12] Cannot allocate memory"),
        ("Wild", "HL102", "byte 0 cannot be written"),
    ],
)
def test_python_objects(run: Any, tmp_path: Path, thing: str, law: str, told: str) -> None:
    (tmp_path / "heaps.py").write_text(HEAPS)
    ran = run("check", f"heaps:{thing}", "--shape", "malloc", "--profile", "uniform", *SMALL)
    assert ran.code == 1, ran
    assert told in ran.out, ran.out
    assert blamed(tmp_path, law)["op"] == "ZALLOC"


POOLS = """
from heaplaw.mutants.pools import CorrectPool

class Forgets(CorrectPool):
    def dealloc(self, ptr):
        pass

class Miscounts(CorrectPool):
    def num_allocated(self):
        return None

class Throws(CorrectPool):
    def num_free_blocks(self):
        raise KeyError("free")
"""


@pytest.mark.parametrize(("thing", "law"), [("Forgets", "HL404"), ("Miscounts", "HL402"), ("Throws", "HL401")])
def test_pools(run: Any, tmp_path: Path, thing: str, law: str) -> None:
    (tmp_path / "pools.py").write_text(POOLS)
    arguments = ("--shape", "pool", "--num-blocks", "3", *SMALL)
    ran = run("check", f"pools:{thing}", *arguments)
    assert ran.code == 1, ran
    assert list((tmp_path / "heaplaw-out").glob(f"{law}-*.json")) or law in ran.out


LEAKING = """
#include <stddef.h>
#include <sys/mman.h>
/* Never gives anything back, and takes a GiB of addresses for every request. */
void *my_malloc(size_t n) {
  void *p = n > (1ul << 30) ? MAP_FAILED
    : mmap(NULL, 1ul << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return p == MAP_FAILED ? NULL : p;
}
void my_free(void *p) { (void)p; }
"""


def test_a_library_that_runs_into_the_memory_limit(run: Any, compiled: Any, tmp_path: Path) -> None:
    library = compiled(LEAKING, "leaking.so", "-shared", "-fPIC", "-fno-builtin", "-O1")
    ran = run("check", library, "--prefix", "my_", "-n", "3000", "--seed", "1", "--seconds", "3")
    assert ran.code == 1, ran
    assert "HL304 reuse VIOLATED" in ran.out
