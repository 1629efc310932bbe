"""The reference arena's steps are proved, over any chunks; each faulty copy is refuted by what it breaks."""

import pytest

from heaplaw.mutants.reference import REFERENCE_MUTANTS, STEP_MUTANTS, load
from heaplaw.proofs.arena import obligations
from heaplaw.proofs.prove import Refuted, prove
from heaplaw.proofs.symbolic import Reading
from heaplaw.spec.catalogue import CATALOGUE
from heaplaw.spec.law import implied
from heaplaw.spec.verdict import Proved

from .refuting import READINGS, assert_proved, never_refuted, refuted_by

CALLS = ("alloc", "aligned", "zalloc")
LOOPS = ("release", "reset", "drop")


def each(*abouts: str, of: tuple[str, ...] = CALLS) -> tuple[str, ...]:
    """The same of every request, or of every loop."""
    return tuple(f"arena.{call}.{about}" for call in of for about in abouts)


REFUTES: dict[str, tuple[str, ...]] = {
    "ref-arena-tail-overrun": (*each("in_bounds"), *each("overflow_is_failure", of=("alloc", "aligned"))),
    "ref-arena-header-forgotten": (*each("invariant"), "arena.reset.reset_frees_all"),
    "ref-arena-slack-forgotten": ("arena.aligned.in_bounds",),
    "ref-arena-align-ignored": ("arena.aligned.aligned",),
    "ref-arena-gap-overlaps": ("arena.alloc.invariant",),
    "ref-arena-end-stale": (*each("preservation", of=LOOPS), "arena.grow.undone"),
    "ref-arena-top-stale": ("arena.release.preservation", "arena.grow.undone"),
    "ref-arena-scope-takes-chunk": each(
        "invariant", "total_is_live_bytes", "scope_frees_all", "as_marked", of=("release",)
    ),
    "ref-arena-mark-at-top": each("variant", "payload_kept", of=("release",)),
    "ref-arena-chunk-shorter": (*each("given", of=LOOPS), "arena.grow.given"),
    "ref-arena-reset-over-header": each("invariant", "empty", of=("reset",)),
    "ref-arena-zero-size-nothing": ("arena.alloc.invariant",),
    "ref-arena-chunks-kept": each("variant", of=LOOPS),
    "ref-arena-aligned-to-words": each("aligned"),
    "ref-arena-block-early": each("blocks_disjoint"),
    "ref-arena-linked-forwards": (
        *each("payload_kept", "accesses"),
        *each("constant_time", of=("alloc", "aligned")),
        "arena.grow.accesses",
    ),
    "ref-arena-refusal-counts": each("failure_changes_nothing"),
    "ref-arena-refusal-undefined": each("failure_is_reported"),
    "ref-arena-total-forgotten": each("total_is_live_bytes"),
    "ref-arena-count-forgotten": each("overflow_is_failure", "zeroed", of=("zalloc",)),
    "ref-arena-zero-words": ("arena.zalloc.zeroed",),
    "ref-arena-zero-size-refused": each("zero_size_as_promised", "serves"),
    "ref-arena-chunk-odd": each("asks"),
    "ref-arena-marks-end": ("arena.mark.invariant",),
    "ref-arena-chunks-too-small": ("arena.init.invariant",),
    "ref-arena-total-read-late": each("accesses", of=LOOPS),
    "ref-arena-cut-keeps-total": each("total_is_live_bytes", "scope_frees_all", of=("reset",)),
    "ref-arena-cut-keeps-top": ("arena.release.release_frees_all",),
    "ref-arena-endings-refused": each("free_is_served", of=("release", "reset")),
    "ref-arena-release-skips": ("arena.release.initialisation",),
    "ref-arena-reset-skips": ("arena.reset.initialisation",),
    "ref-arena-drop-skips": ("arena.drop.initialisation",),
    "ref-arena-drop-keeps-one": ("arena.drop.empty",),
}
"""Obligations that each faulty copy refutes, in both readings: that without bounds is for when there is time."""
WRAPPING = "ref-arena-sum-wraps"
"""A fault only of integers that wrap."""


def test_reference__every_obligation_is_proved() -> None:
    assert_proved(prove(obligations()))


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("mutant", REFUTES)
def test_fault__is_refuted(mutant: str, reading: Reading) -> None:
    assert refuted_by(mutant, "steps.arena", obligations, REFUTES[mutant], [reading]) == []


def test_fault__that_wraps_is_one_of_64_bits_alone() -> None:
    chosen = [one for one in obligations(load(WRAPPING, "steps.arena")) if one.name == "arena.alloc.blocks_disjoint"]
    found = {result.obligation.reading: type(result.answer) for result in prove(chosen)}
    assert found == {Reading.UNBOUNDED: Proved, Reading.W64: Refuted}


def test_faults__every_obligation_is_refuted_by_one() -> None:
    assert never_refuted(obligations, REFUTES) == set()


def test_faults__all_of_the_part_are_refuted() -> None:
    patches = (*REFERENCE_MUTANTS["arena"], *STEP_MUTANTS["arena"])
    assert {patch.name for patch in patches} == {*REFUTES, WRAPPING}


def test_reference__every_law_of_arenas_is_looked_at() -> None:
    names = {item.about for item in obligations()}
    offered = {"malloc", "calloc", "aligned_alloc", "reset", "release", "total_allocated", "remaining", "current_bytes"}
    offered |= {"zero size", "huge sizes", "cost", "constant time"}
    of_arenas = {
        name for name, item in CATALOGUE.items() if "arena" in item.shapes and item.needs <= implied(frozenset(offered))
    }
    assert of_arenas - names == {"sized"}, "which speaks of what a driver could write"
