"""The reference free list's steps are proved, with neighbours joined and without; faulty ones are refuted."""

from collections.abc import Iterator
from typing import Any

import pytest

from heaplaw.mutants.reference import REFERENCE_MUTANTS, STEP_MUTANTS
from heaplaw.proofs.freelist import coalescing, obligations
from heaplaw.proofs.prove import Obligation, prove
from heaplaw.proofs.symbolic import Reading
from heaplaw.refimpl.steps import freelist

from .refuting import READINGS, assert_proved, never_refuted, refuted_by


def of(step: str, *abouts: str) -> tuple[str, ...]:
    """Obligations on one step."""
    return tuple(f"{step}.{about}" for about in abouts)


ALLOC, ZEROED, ALIGNED, DEALLOC = (f"freelist.{step}" for step in ("alloc", "zeroed", "aligned", "dealloc"))
JOINING_ALLOC, JOINING = "coalescing.alloc", "coalescing.dealloc"
WRONG_PLACE = ("listed", "apart", "free_xor_live", "headers", "counted", "accesses")
DAMAGE = ("usable_sizes_disjoint", "split_leaves_minimum", "payload_kept", "buffer_respected")
WRONG_ADDRESS = ("aligned", "in_bounds", "usable_size_covers_request", "blocks_disjoint", "first_fit")
TURNS = ("preservation", "variant", "linear_time")
BEHIND = ("listed", "headers", "accesses", "payload_kept", "buffer_respected", "split_leaves_minimum")
COUNTS = ("counted", "total_is_live_bytes", "remaining_is_rest")

