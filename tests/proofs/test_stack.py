"""The reference stack's steps are proved, at any depth; each faulty copy is refuted by what it breaks."""

import pytest

from heaplaw.mutants.reference import REFERENCE_MUTANTS, STEP_MUTANTS, load
from heaplaw.proofs.prove import Refuted, prove
from heaplaw.proofs.stack import obligations
from heaplaw.proofs.symbolic import Reading
from heaplaw.spec.catalogue import laws_of, reports
from heaplaw.spec.law import PROMISES

from .refuting import READINGS, assert_proved, never_refuted, refuted_by

CALLS = ("alloc", "aligned", "zalloc")


def each(*abouts: str) -> tuple[str, ...]:
    """The same of every request."""
    return tuple(f"stack.{call}.{about}" for call in CALLS for about in abouts)


REFUTES: dict[str, tuple[str, ...]] = {
    "ref-stack-prev-lost": ("stack.pop.invariant", "stack.alloc_pop.identity"),
    "ref-stack-pops-two": ("stack.pop.lifo_pop", "stack.alloc_pop.lifo_pop", "stack.alloc_pop_alloc.lifo_pop"),
    "ref-stack-first-stays": ("stack.pop.total_is_live_bytes", "stack.pop.remaining_is_rest"),
    "ref-stack-header-not-counted": each("in_bounds"),
    "ref-stack-header-in-payload": each("invariant"),
    "ref-stack-padding-lost": ("stack.aligned.invariant",),
    "ref-stack-header-aligned": ("stack.aligned.aligned",),
    "ref-stack-header-at-payload": ("stack.aligned.invariant", "stack.alloc_pop.identity"),
    "ref-stack-header-stores-top": ("stack.alloc.invariant", "stack.alloc_pop.identity"),
    "ref-stack-header-unaligned": (*each("accesses"), "stack.pop.accesses"),
    "ref-stack-sum-wraps": each("overflow_is_failure"),
    "ref-stack-zero-words": ("stack.zalloc.zeroed",),
    "ref-stack-reset-keeps-top": (
        "stack.reset.reset_frees_all",
        "stack.reset.invariant",
        "stack.alloc_reset.reset_frees_all",
        "stack.alloc_reset_alloc.reset_frees_all",
    ),
    "ref-stack-header-twice": ("stack.alloc.constant_time", "stack.aligned.constant_time"),
    "ref-stack-header-read-twice": ("stack.pop.constant_time",),
    "ref-stack-header-below": each("payload_kept", "buffer_respected"),
    "ref-stack-pop-erases": ("stack.pop.payload_kept",),
    "ref-stack-empty-popped": ("stack.pop.accesses", "stack.pop.invariant"),
    "ref-stack-block-high": each("aligned"),
    "ref-stack-block-low": each("blocks_disjoint"),
    "ref-stack-room-kept": each("fits_is_served"),
    "ref-stack-refusal-counted": each("failure_changes_nothing"),
    "ref-stack-refusal-undefined": each("failure_is_reported"),
    "ref-stack-counters-late": (
        *each("total_is_live_bytes", "remaining_is_rest"),
        "stack.reset.total_is_live_bytes",
        "stack.reset.remaining_is_rest",
    ),
    "ref-stack-undoing-refused": ("stack.pop.free_is_served", "stack.reset.free_is_served"),
    "ref-stack-reset-writes": ("stack.reset.untouched",),
    "ref-stack-begins-with-frame": ("stack.init.invariant", "stack.alloc_reset.identity"),
    "ref-stack-begins-by-writing": ("stack.init.untouched",),
}
"""Obligations that each faulty copy refutes, in both readings: that without bounds is for when there is time."""


def test_reference__every_obligation_is_proved() -> None:
    assert_proved(prove(obligations()))


def test_laws__all_that_speak_of_single_steps_are_proved() -> None:
    # These speak of payloads that are written, of processes, of instances, of errno; and statistics are no stack's.
    others = {"sized", "first_operation", "errno_told", "invariant_holds", "made_again", "linear_time"}
    others |= {law.name for law in reports.LAWS}
    spoken = {law.name for law in laws_of("stack") if not law.needs & (PROMISES - {"constant time"})}
    assert spoken - {each.about for each in obligations()} - others == set()


def test_pop__is_refuted_at_the_depth_that_shows_it() -> None:
    chosen = [
        each for each in obligations(load("ref-stack-pops-two", "steps.stack")) if each.name == "stack.pop.lifo_pop"
    ]
    for result in prove(chosen):
        assert isinstance(result.answer, Refuted)
        assert dict(result.answer.values)["depth"] >= 2


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("mutant", REFUTES)
def test_fault__is_refuted(mutant: str, reading: Reading) -> None:
    assert refuted_by(mutant, "steps.stack", obligations, REFUTES[mutant], [reading]) == []


def test_faults__every_obligation_is_refuted_by_one() -> None:
    assert never_refuted(obligations, REFUTES) == set()


def test_faults__all_are_refuted() -> None:
    assert set(REFUTES) == {patch.name for patch in (*REFERENCE_MUTANTS["stack"], *STEP_MUTANTS["stack"])}
