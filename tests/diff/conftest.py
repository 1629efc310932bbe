"""`heaplaw diff` as a user types it, in an empty folder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from heaplaw import interrupts, native
from heaplaw.check import Check
from heaplaw.cli import main
from heaplaw.difference import behaving, staged
from heaplaw.difference.probes import PROBES


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def summary(self) -> str:
        """What stands behind the names in the last line."""
        return self.out.splitlines()[-1].rpartition(": ")[2]


Diff = Callable[..., Ran]


@pytest.fixture
def diff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Diff:
    """Run the command in this process, in the test's folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(interrupts, "install", lambda: None)

    def do(*words: str) -> Ran:
        with pytest.raises(SystemExit) as ended:
            main(["diff", *words])
        said = capsys.readouterr()
        return Ran(int(ended.value.code or 0), said.out, said.err)

    return do


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of the probes, and no scenes: where the command is what is looked at, the others would only take time."""
    kept = tuple(probe for probe in PROBES if probe.name in ("zero", "refused"))
    assert len(kept) == 2
    monkeypatch.setattr(behaving, "PROBES", kept)
    monkeypatch.setattr(staged, "PARTS", ())
    monkeypatch.setattr(Check, "scenes", lambda _check: None)


@pytest.fixture
def mutants() -> None:
    """The allocators in C that come with heaplaw are built here."""
    if native.find(native.MUTANTS) is None:
        pytest.skip("the mutants' library is not built here (no C compiler)")
