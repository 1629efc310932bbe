"""The command as a user types it, in an empty folder."""

import ctypes.util
import importlib
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from heaplaw import interrupts, native
from heaplaw.cli import main

COMMAND = [sys.executable, "-m", "heaplaw.cli"]
PACKAGES = {"mimalloc": "libmimalloc2.0", "jemalloc": "libjemalloc2", "tcmalloc_minimal": "libtcmalloc-minimal4"}


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    def refused(self, *words: str) -> None:
        """It was a usage error: one clear line that holds `words`, and nothing else."""
        assert (self.code, self.out) == (2, ""), self
        assert self.err.startswith("error: "), self
        assert self.err.count("\n") == 1, self
        for word in words:
            assert word in self.err, self


Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `heaplaw` with arguments, in the test's folder.

    In this process, which saves the half second that importing takes; in one of its own where the environment is
    another, or `apart` asks for it. What is judged has a process of its own in any case.
    """

    def do(*arguments: str | Path, env: Mapping[str, str] | None = None, apart: bool = False) -> Ran:
        words = [str(argument) for argument in arguments]
        ran = in_another(tmp_path, words, env or {}) if apart or env else in_this(tmp_path, words)
        assert "Traceback" not in ran.err, ran.err
        return ran

    return do


def in_another(folder: Path, words: list[str], env: Mapping[str, str]) -> Ran:
    """Run the command in a process of its own."""
    environment = {**os.environ, **env}
    done = subprocess.run([*COMMAND, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    return Ran(done.returncode, done.stdout, done.stderr)


def in_this(folder: Path, words: list[str]) -> Ran:
    """Run the command's entry point. What it imports from the folder is forgotten again; Ctrl-C stays pytest's."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    known, code = set(sys.modules), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(folder)
        patch.setattr(sys, "path", [str(folder), *sys.path])
        patch.setattr(interrupts, "install", lambda: None)
        importlib.invalidate_caches()
        try:
            main(words)
        except SystemExit as ended:
            code = int(ended.code or 0)
    for name in sys.modules.keys() - known:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(f"{folder}/"):
            del sys.modules[name]
    return Ran(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[..., Path]:
    """Compile C (or C++) source into a file of the given name."""

    def do(source: str, name: str, *flags: str) -> Path:
        compiler = shutil.which("g++" if name.endswith(".cc.so") else "cc")
        if compiler is None:
            pytest.skip("no compiler (Debian: gcc, g++)")
        path = tmp_path / f"{name}{'.cpp' if name.endswith('.cc.so') else '.c'}"
        path.write_text(source)
        out = tmp_path / name
        done = subprocess.run([compiler, str(path), *flags, "-o", str(out)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return out

    return do


@pytest.fixture
def mutants() -> Path:
    """The library of allocators with seeded faults."""
    path = native.find(native.MUTANTS)
    if path is None:
        pytest.skip("the mutants' library is not built here (no C compiler)")
    return path


@pytest.fixture(params=sorted(PACKAGES))
def library(request: pytest.FixtureRequest) -> Path:
    """Each of the well-known allocators that is installed."""
    name: str = request.param
    return installed(name)


def installed(name: str) -> Path:
    """The path of an installed library; the test is skipped where it is absent."""
    soname = ctypes.util.find_library(name)
    if soname is None:
        pytest.skip(f"lib{name} is not installed (Debian: {PACKAGES[name]})")
    listed = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True).stdout
    found = [line.rpartition("=> ")[2] for line in listed.splitlines() if line.split()[:1] == [soname]]
    if not found:
        pytest.skip(f"{soname} is not in the loader's cache (Debian: {PACKAGES[name]})")
    return Path(found[0])
