"""The reference's layout functions are proved, for every alignment at once; each faulty copy is refuted."""

import pytest

from heaplaw.mutants.reference import REFERENCE_MUTANTS, STEP_MUTANTS, load
from heaplaw.proofs.layouts import obligations
from heaplaw.proofs.prove import Refuted, prove
from heaplaw.proofs.symbolic import Reading
from heaplaw.spec.catalogue import CATALOGUE
from heaplaw.spec.law import Scope
from heaplaw.spec.verdict import Proved

from .refuting import assert_proved, never_refuted, refuted_by

REFUTES: dict[str, tuple[str, ...]] = {
    "ref-layout-no-padding": ("layout.extend.layout_extends_like_c",),
    "ref-layout-padded-by-base": ("layout.extend.layout_extends_like_c",),
    "ref-layout-tail-padded": ("layout.extend.layout_extends_like_c",),
    "ref-layout-align-of-last": ("layout.extend.layout_align_is_largest",),
    "ref-layout-align-added": ("layout.extend.layout_align_is_largest",),
    "ref-layout-stride-unpadded": ("layout.array.layout_strides",),
    "ref-layout-last-unpadded": ("layout.array.layout_strides",),
    "ref-layout-product-wraps": ("layout.array.layout_served_if_possible", "layout.array.layout_strides"),
    "ref-layout-half-refused": ("layout.new.layout_served_if_possible", "layout.extend.layout_served_if_possible"),
    "ref-layout-any-align": ("layout.new.layout_served_if_possible",),
    "ref-layout-padded-more": ("layout.padded.layout_served_if_possible", "layout.padded.layout_size_kept"),
    "ref-layout-new-unaligned": ("layout.new.layout_align_is_largest",),
    "ref-layout-new-padded": ("layout.new.layout_size_kept",),
    "ref-layout-array-unaligned": ("layout.array.layout_align_is_largest",),
    "ref-layout-padded-unaligned": ("layout.padded.layout_align_is_largest",),
    "ref-layout-members-swapped": ("layout.extend.by_name",),
}
"""Obligations that each faulty copy refutes, in both readings."""
BELOW_ZERO = "ref-layout-negative-taken"
"""Its fault is in unbounded integers only: there are none below 0 in 64 bits."""


def test_reference__every_obligation_is_proved() -> None:
    assert_proved(prove(obligations()))


def test_laws__all_on_layouts_are_proved() -> None:
    of_layouts = {law.name for law in CATALOGUE.values() if law.scope is Scope.LAYOUT}
    assert {each.about for each in obligations()} == {*of_layouts, "by_name"}


@pytest.mark.parametrize("mutant", REFUTES)
def test_fault__is_refuted(mutant: str) -> None:
    assert refuted_by(mutant, "layout", obligations, REFUTES[mutant]) == []


def test_numbers_below_zero__exist_in_unbounded_integers_only() -> None:
    stated = obligations(load(BELOW_ZERO, "layout"))
    answers = {
        each.obligation.reading: each.answer
        for each in prove(each for each in stated if each.name == "layout.new.layout_served_if_possible")
    }
    refuted = answers[Reading.UNBOUNDED]
    assert isinstance(refuted, Refuted)
    assert -8 <= dict(refuted.values)["size"] < 0
    assert isinstance(answers[Reading.W64], Proved)


def test_faults__every_obligation_is_refuted_by_one() -> None:
    assert never_refuted(obligations, REFUTES) == set()


def test_faults__all_are_refuted() -> None:
    patches = (*REFERENCE_MUTANTS["layout"], *STEP_MUTANTS["layout"])
    assert {*REFUTES, BELOW_ZERO} == {patch.name for patch in patches}
