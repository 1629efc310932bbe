"""The reference's size classes are proved, for requests of any size; each faulty copy is refuted."""

import pytest

from heaplaw.mutants.reference import STEP_MUTANTS
from heaplaw.proofs.prove import prove
from heaplaw.proofs.sizes import MOST, obligations
from heaplaw.refimpl.steps.sizes import SIZES

from .refuting import assert_proved, never_refuted, refuted_by

REFUTES: dict[str, tuple[str, ...]] = {
    "ref-sizes-exact-fit-missed": ("sizes.class_of.least", "sizes.search.least"),
    "ref-sizes-one-too-small": ("sizes.class_of.least", "sizes.search.least"),
    "ref-sizes-search-ends-early": ("sizes.class_of.least", "sizes.search.least"),
    "ref-sizes-odd-classes": ("sizes.class_size.spaced",),
    "ref-sizes-two-in-a-doubling": ("sizes.class_size.waste",),
    "ref-sizes-ends-at-half": ("sizes.class_size.parents",),
    "ref-sizes-parent-forgotten": ("sizes.class_size.block", "sizes.class_size.parents"),
    "ref-sizes-odd-are-large": ("sizes.class_size.monotonic",),
    "ref-sizes-descending": ("sizes.class_of.least",),
}
"""Obligations that each faulty copy refutes, in both readings."""


def test_reference__every_obligation_is_proved() -> None:
    results = prove(obligations())
    assert_proved(results)
    found = {each.obligation.name: each.paths for each in results}
    assert found["sizes.class_of.least"] == len(SIZES) + 1  # one way for each class, and one for what is a parent's
    assert found["sizes.search.least"] == sum(length + 1 for length in range(MOST + 1))


@pytest.mark.parametrize("mutant", REFUTES)
def test_fault__is_refuted(mutant: str) -> None:
    assert refuted_by(mutant, "steps.sizes", obligations, REFUTES[mutant]) == []


def test_faults__every_obligation_is_refuted_by_one() -> None:
    assert never_refuted(obligations, REFUTES) == set()


def test_faults__all_are_refuted() -> None:
    assert set(REFUTES) == {patch.name for patch in STEP_MUTANTS["sizes"]}
