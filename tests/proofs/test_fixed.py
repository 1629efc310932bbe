"""The system's freelist of one size is proved over any parent; faulty ones are refuted."""

import pytest

from heaplaw.mutants.reference import REFERENCE_MUTANTS, STEP_MUTANTS
from heaplaw.proofs.fixed import obligations
from heaplaw.proofs.prove import prove
from heaplaw.proofs.symbolic import Reading

from .refuting import READINGS, assert_proved, never_refuted, refuted_by

REFUTES: dict[str, tuple[str, ...]] = {
    "ref-fixed-blocks-too-many": ("fixed.extended.variant",),
    "ref-fixed-chunk-uncounted": ("fixed.extended.initialisation",),
    "ref-fixed-freed-lost": ("fixed.free.invariant",),
    "ref-fixed-freed-half": ("fixed.free.invariant",),
    "ref-fixed-align-ignored": ("fixed.alloc.aligned", "fixed.alloc.served_if_possible"),
    "ref-fixed-list-kept": ("fixed.alloc.initialisation",),
    "ref-fixed-chunk-nowhere": ("fixed.extended.initialisation",),
    "ref-fixed-stale-free": ("fixed.free.payload_kept",),
    "ref-fixed-resize-frees": (
        "fixed.realloc.invariant", "fixed.realloc.payload_kept", "fixed.realloc.failure_changes_nothing",
    ),
    "ref-fixed-resize-beyond": ("fixed.realloc.blocks_disjoint",),
    "ref-fixed-resize-whole-refused": ("fixed.realloc.shrink_succeeds",),
    "ref-fixed-refusal-counts": ("fixed.alloc.failure_changes_nothing", "fixed.alloc.invariant"),
    "ref-fixed-last-kept": ("fixed.alloc.freed_is_reusable", "fixed.alloc.chunk_when_empty"),
    "ref-fixed-whole-refused": ("fixed.alloc.served_if_possible",),
    "ref-fixed-second-word-up": ("fixed.alloc.blocks_disjoint", "fixed.alloc.free_xor_live"),
    "ref-fixed-behind-cleared": ("fixed.alloc.payload_kept",),
    "ref-fixed-chunk-short": ("fixed.alloc.still_apart",),
    "ref-pool-grid-narrow": ("fixed.extended.preservation", "fixed.extended.accesses"),
    "ref-pool-thread-last-left": ("fixed.extended.all_join",),
}  # fmt: skip
BEYOND = {"ref-fixed-block-narrow"}
"""The constructor takes only numbers that are known: what it sets is assumed."""


def test_reference__every_obligation_is_proved() -> None:
    assert_proved(prove(obligations()))


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("mutant", REFUTES)
def test_mutant__is_refuted(mutant: str, reading: Reading) -> None:
    assert refuted_by(mutant, "system.freelist", obligations, REFUTES[mutant], [reading]) == []


def test_mutants__all_of_them_and_every_obligation() -> None:
    mine = {patch.name for patch in (*REFERENCE_MUTANTS["fixed"], *STEP_MUTANTS["fixed"])}
    assert mine - REFUTES.keys() == BEYOND
    assert never_refuted(obligations, REFUTES) == set()
