"""The reference bump's steps are proved, over any buffer; each faulty copy is refuted by what it breaks."""

from types import SimpleNamespace

import pytest

from heaplaw.mutants.reference import REFERENCE_MUTANTS, STEP_MUTANTS
from heaplaw.proofs.bump import invariant, obligations, owns
from heaplaw.proofs.parts import taken
from heaplaw.proofs.prove import prove
from heaplaw.proofs.symbolic import Reading
from heaplaw.refimpl.steps import bump
from heaplaw.spec.catalogue import laws_of

from .refuting import READINGS, assert_proved, never_refuted, refuted_by

CALLS = ("alloc", "aligned", "zalloc")


def each(*abouts: str) -> tuple[str, ...]:
    """The same of every request."""
    return tuple(f"bump.{call}.{about}" for call in CALLS for about in abouts)


REFUTES: dict[str, tuple[str, ...]] = {
    "ref-bump-padding-forgotten": each("owns"),
    "ref-bump-one-byte-over": (*each("invariant", "in_bounds"), "bump.zalloc.buffer_respected"),
    "ref-bump-sum-wraps": each("overflow_is_failure"),
    "ref-bump-offset-aligned": each("aligned"),
    "ref-bump-align-ignored": ("bump.aligned.fits_is_served",),
    "ref-bump-reset-keeps-total": ("bump.reset.invariant", "bump.reset.total_is_live_bytes", "bump.reset.as_at_first"),
    "ref-bump-reset-keeps-offset": (
        "bump.reset.remaining_is_rest",
        "bump.reset.reset_frees_all",
        *each("reset_frees_all"),
    ),
    "ref-bump-refusal-counts": each("failure_changes_nothing", "refusal_changes_nothing"),
    "ref-bump-product-forgotten": ("bump.zalloc.zeroed", "bump.zalloc.fits_is_served"),
    "ref-bump-zero-words": ("bump.zalloc.zeroed",),
    "ref-bump-total-unpadded": each("total_is_live_bytes"),
    "ref-bump-always-first": each("blocks_disjoint", "bump_monotonic"),
    "ref-bump-offset-restarts": each("owns_kept", "remaining_is_rest"),
    "ref-bump-last-bytes-written": (
        *each("accesses", "buffer_respected", "payload_kept"),
        "bump.reset.accesses",
        "bump.reset.buffer_respected",
    ),
    "ref-bump-counters-late": (*each("event"), "bump.reset.event"),
    "ref-bump-refusal-undefined": each("failure_is_reported"),
    "ref-bump-reset-refused": ("bump.reset.free_is_served",),
    "ref-bump-begins-with-a-word": ("bump.init.invariant", "bump.init.accesses", "bump.init.buffer_respected"),
    "ref-bump-room-doubted": each("fits_is_served"),
}
"""Obligations that each faulty copy refutes, in both readings: that without bounds is for when there is time."""


def test_reference__every_obligation_is_proved() -> None:
    assert_proved(prove(obligations()))


def test_reference__every_law_that_applies_is_proved() -> None:
    steps = SimpleNamespace(init=bump.init, step=bump.step, invariant=invariant, owns=owns)
    own = taken(steps, "bump")
    applicable = {each.name for each in laws_of("bump") if own.obeys(each.name)}
    # Whether bytes can be written is the machine's matter: that they are there is in_bounds.
    assert applicable - {each.about for each in obligations()} == {"sized"}


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("mutant", REFUTES)
def test_fault__is_refuted(mutant: str, reading: Reading) -> None:
    assert refuted_by(mutant, "steps.bump", obligations, REFUTES[mutant], [reading]) == []


def test_faults__every_obligation_is_refuted_by_one() -> None:
    assert never_refuted(obligations, REFUTES) == set()


def test_faults__all_are_refuted() -> None:
    patches = (*REFERENCE_MUTANTS["bump"], *STEP_MUTANTS["bump"])
    assert set(REFUTES) == {patch.name for patch in patches}
