"""docs/reference.md: its programs run, and say what stands there."""

import re
import sys
from ctypes import addressof, create_string_buffer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from heaplaw.recording import Recording
from heaplaw.references.table import REFERENCES
from heaplaw.refimpl.allocators import PoolAllocator, plain
from heaplaw.spec.catalogue import CATALOGUE

TEXT = (Path(__file__).parents[2] / "docs" / "reference.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
OUTPUT = re.search(r"```text\n(.*?)```", TEXT, re.DOTALL)


def test_programs__run(capsys: pytest.CaptureFixture[str]) -> None:
    for program in PROGRAMS:
        exec(program, {})
    assert OUTPUT is not None
    said = re.sub(r"0x[0-9a-f]+", "0x…", capsys.readouterr().out)
    assert [line for line in said.splitlines() if line] == [line for line in OUTPUT.group(1).splitlines() if line]


def test_readme__its_programs_run(monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    programs = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    assert len(programs) == 3
    mine = SimpleNamespace(
        MyStack=lambda capacity: Stack(create_string_buffer(capacity), capacity),
        MyPool=PoolAllocator,
        recording=Recording("malloc"),
    )
    monkeypatch.setitem(sys.modules, "mine", mine)
    for program in programs:
        names: dict[str, Any] = {}
        exec(program, names)
        machine = names.get("MyStackMachine")
        if machine:
            run_state_machine_as_test(machine, settings=settings(max_examples=5, derandomize=True, deadline=None))


class Stack(plain.Stack):
    """A stack that keeps its buffer."""

    def __init__(self, kept: Any, capacity: int) -> None:
        self.kept = kept
        super().__init__(addressof(kept), capacity)


def test_tables__name_every_reference_and_no_other() -> None:
    assert set(re.findall(r"`ref:([a-z-]+)`", TEXT)) == set(REFERENCES)


def test_laws__are_there() -> None:
    named = re.findall(r"`([a-z]+_[a-z_]+)`", TEXT.partition("## Laws on what they say")[2])
    assert len(named) == 11
    assert set(named) <= set(CATALOGUE)
