"""Ctrl-C ends a check soon, with what was found, and leaves no process behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def processes(marker: str) -> list[int]:
    """Processes whose environment holds the marker."""
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if marker.encode() in (folder / "environ").read_bytes() and b" Z " not in (folder / "stat").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize(("subject", "whole_group"), [("mutant:size-33", True), ("glibc", False)])
def test_interrupted(mutants: Path, tmp_path: Path, subject: str, whole_group: bool) -> None:
    marker = f"HEAPLAW_TEST_MARK={tmp_path.name}-{os.getpid()}"
    name, _, value = marker.partition("=")
    process = subprocess.Popen(
        [sys.executable, "-m", "heaplaw.cli", "check", subject, "-n", "8000000", "--seed", "1"],
        cwd=tmp_path,
        env={**os.environ, name: value},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    # The run is under way when the subject's process has a child of its own.
    deadline = time.monotonic() + 60
    while len(processes(marker)) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.7)
    (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, (out, err)
    assert "Traceback" not in err
    assert "interrupted" in err
    stored = list((tmp_path / "heaplaw-out").glob("*.json"))
    if subject == "glibc":
        assert "VIOLATED" not in out
        assert stored == []
    else:
        assert "HL103 blocks_disjoint VIOLATED" in out
        assert "what was found is in heaplaw-out/" in err
        assert stored
    assert processes(marker) == []
