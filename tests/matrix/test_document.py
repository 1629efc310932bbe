"""docs/matrix.md and docs/doctor.md: what they show is what the commands print."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from heaplaw.cli import cli

DOCS = Path(__file__).parents[2] / "docs"
ANY = "…"
"""A line that stands for any lines; at the end of a line, for the rest of it."""


def shown() -> Iterator[tuple[str, str]]:
    """Commands, and what stands behind each."""
    for name in ("matrix.md", "doctor.md"):
        for block in re.findall(r"```console\n\$ (.*?)```", (DOCS / name).read_text(encoding="utf-8"), re.DOTALL):
            command, _, said = block.partition("\n")
            yield command, said


def pattern(said: str) -> str:
    """What the output has to match. How many operations a run judged is not asked."""
    parts: list[str] = []
    for line in said.splitlines(keepends=True):
        if line.strip() == ANY:
            parts.append("(?:.*\n)*?")
            continue
        text, rest = (line.rstrip().removesuffix(ANY), ".*\n") if line.rstrip().endswith(ANY) else (line, "")
        text = re.sub(r"tested: [\d,]+", "tested: N", text)
        parts.append(re.escape(text).replace("tested:\\ N", "tested:\\ [\\d,]+") + rest)
    return "".join(parts)


@pytest.mark.parametrize(("command", "said"), list(shown()), ids=[command for command, _ in shown()])
def test_what_is_shown__is_what_is_printed(
    command: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command)
    if words[0] == "env":
        monkeypatch.setenv(*words[1].split("="))
        words = words[2:]
    assert words[0] == "heaplaw"
    result = CliRunner().invoke(cli, words[1:])
    assert result.exit_code == 0, result.output
    assert re.fullmatch(pattern(said), result.output), result.output


def test_documents__name_every_engine() -> None:
    from heaplaw.matrix import ENGINES

    text = (DOCS / "matrix.md").read_text(encoding="utf-8")
    assert [name for name in ENGINES if f"| `{name}` |" not in text] == []
