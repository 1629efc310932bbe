"""Functions of the C library are found in it, or in what was preloaded in its place: never in the program itself."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from heaplaw.subjects.native import c_library

NAMES = ("malloc", "free", "realloc")
LOOK = f"""
import json
from heaplaw.callers.library import address_of, behind_program, hooks, load

process = load(None)
assert hooks() == {{f"hook_{{name}}": process.address(name) for name in {NAMES}}}
assert all(address_of(behind_program(name)) == process.address(name) for name in {NAMES})
assert behind_program("no_such_function") is None
print(json.dumps(process.owners({NAMES})))
"""
OTHER = "int getpid(void); int other(void) { return getpid(); }"
"""It needs the C library, so that its handle finds malloc, which it does not define."""
OWN = """
void *__libc_malloc(unsigned long), *__libc_realloc(void *, unsigned long);
void __libc_free(void *);
void *malloc(unsigned long n) { return __libc_malloc(n); }
void *realloc(void *p, unsigned long n) { return __libc_realloc(p, n); }
void free(void *p) { __libc_free(p); }
"""


def owners(*preloaded: Path) -> dict[str, str]:
    """Where an interpreter that was started with these libraries finds the functions."""
    env = {**os.environ, "LD_PRELOAD": ":".join(map(str, preloaded))}
    done = subprocess.run([sys.executable, "-c", LOOK], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_the_c_library() -> None:
    assert {os.path.realpath(owner) for owner in owners().values()} == {os.path.realpath(c_library())}


def test_what_is_preloaded_comes_first(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler (Debian: gcc)")
    files = [tmp_path / "other.so", tmp_path / "own.so"]
    for file, source in zip(files, (OTHER, OWN), strict=True):
        command = [compiler, "-shared", "-fPIC", "-xc", "-", "-o", str(file)]
        done = subprocess.run(command, input=source, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert set(owners(*files).values()) == {str(files[1])}
