"""Every allocator with a seeded fault is caught by the law that the fault breaks."""

from pathlib import Path

import pytest

from heaplaw.check import Check, check, nearness
from heaplaw.killmatrix.cases import COUNTED, NATIVE, Case, Source, all_cases, present
from heaplaw.killmatrix.engines import LIMITS, SEED, run
from heaplaw.killmatrix.kills import load
from heaplaw.minimise import minimise
from heaplaw.spec.catalogue import CATALOGUE, laws_of
from heaplaw.spec.verdict import Violated

LONGEST = 10
"""Operations of the shortest witness among the laws that count as a kill, where `LONG` does not say otherwise."""
LONG = {
    # faults that need many live or waiting blocks
    "slab-tail-over": 70,
    "free-64-skew": 140,
    "slab-release-early": 1000,
    "live-count-8bit": 1000,
    "carve-16bit": 200,
    "crash-at-1000": 1010,
    "coalesce-tag-far": 2000,
    "coalesce-loop": 60,
    "list-power-of-two": 70,
    "usable-grown": 70,
    "clause-resize-zero-leaks": 400,
    "counts-seven": 20,
    "loses-eighth": 30,
    # leaks: short loops, many times
    "no-reuse-2048": 400,
    "fifo-tail-lost": 2000,
    "coalesce-forgets": 400,
    "leak-eighth": 1500,
    "realloc-leaks-old": 400,
    "aligned-front-lost": 600,
    "fail-drops-lists": 600,
    "never-joins": 20_000,
    # counters of 8 bits, nests, rings
    "bump-down-below": 60,
    "bump-count-8bit": 260,
    "bump-check-8bit": 260,
    "stack-depth-64": 70,
    "stack-aside-ring": 135,
    "freelist-fourth-equal": 15,
    "freelist-grow-head": 15,
    "freelist-next-stale": 15,
    "freelist-shrunk-first": 15,
    "lua-rest-as-class": 30,
    "freelist-tail-stays": 150,
    "freelist-front-lost": 1000,
    "freelist-trusts-size": 1000,
    "freelist-refusal-drops": 1000,
    "arena-big-counted": 30,
    "arena-zero-recycled": 300,
    # pools of 100 blocks that must be full, or were full and empty again
    **dict.fromkeys(("pool-last-forgotten", "pool-reset-keeps-list", "pool-full-again", "pool-fifo-stale-tail"), 110),
    **dict.fromkeys(("pool-full-once", "pool-status-null", "pool-status-fill"), 110),
    **dict.fromkeys(("pool-drain-loses", "pool-drain-flips", "pool-check-drained"), 310),
    **dict.fromkeys(("pool-run-of-8", "pool-run-counts", "pool-tag-below"), 30),
}


APART = (Source.REFERENCE, Source.LISTS)
CASES = [case for case in all_cases() if case.source not in APART and case.law != COUNTED]
"""Those of the reference have engines of their own, see test_reference.py; for lists that are shown see tests/view, for
counts of instructions tests/cost.
"""
STRIDE = 25
"""Of mutants in C every so many-th with a short trace is hunted anew; all are run again by test_recorded.py."""
HUNTED = [
    pytest.param(
        case,
        marks=[pytest.mark.slow] if case.source in NATIVE and (index % STRIDE or case.name in LONG) else [],
        id=case.name,
    )
    for index, case in enumerate(CASES)
]
LIMIT = {Source.HEAP: 8.0}
"""Seconds of minimising, where it is not 3."""


def needs(case: Case) -> None:
    """Skip where the compiled library is not built."""
    if not present(case):
        pytest.skip("the library that this allocator is in is not built here")


@pytest.mark.parametrize("case", HUNTED)
def test_a_seeded_fault_is_caught_and_its_trace_made_short(case: Case) -> None:
    """A trace for one law that counts is made short, and for the next while none is short enough."""
    needs(case)
    subject, longest = case.subject(), LONG.get(case.name, LONGEST)
    done: list[int] = []
    try:
        state = Check(subject, SEED, case.operations, laws_of(subject.shape.name, scenes=True), LIMITS)
        state.run()
        killing = [finding for name, finding in state.findings.items() if name in case.laws]
        assert killing, f"{case.name} breaks {case.law}; found broken: {sorted(state.findings)}"
        for finding in sorted(killing, key=nearness):
            witness = minimise(subject, finding.law, finding.history, finding.violation, LIMIT.get(case.source, 3.0))
            assert witness.replayed[0] == witness.replayed[1]
            # Where the time for it ran out, a trace is as short as it got: how short that is depends on the machine.
            done += [len(witness.trace)] if witness.complete else []
            if min(done, default=longest) <= longest:
                break
    finally:
        subject.close()
    assert min(done, default=0) <= longest


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_law_that_a_fault_breaks_has_a_trace_that_replays(case: Case) -> None:
    needs(case)
    subject = case.subject()
    try:
        report = check(subject, SEED, case.operations, LIMITS, seconds=LIMIT.get(case.source, 3.0))
    finally:
        subject.close()
    assert {witness.law for witness in report.witnesses} & case.laws
    assert all(witness.replayed[0] == witness.replayed[1] for witness in report.witnesses)


def broken_laws(case: Case, profile: str = "mixed", operations: int | None = None) -> set[str]:
    """The laws that one run breaks, without minimising."""
    needs(case)
    subject = case.subject()
    try:
        state = Check(
            subject, SEED, operations or case.operations, laws_of(subject.shape.name, scenes=True), LIMITS, profile
        )
        state.run()
    finally:
        subject.close()
    return {verdict.law for verdict in state.verdicts() if isinstance(verdict.outcome, Violated)}


RECORDED = {(kill.law, kill.mutant) for kill in load(Path(__file__).with_name("kills"))}
"""Run again by test_recorded.py."""


@pytest.mark.parametrize("law", sorted(CATALOGUE))
def test_every_law_catches_a_fault_made_for_it(law: str) -> None:
    if any((law, case.name) in RECORDED for case in CASES if case.law == law):
        return
    made = [case for case in all_cases() if case.law == law]
    assert made, f"no faulty allocator breaks {law}"
    assert any(law in seen_broken(case) for case in made)


def seen_broken(case: Case) -> frozenset[str]:
    """The laws that are seen broken."""
    if case.source is Source.REFERENCE:
        return run(case, shorten=False).broken
    return frozenset(broken_laws(case))


@pytest.mark.slow
def test_a_third_of_the_faults_outlives_uniform_random_operations() -> None:
    for cases in ([case for case in CASES if case.source is Source.HEAP], *by_shape()):
        alive = [case.name for case in cases if not broken_laws(case, "uniform", 300_000) & case.laws]
        assert len(alive) >= len(cases) / 3, alive


def by_shape() -> list[list[Case]]:
    """The faulty allocators in C of each other shape."""
    written = [case for case in CASES if case.source is Source.SHAPES]
    return [[case for case in written if case.group == shape] for shape in sorted({case.group for case in written})]


def test_every_shape_has_enough_faulty_allocators() -> None:
    assert all(len(cases) >= 8 for cases in by_shape())