REFUTES: dict[str, tuple[str, ...]] = {
    "ref-freelist-rest-of-16": of(ALLOC, "listed", "split_leaves_minimum"),
    "ref-freelist-least-forgotten": of(ALLOC, "headers", "split_leaves_minimum"),
    "ref-freelist-rest-too-long": of(ALLOC, "listed"),
    "ref-freelist-header-uncounted": of(ALLOC, "headers", "accesses", "usable_size_covers_request"),
    "ref-freelist-size-unrounded": of(ALLOC, "listed", "headers", "accesses"),
    "ref-freelist-lead-ignored": of(ALIGNED, "in_bounds", "blocks_disjoint", "first_fit"),
    "ref-freelist-exact-refused": of(ALLOC, "first_fit"),
    "ref-freelist-large-spared": of(ALLOC, "first_fit", "preservation"),
    "ref-freelist-front-whole": of(ALIGNED, "listed"),
    "ref-freelist-front-counted": of(ALIGNED, "listed"),
    "ref-freelist-start-forgotten": of(DEALLOC, "listed"),
    "ref-freelist-freed-twice": of(DEALLOC, "listed", "constant_time"),
    "ref-freelist-free-counts-payload": of(DEALLOC, "counted", "total_is_live_bytes"),
    "ref-freelist-usable-whole": ("freelist.usable.unharmed",),
    "ref-freelist-free-walks": of(DEALLOC, "constant_time"),
    "ref-freelist-looks-again": (*of(ALLOC, *TURNS), *of(ZEROED, *TURNS), *of(ALIGNED, *TURNS)),
    "ref-freelist-zero-words": of(ZEROED, "zeroed"),
    "ref-coalesce-list-cut": of(JOINING_ALLOC, "listed"),
    "ref-coalesce-above-never": of(JOINING, "listed"),
    "ref-coalesce-below-never": of(JOINING, "listed"),
    "ref-coalesce-above-far": of(JOINING, "listed"),
    "ref-coalesce-below-far": of(JOINING, "listed"),
    "ref-coalesce-header-twice": of(JOINING, "listed"),
    "ref-coalesce-size-lost": of(JOINING, "listed"),
    "ref-coalesce-swallowed-stays": of(JOINING, "listed"),
    "ref-coalesce-order-lost": of(JOINING, "listed", "apart", "preservation"),
    "ref-coalesce-end-skipped": of(JOINING, "listed"),
    "ref-coalesce-first-skipped": of(JOINING, "listed"),
    "ref-freelist-made-unaligned": (
        *of("freelist.init", "whole", "accesses"),
        *of("coalescing.init", "whole", "accesses"),
    ),
    "ref-freelist-payload-late": (
        *of(ALLOC, *WRONG_ADDRESS),
        *of(ZEROED, *WRONG_ADDRESS),
        *of(ALIGNED, "aligned", "usable_size_covers_request"),
    ),
    "ref-freelist-start-behind": (
        *of(ALLOC, *WRONG_PLACE, "order_kept", *DAMAGE),
        *of(ZEROED, *WRONG_PLACE, "order_kept", *DAMAGE),
        *of(ALIGNED, *WRONG_PLACE, "order_kept", *DAMAGE),
        *of(JOINING_ALLOC, *WRONG_PLACE),
    ),
    "ref-freelist-taken-uncounted": (*of(ALLOC, *COUNTS), *of(JOINING_ALLOC, *COUNTS)),
    "ref-freelist-refusal-counted": of(ALLOC, "failure_changes_nothing", "counted"),
    "ref-freelist-refusal-undefined": (
        *of(ALLOC, "failure_is_reported", "overflow_is_failure"),
        *of(ZEROED, "overflow_is_failure"),
    ),
    "ref-freelist-size-ignored": of(ALLOC, "overflow_is_failure", "in_bounds", "first_fit"),
    "ref-freelist-walk-begins-late": of(ALLOC, "initialisation", "variant"),
    "ref-freelist-last-unseen": (
        *of(ALLOC, "variant", "first_fit", "freed_is_reusable", "failure_changes_nothing"),
        *of(ZEROED, "freed_is_reusable", "failure_changes_nothing"),
        *of(JOINING_ALLOC, "freed_is_reusable", "failure_changes_nothing", "capacity_comes_back"),
    ),
    "ref-freelist-pushed-behind": of(DEALLOC, *BEHIND),
    "ref-freelist-free-overcounts": (*of(DEALLOC, *COUNTS), *of(JOINING, *COUNTS)),
    "ref-freelist-last-free-refused": (*of(DEALLOC, "free_is_served"), *of(JOINING, "free_is_served")),
    "ref-coalesce-joined-behind": of(JOINING, *BEHIND),
    "ref-coalesce-walk-begins-late": of(JOINING, "initialisation"),
    "ref-coalesce-looks-again": of(JOINING, "variant", "linear_time"),
}
"""Obligations that each faulty copy refutes, in both readings: that without bounds is for when there is time."""


def stated(steps: Any = freelist) -> Iterator[Obligation[Any]]:
    """Those of both variants."""
    yield from obligations(steps)
    yield from coalescing(steps)


def test_reference__every_obligation_is_proved() -> None:
    assert_proved(prove(obligations()))


def test_reference__every_obligation_of_the_joining_variant_is_proved() -> None:
    assert_proved(prove(coalescing()))


LONG = {"ref-freelist-front-counted"}
"""Refuted in seven seconds, by an obligation that ref-freelist-front-whole and ref-freelist-start-behind break too."""


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize(
    "mutant", [pytest.param(name, marks=[pytest.mark.slow] if name in LONG else []) for name in REFUTES]
)
def test_fault__is_refuted(mutant: str, reading: Reading) -> None:
    assert refuted_by(mutant, "steps.freelist", stated, REFUTES[mutant], [reading]) == []


def test_faults__every_obligation_is_refuted_by_one() -> None:
    assert never_refuted(stated, REFUTES) == set()


def test_faults__all_are_refuted() -> None:
    patches = (*REFERENCE_MUTANTS["freelist"], *REFERENCE_MUTANTS["coalescing"], *STEP_MUTANTS["freelist"])
    assert set(REFUTES) == {patch.name for patch in patches}
