"""docs/proving.md: its program, changed as it says, is refuted and proved as it says."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from heaplaw.cli import cli
from heaplaw.proving.parts import obligations

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "proving.md").read_text()
BLOCKS = re.findall(r"```(python|diff|text)\n(.*?)```", TEXT, re.DOTALL)
EXAMPLE = ROOT / "examples" / "proving" / "my_bump.py"
SUMS = re.compile(r"(\d+ obligations: .*);")
COMMAND = "$ heaplaw prove my_bump:MyBump --shape bump\n"


def changed(program: str, diff: str) -> str:
    """`program` with the change: lines of both, or of one of the two."""
    before, after = (
        "".join(line[1:] for line in diff.splitlines(keepends=True) if line[0] in f" {sign}") for sign in "-+"
    )
    assert program.count(before) == 1, diff
    return program.replace(before, after)


def stages() -> Iterator[tuple[str, str]]:
    """Each program, and all that is shown of what is said of it."""
    program, shown = "", ""
    for kind, block in BLOCKS:
        if kind == "text":
            shown += block
            continue
        if shown:
            yield program, shown
            shown = ""
        program = block if kind == "python" else changed(program, block)
    yield program, shown


STAGES = list(stages())


def normalised(text: str) -> str:
    """Without what may differ: numbers, and where lines break."""
    return " ".join(re.sub(r"0x[0-9a-f]+|\d+(\.\d+)?", "N", text).split())


def test_document__is_whole() -> None:
    assert len(STAGES) == 5
    assert all(COMMAND in shown for _, shown in STAGES)
    assert EXAMPLE.read_text().partition("\n")[2] == STAGES[-1][0]


@pytest.mark.parametrize("stage", range(5))
def test_document__says_what_is_said(stage: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, shown = STAGES[stage]
    (tmp_path / "my_bump.py").write_text(program)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "my_bump", raising=False)
    obligations.cache_clear()
    done = CliRunner().invoke(cli, [*COMMAND.split()[2:], "-j", "1"])
    assert done.exit_code == (0 if stage in (2, 4) else 1), done.output
    assert SUMS.findall(done.output) == SUMS.findall(shown)
    said = normalised(done.output)
    for piece in filter(None, map(normalised, re.split(r"^…$", shown.replace(COMMAND, ""), flags=re.MULTILINE))):
        before, found, said = said.partition(piece)
        assert found == piece, before
