"""Witnesses of faults that are known, found by nobody: these operations on that subject break the law."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from heaplaw import native
from heaplaw.minimise import LIMITS, Witness
from heaplaw.picture import heap_text
from heaplaw.spec.catalogue import law
from heaplaw.spec.history import Op, make_trace
from heaplaw.spec.judge import judge
from heaplaw.spec.verdict import Violated
from heaplaw.steps import steps_text
from heaplaw.store import Stored, document_of, load, save
from heaplaw.subjects import ProcessSubject, resolve
from heaplaw.wording import Wording

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """A subject, and what was seen of it."""

    subject: ProcessSubject
    witness: Witness

    @property
    def lines(self) -> list[str]:
        """Steps and picture."""
        history, guilty = self.witness.history, self.witness.violation.operations
        steps = steps_text(history, guilty, self.witness.law, Wording.of(self.subject))
        return [*steps, "", *heap_text(history, guilty)]

    def stored(self, folder: Path) -> Stored:
        """Written to a file, and read back."""
        return load(save(folder, document_of(self.witness, self.subject.spec, self.subject.identity, 1)))


Found = Callable[..., Case]


@pytest.fixture
def found() -> Iterator[Found]:
    """The witness that a few operations give."""
    subjects: list[ProcessSubject] = []

    def do(name: str | Path, law_name: str, ops: Sequence[Op], shape: str | None = None) -> Case:
        if str(name).startswith("mutant:") and native.find(native.SHAPES) is None:
            pytest.skip("the allocators with faults are not built here (no C compiler)")
        (subject,) = resolve(str(name), shape=shape)
        subjects.append(subject)
        subject.host(64)
        trace = make_trace(subject.shape.name, ops, subject.env)
        history = subject.run(trace, LIMITS)
        outcome = judge(history, [law(law_name)])[0].outcome
        assert isinstance(outcome, Violated), (name, law_name, outcome)
        return Case(subject, Witness(law_name, trace, outcome.violations[0], history, len(ops), runs=1))

    yield do
    for subject in subjects:
        subject.close()


@pytest.fixture
def mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """A mapping beside faulty.c, which is compiled where it is used; `source`: under another name."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler (Debian: gcc)")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def do(text: str, name: str = "mine", source: str = "faulty.c") -> Path:
        (tmp_path / source).write_text((HERE / "faulty.c").read_text())
        path = tmp_path / f"{name}.toml"
        path.write_text(text)
        return path

    return do
