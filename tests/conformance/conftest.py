"""Test suites of users, in folders of their own."""

from collections.abc import Callable
from pathlib import Path

import pytest

# Runs inside this process take out of it what they imported: what they share must be there before.
import heaplaw.check
import heaplaw.conformance.again
import heaplaw.conformance.items
import heaplaw.models.allocator_machine
import heaplaw.recording
import heaplaw.report
import heaplaw.subjects.resolve
import heaplaw.terminal.facts  # noqa: F401

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
HEAD = """import os
import heaplaw
import pytest
from hasty_pool import HastyPool
from stack_pool import StackPool
"""
Suite = Callable[..., pytest.RunResult]


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """Runs pytest as a user would, on what the folder holds: the example pools, and a test file with this text."""
    for example in ("violate/hasty_pool.py", "conform/stack_pool.py"):
        pytester.makepyfile(**{Path(example).stem: (EXAMPLES / example).read_text()})
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.syspath_prepend(pytester.path)
    made: list[str] = []

    def run(text: str, *options: str, apart: bool = False, cached: bool = False) -> pytest.RunResult:
        if text:
            name = f"test_{pytester.path.name}_{len(made)}"  # a module of its own: this process keeps what it imported
            made.append(name)
            pytester.makepyfile(**{name: HEAD + text})
            options = (f"{name}.py", *options)
        started = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
        # The warning is of editable installs only.
        return started(
            *([] if cached else ["-p", "no:cacheprovider"]), "-W", "ignore:Module already imported", *options
        )

    return run
