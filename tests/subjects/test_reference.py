"""The reference allocators as subjects: every law that applies is judged and holds, and what breaks one is seen."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from heaplaw.check import Report, check
from heaplaw.emit import pytest_regression
from heaplaw.errors import UsageError
from heaplaw.models.reporting import Counting
from heaplaw.references import explicit, system
from heaplaw.references.table import REFERENCES
from heaplaw.spec.catalogue import CATALOGUE
from heaplaw.spec.report import REPORTS
from heaplaw.spec.verdict import Holds, NotApplicable
from heaplaw.subjects import ProcessSubject, resolve
from heaplaw.subjects.resolve import from_spec

SEED = 7
FEW = 800
MORE = {"bump": 4_000, "stack": 4_000, "arena": 2_000}
"""Operations that bring requests for more than any object."""


def judged(name: str, operations: int) -> Report:
    (subject,) = resolve(f"ref:{name}")
    try:
        return check(subject, SEED, operations)
    finally:
        subject.close()


LONG = {"freelist", "platform", "pools", "pools-starved", "trace", "trace-starved", "large", "collected"}
"""Judged for ten seconds and more; tests/system judges their allocators in this process."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in LONG else []) for name in REFERENCES]
)
def test_every_law_that_applies_holds(name: str) -> None:
    report = judged(name, MORE.get(name, FEW))
    decided = {verdict.law: verdict.outcome for verdict in report.verdicts}
    short = {"reuse", "capacity_comes_back"}  # so few operations may not be enough to judge these
    wrong = {law: outcome for law, outcome in decided.items() if not isinstance(outcome, Holds | NotApplicable)}
    assert set(wrong) <= short, wrong
    assert not report.broken


SHOWN = {"walk", "free_shared", "live_shared", "least_fit", "taken_from"}
"""What a mapping's view shows of a free list, and no reference reports: tests/view."""


def test_laws_on_reports_are_all_judged_of_some_reference() -> None:
    told = {name: made.plan.offers | made.promises for name, made in REFERENCES.items()}
    for law in CATALOGUE.values():
        if law.needs & (REPORTS - SHOWN) or "limit" in law.needs:
            shapes = [name for name, made in REFERENCES.items() if made.shape in law.shapes]
            assert any(law.needs <= told[name] for name in shapes), law.name


def test_an_unknown_name() -> None:
    with pytest.raises(UsageError, match=r"ref:stak: no such reference allocator; similar: stack"):
        resolve("ref:stak")


def test_a_stored_subject_is_made_again() -> None:
    (subject,) = resolve("ref:stack")
    try:
        again = from_spec(subject.spec)
        try:
            assert (again.identity, again.offers, again.env) == (subject.identity, subject.offers, subject.env)
        finally:
            again.close()
    finally:
        subject.close()


# ------------------------------------------------------------------------------------------------- plain objects


def test_counting__words_of_headers_alone() -> None:
    from heaplaw.refimpl.memory import RealMemory

    memory = Counting(RealMemory(64))
    address = memory.memory.address
    memory.write(address, 7)
    assert memory.read(address) == 7
    memory.zero(address, 64)
    assert memory.words == 2


def test_listed__tells_the_list_before_and_the_cost_of_the_call_alone() -> None:
    from heaplaw.refimpl.memory import RealMemory

    room = RealMemory(1024)
    heap = explicit.freelist(room.address, 1024)
    first = heap.alloc(100, 8)
    assert (heap.first_fit(), heap.nodes()) == (first, 1)
    heap.alloc(100, 8)
    heap.dealloc(first)
    spent = heap.cost()
    assert spent == 4
    assert heap.least_free() >= 32
    assert heap.cost() == spent, "what is read for reports is not the call's"
    assert heap.nodes() == 1
    assert heap.alloc(2000, 8) == 0
    assert (heap.first_fit(), heap.nodes()) == (0, 2)


def test_labels() -> None:
    assert [system.label_of(system.tag_of(label)) for label in range(4)] == [0, 1, 2, 3]
    assert system.label_of("other") == system.label_of("tag x") == 2**64 - 1


def test_a_leak_line_of_another_place_is_another_tag() -> None:
    plain = system.Plain(SimpleNamespace(leaks=lambda: [SimpleNamespace(address=8, size=1, tag="", file="x", line=1)]))
    assert plain.leak_tag(8) == 2**64 - 1
    assert plain.leak_lines(16) == plain.leak_tag(16) == 0


# ------------------------------------------------------------------------------------------------------- faults


@pytest.fixture
def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProcessSubject:
    """The stack over a copy of the reference in which a pop forgets the frame below."""
    import heaplaw

    source = Path(heaplaw.__file__).parent / "refimpl"
    copied = tmp_path / "copied"
    for path in source.rglob("*.py"):
        target = copied / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(path.read_text())
    steps = copied / "steps" / "stack.py"
    kept = "return replace(state, offset=state.prev_offset, prev_offset=below)"
    assert kept in steps.read_text()
    steps.write_text(steps.read_text().replace(kept, "return replace(state, offset=state.prev_offset)"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    from heaplaw.subjects.reference import reference_subject

    return reference_subject("stack", "copied")


def test_a_faulty_copy_is_caught_and_told_in_its_own_calls(faulty: ProcessSubject, tmp_path: Path) -> None:
    try:
        report = check(faulty, SEED, 2_000)
    finally:
        faulty.close()
    assert "lifo_pop" in {verdict.law for verdict in report.broken}
    assert min(len(witness.trace) for witness in report.witnesses) <= 6
    from heaplaw.store import document_of, load, save

    witness = report.witnesses[0]
    path = save(tmp_path, document_of(witness, faulty.spec, faulty.identity, SEED))
    assert "stack.pop(" in path.read_text() or load(path).subject["package"] == "copied"
    assert "def test_" in pytest_regression(load(path))
