"""Bulk traces: valid, repeatable, and with everything in them that the table promises."""

import numpy as np
import pytest

from heaplaw.minimise import take
from heaplaw.models import generate, table
from heaplaw.models.phases import RUNNERS
from heaplaw.spec.event import NONE, NULL, Env
from heaplaw.spec.history import Trace
from heaplaw.spec.layout import PTRDIFF_MAX
from heaplaw.spec.shapes import MAKERS, MALLOC, TAKERS, Kind

N = 60_000
POOL = Env(align_by_size=False, max_align=8, block_size=64, num_blocks=7)


def make(name: str, seed: int, n: int = N) -> Trace:
    if name == "pool":
        return generate.pool(n // 10, seed, POOL)
    if name == "small steady":
        return generate.steady(n // 10, seed, MALLOC.operations, small=True)
    if name == "steady":
        return generate.steady(n, seed, MALLOC.operations)
    return (generate.mixed if name == "mixed" else generate.uniform)(n, seed, MALLOC.operations)


PROFILES = ["mixed", "uniform", "steady", "small steady", "pool"]


def assert_valid(trace: Trace) -> None:
    """Slots name earlier operations that make blocks; operations that take none have none."""
    kind, slot = np.asarray(trace.columns["kind"]), np.asarray(trace.columns["slot"]).astype(np.int64)
    index = np.arange(len(trace))
    takes = np.isin(kind, [int(k) for k in TAKERS])
    assert np.isin(kind, [int(k) for k in Kind]).all()
    assert (slot[~takes] == NONE).all()
    named = takes & (slot != NONE) & (slot != NULL)
    assert (slot[named] < index[named]).all()
    assert np.isin(kind[slot[named]], [int(k) for k in MAKERS]).all()


def same(a: Trace, b: Trace) -> bool:
    return all(np.array_equal(np.asarray(a.columns[name]), np.asarray(b.columns[name])) for name in a.columns)


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_slots_name_earlier_makers(name: str, seed: int) -> None:
    assert_valid(make(name, seed))


@pytest.mark.parametrize("name", PROFILES)
def test_a_seed_gives_one_trace_and_another_seed_another(name: str) -> None:
    assert same(make(name, 5), make(name, 5))
    assert not same(make(name, 5), make(name, 6))


@pytest.mark.parametrize("name", PROFILES)
def test_prefixes_and_subsets_are_valid(name: str) -> None:
    trace = make(name, 3)
    assert_valid(generate.cut(trace, len(trace) // 3))
    rng = np.random.default_rng(9)
    kept = np.flatnonzero(rng.random(len(trace)) < 0.5)
    subset = take(trace, kept)
    assert_valid(subset)
    assert same(take(generate.cut(trace, 300), np.arange(0, 300, 3)), generate.cut(trace, 300).subset(range(0, 300, 3)))


@pytest.mark.parametrize("name", ["steady", "small steady"])
def test_steady_workloads_free_every_block(name: str) -> None:
    trace = make(name, 4)
    kind, slot = np.asarray(trace.columns["kind"]), np.asarray(trace.columns["slot"])
    gone = set(slot[(kind == Kind.FREE) | (kind == Kind.RESIZE)].tolist())
    made = set(np.flatnonzero(np.isin(kind, [int(k) for k in MAKERS])).tolist())
    assert made == gone


def test_every_phase_and_kind_occurs() -> None:
    trace = make("mixed", 1)
    assert {name for _, name in trace.parts} == set(RUNNERS) == {phase.name for phase in table.PHASES}
    for name in ("mixed", "steady"):
        there = MALLOC.operations | {Kind.CHECK}
        assert set(np.asarray(make(name, 1).columns["kind"]).tolist()) == {int(kind) for kind in there}


def test_only_operations_that_are_there_occur() -> None:
    few = frozenset({Kind.ALLOC, Kind.FREE})
    for draw in (generate.mixed, generate.steady, generate.uniform):
        kinds = set(np.asarray(draw(20_000, 1, few).columns["kind"]).tolist())
        assert kinds <= {int(Kind.ALLOC), int(Kind.FREE), int(Kind.CHECK)}


def test_every_class_of_sizes_and_every_boundary_occurs() -> None:
    trace = make("mixed", 2, 300_000)
    c = {name: np.asarray(column) for name, column in trace.columns.items()}
    sizes = c["size"][np.isin(c["kind"], [int(k) for k in MAKERS])]
    for family in table.SIZES:
        assert ((sizes >= family.low) & (sizes <= family.high)).sum() > 100, family.name
    drawn = set(sizes.tolist())
    assert set(range(1, 1025)) <= drawn
    assert 0 in drawn
    assert {2**k + d for k in range(4, 18) for d in (-1, 0, 1)} <= drawn
    assert len(drawn & set(table.REFUSED_SIZES)) > 0.9 * len(table.REFUSED_SIZES)
    assert drawn & set(table.VAST_SIZES)
    assert (sizes > PTRDIFF_MAX).any()
    factors = set(zip(c["count"].tolist(), c["size"].tolist(), strict=True))
    assert len(factors & set(table.WRAPPING_FACTORS)) > len(table.WRAPPING_FACTORS) / 2
    assert set(table.ALIGNMENTS) <= set(c["align"].tolist())


def test_aligned_alloc_is_given_multiples_of_the_alignment() -> None:
    trace = make("mixed", 1)
    c = {name: np.asarray(column) for name, column in trace.columns.items()}
    plain = (c["kind"] == Kind.ALIGNED) & (c["size"] < 2**62)
    assert (c["size"][plain] % c["align"][plain] == 0).all()


def test_more_than_a_thousand_blocks_of_one_size_are_live_at_once() -> None:
    trace = make("mixed", 1, 300_000)
    c = {name: np.asarray(column) for name, column in trace.columns.items()}
    best = 0
    for size in range(1, 1025):
        made = (c["kind"] == Kind.ALLOC) & (c["size"] == size)
        freed = (c["kind"] == Kind.FREE) & made[np.minimum(c["slot"].astype(np.int64), len(trace) - 1)]
        best = max(best, int(np.cumsum(made.astype(int) - freed).max()))
    assert best > 1000
