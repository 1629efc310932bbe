"""docs/reference.md: its programs run, and say what stands there."""

import re
from pathlib import Path

import pytest

from heaplaw.references.table import REFERENCES
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


def test_tables__name_every_reference_and_no_other() -> None:
    assert set(re.findall(r"`ref:([a-z-]+)`", TEXT)) == set(REFERENCES)


def test_laws__are_there() -> None:
    named = re.findall(r"`([a-z]+_[a-z_]+)`", TEXT.partition("## Laws on what they say")[2])
    assert len(named) == 11
    assert set(named) <= set(CATALOGUE)
