"""A check of each ready mapping that is installed finds what the mapping says, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from heaplaw import native
from heaplaw.mappings import FOLDER

NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))
MISSING = ("no such library", "; install ", ": No such file or directory")
"""Signs that what a mapping needs is not on this machine."""


@pytest.mark.skipif(native.find(native.HOST) is None, reason="the native parts are not built here (no C compiler)")
@pytest.mark.parametrize("name", NAMES)
def test_a_ready_mapping_is_judged(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "heaplaw.cli", "check", name, "--seed", "1", "-n", "50000"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    if done.returncode == 2 and any(sign in done.stderr for sign in MISSING):
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"heaplaw: {name}" in done.stdout or name == "glibc"
