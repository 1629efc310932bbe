"""A seeded fault that is named beside a law breaks that law in a check, as it is told."""

import subprocess
import sys
from pathlib import Path

import pytest

from heaplaw import native
from heaplaw.explaining.faults import seeded
from heaplaw.spec.catalogue import CATALOGUE
from heaplaw.spec.law import Scope

CHECKED = [law.name for law in CATALOGUE.values() if law.scope is not Scope.LAYOUT]


def test_a_fault_is_named_for_every_law_that_checks_judge() -> None:
    assert [law.name for law in CATALOGUE.values() if seeded(law)] == CHECKED


@pytest.mark.slow
@pytest.mark.parametrize("name", CHECKED)
def test_the_fault_is_seen(name: str, tmp_path: Path) -> None:
    if native.find(native.MUTANTS) is None:
        pytest.skip("the mutants are written in C, and were not compiled")
    law = CATALOGUE[name]
    fault = seeded(law)
    assert fault is not None
    command = [sys.executable, "-m", "heaplaw.cli", "check", f"mutant:{fault.name}", "--seed", "1", "--seconds", "0"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 1, done.stderr
    assert f"{law.id} {law.name}" in done.stdout.splitlines()[-1]
