"""Correct allocators of many kinds raise no alarm, unless their mapping promises what they lack."""

from pathlib import Path

import pytest

from heaplaw import native
from heaplaw.check import Check
from heaplaw.killmatrix.cases import CORRECT_CASES, NATIVE, Case, present
from heaplaw.killmatrix.engines import LIMITS
from heaplaw.mutants.shapes import MAPPING
from heaplaw.spec.catalogue import laws_of
from heaplaw.spec.verdict import Violated
from heaplaw.subjects import ProcessSubject
from heaplaw.subjects.mapped import mapped_subject

SEEDS = (1, 2, 3)
QUICK = 2_000
"""Operations of a run; `heaplaw check mutant:NAME` makes as many as is usual."""


class Drawn(Check):
    """A check of what is drawn alone: scenes are the same for every seed."""

    def scenes(self) -> None:
        """None."""


def alarms(subject: ProcessSubject, seed: int, operations: int) -> list[str]:
    """The laws that are seen broken."""
    kind = Check if seed == SEEDS[0] else Drawn
    state = kind(subject, seed, operations, laws_of(subject.shape.name, scenes=True), LIMITS)
    state.run()
    return [verdict.law for verdict in state.verdicts() if isinstance(verdict.outcome, Violated)]


def of_seeds(case: Case, operations: int) -> list[str]:
    if not present(case):
        pytest.skip("the library that this allocator is in is not built here")
    subject = case.subject()
    try:
        return [law for seed in SEEDS for law in alarms(subject, seed, operations)]
    finally:
        subject.close()


def counted(case: Case) -> bool:
    """Its mapping promises what calls cost: counting instructions takes seconds, see tests/cost."""
    return case.name in MAPPING and "cost = " in MAPPING[case.name].read_text()


@pytest.mark.parametrize("case", [case for case in CORRECT_CASES if not counted(case)], ids=lambda case: case.name)
def test_a_correct_allocator_raises_no_alarm(case: Case) -> None:
    assert of_seeds(case, min(QUICK, case.operations)) == []


@pytest.mark.slow
@pytest.mark.parametrize("case", CORRECT_CASES, ids=lambda case: case.name)
def test_a_correct_allocator_raises_no_alarm_in_long_runs(case: Case) -> None:
    assert of_seeds(case, 3 * case.operations) == []


def test_there_are_many_and_each_is_unusual_in_a_way_of_its_own() -> None:
    native_ones = [case for case in CORRECT_CASES if case.source in NATIVE]
    assert len(native_ones) >= 24
    assert len({case.name for case in CORRECT_CASES}) == len(CORRECT_CASES)
    assert [case.name for case in CORRECT_CASES if not case.summary] == []
    # Of several shapes the plain one says the same.
    assert len({case.summary for case in native_ones}) >= 24


LACKED = (
    ("ok-pool-fifo", 'reuse = "fifo"', 'reuse = "lifo"', "reuse_order"),
    ("ok-pool", 'reuse = "lifo"', 'reuse = "fifo"', "reuse_order"),
    ("ok-pool-bits", 'reuse = "any"', 'reuse = "lifo"', "reuse_order"),
    ("ok-bump-down", 'direction = "down"', 'direction = "up"', "bump_monotonic"),
    ("ok-bump-null-zero", 'zero_size = "null"', 'zero_size = "unique"', "zero_size_as_promised"),
    ("ok-arena", 'zero_size = "unique"', 'zero_size = "null"', "zero_size_as_promised"),
    ("ok-freelist-null-zero", 'zero_size = "null"', 'zero_size = "unique"', "zero_size_as_promised"),
    ("ok-freelist", "[promises]\n", "[promises]\ncoalesces = true\n", "capacity_comes_back"),
    ("ok-stack", "header = 16", "header = 0", "fits_is_served"),
    ("ok-clauses", 'zero_resize = "null"', 'zero_resize = "unique"', "zero_resize_as_promised"),
    ("ok-clauses", 'double = "abort"', 'double = "ignore"', "misuse_as_declared"),
    ("ok-clauses", 'interior = "ignore"', 'interior = "abort"', "misuse_as_declared"),
)
"""Variant, what its mapping says, what it would promise instead, and the law that the variant then breaks."""


@pytest.mark.skipif(native.find(native.SHAPES) is None, reason="the library of these allocators is not built here")
@pytest.mark.parametrize(("name", "says", "promises", "law"), LACKED, ids=lambda text: str(text).strip())
def test_a_promise_that_is_not_kept_is_an_alarm(name: str, says: str, promises: str, law: str, tmp_path: Path) -> None:
    text = MAPPING[name].read_text()
    assert text.count(says) == 1
    path = tmp_path / "promised.toml"
    path.write_text(text.replace(says, promises))
    subject = mapped_subject(path, "", native.find(native.SHAPES), {"HEAPLAW_MUTANT": name})
    try:
        assert law in alarms(subject, 1, QUICK)
    finally:
        subject.close()
