"""The allocators that the documentation calls right keep all laws in whole runs; the pages make short ones."""

import shutil
import subprocess
from pathlib import Path

import pytest

from .documents import Command, Write, patched, steps
from .test_documents import DOCS, DOCUMENTS, environment

BUILDS = ("rustc ", "zig ")
CHECKS = {
    "tutorial": "heap.toml",
    "verify/c": "slab.toml",
    "verify/cpp": "bump.toml",
    "verify/rust": "classes.toml",
    "verify/zig": "cells.toml",
    "verify/python": "arena:Arena --shape arena --capacity 4096",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CHECKS)
def test_whole_runs(name: str, tmp_path: Path) -> None:
    _, needed, package = DOCUMENTS[name]
    variables = environment(tmp_path / "cache")
    if shutil.which(needed, path=variables["PATH"]) is None:
        pytest.skip(f"no {needed} (install {package})")
    for step in steps((DOCS / f"{name}.md").read_text()):
        match step:
            case Write(file, text):
                (tmp_path / file).write_text(text)
            case Command(line) if line.startswith(BUILDS):
                subprocess.run(["bash", "-c", line], cwd=tmp_path, env=variables, check=True)
            case Command():
                pass
            case _ if name == "tutorial":  # its change repairs; on the other pages it breaks
                changed = tmp_path / step.name
                changed.write_text(patched(changed.read_text(), step.diff))
            case _:
                break
    for seed in range(3):
        line = f"heaplaw check {CHECKS[name]} --seed {seed}"
        done = subprocess.run(line.split(), cwd=tmp_path, env=variables, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_page_with_an_example_is_here() -> None:
    assert {name for name, (examples, _, _) in DOCUMENTS.items() if examples} == set(CHECKS)
