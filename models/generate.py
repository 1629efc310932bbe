"""Bulk traces as columns: blocks with lifetimes are drawn a phase at a time, then laid out in order of time.

Nothing is simulated and nothing loops over operations: a phase is three arrays (birth, death, size), a trace is their
union, sorted. All randomness comes from the seed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from heaplaw.spec.event import NONE, Env
from heaplaw.spec.history import Trace
from heaplaw.spec.shapes import CALLS, SHAPES, Kind

from . import table

Floats = NDArray[np.float64]
Words = NDArray[np.uint64]
Rng = np.random.Generator

STEP = 1e-4
"""Distance in time between the operations of a group that stay together (ordinary ones are about 1 apart)."""


@dataclass
class Plan:
    """Blocks and what happens to them. Times are in operations from the start of the trace."""

    rng: Rng
    kinds: frozenset[Kind]
    boundary_share: float = table.BOUNDARY_SHARE
    births: list[Floats] = field(default_factory=list[Floats])
    deaths: list[Floats] = field(default_factory=list[Floats])
    sizes: list[Words] = field(default_factory=list[Words])
    kind: list[NDArray[np.uint8]] = field(default_factory=list[NDArray[np.uint8]])
    align: list[Words] = field(default_factory=list[Words])
    count: list[Words] = field(default_factory=list[Words])
    total: int = 0
    resized: list[tuple[NDArray[np.int64], Floats, Words]] = field(
        default_factory=list[tuple[NDArray[np.int64], Floats, Words]]
    )
    checked: list[tuple[NDArray[np.int64], Floats]] = field(
        default_factory=list[tuple[NDArray[np.int64], Floats]]
    )

    def add(
        self,
        birth: Floats,
        death: Floats,
        size: Words,
        kind: NDArray[np.uint8] | None = None,
        align: Words | None = None,
        count: Words | None = None,
    ) -> NDArray[np.int64]:
        """Add blocks; their numbers."""
        n = len(birth)
        self.births.append(birth)
        self.deaths.append(death)
        self.kind.append(draw_kinds(self.rng, n, self.kinds) if kind is None else kind)
        self.sizes.append(size)
        self.align.append(self.rng.choice(_ALIGNMENTS, n) if align is None else align)
        self.count.append(np.ones(n, np.uint64) if count is None else count)
        numbers = np.arange(self.total, self.total + n)
        self.total += n
        return numbers

    def resize(self, blocks: NDArray[np.int64], times: Floats, sizes: Words) -> None:
        """Resize blocks, where the subject can."""
        if Kind.RESIZE in self.kinds:
            self.resized.append((blocks, times, sizes))

    def check(self, blocks: NDArray[np.int64], times: Floats) -> None:
        """Read blocks back."""
        self.checked.append((blocks, times))


_ALIGNMENTS: Words = np.array(table.ALIGNMENTS, np.uint64)
_POWERS: Words = np.array(table.POWERS, np.uint64)
_REFUSED: Words = np.array(table.REFUSED_SIZES, np.uint64)
_VAST: Words = np.array(table.VAST_SIZES, np.uint64)
_FACTORS: Words = np.array(table.WRAPPING_FACTORS, np.uint64)
_ASKING = (Kind.ALLOC, Kind.ZALLOC, Kind.ALIGNED, Kind.POSIX_ALIGNED)


def draw_kinds(rng: Rng, n: int, kinds: Iterable[Kind]) -> NDArray[np.uint8]:
    """How `n` blocks are asked for, by the table's weights, among the operations that are there."""
    there = [kind for kind in _ASKING if kind in kinds]
    weights = np.array([table.KIND_WEIGHTS[CALLS[kind]] for kind in there], float)
    drawn = rng.choice(np.array(there, np.uint8), n, p=weights / weights.sum())
    return drawn.astype(np.uint8)


def log_uniform(rng: Rng, n: int, low: float, high: float) -> Floats:
    """`n` numbers between `low` and `high`, each order of magnitude equally often."""
    return np.exp(rng.uniform(np.log(low), np.log(high + 1), n))


def class_sizes(rng: Rng, n: int, family: table.SizeClass) -> Words:
    """`n` sizes of one family, bytes."""
    if not family.edges:
        return log_uniform(rng, n, family.low, family.high).astype(np.uint64)
    edges = (
        rng.integers(family.low // family.edges, family.high // family.edges, n, endpoint=True) * family.edges
    )
    return np.maximum(edges + rng.choice(np.array(table.NEAR), n), 0).astype(np.uint64)


def draw_sizes(rng: Rng, n: int, families: Sequence[table.SizeClass] = table.SIZES) -> Words:
    """`n` sizes from the table's mixture, bytes."""
    weights = np.array([family.weight for family in families], float)
    which = rng.choice(len(families), n, p=weights / weights.sum())
    sizes: Words = np.empty(n, np.uint64)
    for index, family in enumerate(families):
        mask = which == index
        sizes[mask] = class_sizes(rng, int(mask.sum()), family)
    powers = rng.random(n) < table.POWERS_SHARE
    sizes[powers] = rng.choice(_POWERS, int(powers.sum()))
    sizes[rng.random(n) < table.ZERO_SHARE] = 0
    return sizes


def small_sizes(rng: Rng, n: int) -> Words:
    """`n` sizes without the large families, bytes: for phases in which very many blocks are live."""
    return draw_sizes(rng, n, [family for family in table.SIZES if family.high <= 8192])


# ---- phases: each fills [start, start + length) operations


def fill_and_drain(plan: Plan, start: float, length: int) -> None:
    """Allocate, then free everything in random order."""
    half = length / 2
    n = length // 2
    plan.add(
        start + plan.rng.uniform(0, half, n),
        start + half + plan.rng.uniform(0, half, n),
        small_sizes(plan.rng, n),
    )


def churn(plan: Plan, start: float, length: int) -> None:
    """Lifetimes are exponential: a random live block dies next."""
    n = length // 2
    birth = start + np.sort(plan.rng.uniform(0, length, n))
    mean = log_uniform(plan.rng, 1, 20, max(21, min(8000, n)))[0]
    blocks = plan.add(birth, birth + plan.rng.exponential(mean * 2, n) + STEP, draw_sizes(plan.rng, n))
    some = plan.rng.random(n) < table.RESIZED_SHARE
    grow_some(plan, blocks[some], birth[some], plan.deaths[-1][some], draw_sizes(plan.rng, int(some.sum())))
    looked = plan.rng.random(n) < table.CHECKED_SHARE
    plan.check(blocks[looked], between(plan.rng, birth[looked], plan.deaths[-1][looked]))


def between(rng: Rng, low: Floats, high: Floats) -> Floats:
    """A moment strictly inside each lifetime."""
    return low + (high - low) * rng.uniform(0.05, 0.95, len(low))


def grow_some(plan: Plan, blocks: NDArray[np.int64], birth: Floats, death: Floats, sizes: Words) -> None:
    """Resize each block once, to at least one byte: what a resize to 0 means differs from allocator to allocator."""
    plan.resize(blocks, between(plan.rng, birth, death), np.maximum(sizes, 1).astype(np.uint64))


def first_in_first_out(plan: Plan, start: float, length: int) -> None:
    """A queue: every lifetime is the same."""
    n = length // 2
    birth = start + np.sort(plan.rng.uniform(0, length, n))
    depth = log_uniform(plan.rng, 1, 2, max(3, min(4000, n)))[0]
    plan.add(birth, birth + 2 * depth, draw_sizes(plan.rng, n))


def last_in_first_out(plan: Plan, start: float, length: int) -> None:
    """A stack: lifetimes nest, along a random walk of depths."""
    n = length // 2
    moves = np.where(plan.rng.permutation(2 * n) < n, 1, -1)
    depth = np.cumsum(moves)
    level = np.where(moves > 0, depth, depth + 1)
    order = np.lexsort((np.arange(2 * n), level))
    pairs = order.reshape(-1, 2)  # on each level, comings and goings alternate
    times = start + np.arange(2 * n) * (length / (2 * n))
    plan.add(times[pairs.min(axis=1)], times[pairs.max(axis=1)], draw_sizes(plan.rng, n))


def fragment(plan: Plan, start: float, length: int) -> None:
    """Fill with one size, free every other block, ask for larger ones, free the rest."""
    rounds = max(1, length // 2000)
    for turn in range(rounds):
        at, room = start + turn * length / rounds, length / rounds
        n = int(room * 0.4)
        size = int(class_sizes(plan.rng, 1, table.SIZES[2])[0])
        sizes = np.full(n, max(size, 1), np.uint64) + plan.rng.integers(0, 3, n).astype(np.uint64)
        birth = at + np.arange(n) * 0.9
        death = np.where(np.arange(n) % 2 == 0, at + 0.4 * room, at + 0.8 * room) + plan.rng.uniform(
            0, 0.15 * room, n
        )
        plan.add(birth, death, sizes)
        m = int(room * 0.1)
        larger = sizes[:m] * np.uint64(2) + plan.rng.integers(0, 24, m).astype(np.uint64)
        plan.add(
            at + 0.6 * room + np.arange(m), at + 0.95 * room + plan.rng.uniform(0, 0.05 * room, m), larger
        )


def recycle(plan: Plan, start: float, length: int) -> None:
    """Small crowds of one exact size come and go again and again."""
    crowds = max(1, length // 48)
    crowd = plan.rng.integers(1, 24, crowds)
    sizes = draw_sizes(plan.rng, crowds)
    sizes = np.repeat(sizes[plan.rng.integers(0, crowds, crowds) // 4], crowd)
    first = start + np.repeat(np.arange(crowds) * (length / crowds), crowd)
    rank = np.arange(len(sizes)) - np.repeat(np.cumsum(crowd) - crowd, crowd)
    n = np.repeat(crowd, crowd)
    order = np.repeat(plan.rng.integers(0, 3, crowds), crowd)
    back = np.where(order == 0, rank, np.where(order == 1, n - 1 - rank, plan.rng.random(len(sizes)) * n))
    plan.add(first + rank * 0.5, first + n * 0.5 + back * 0.5 + STEP, sizes)


def grow_and_shrink(plan: Plan, start: float, length: int) -> None:
    """Chains of resizes, with neighbours alive."""
    n = max(1, length // 8)
    birth = start + np.sort(plan.rng.uniform(0, length, n))
    death = birth + plan.rng.exponential(length / 20, n) + 1
    size = np.maximum(small_sizes(plan.rng, n), 1).astype(np.uint64)
    blocks = plan.add(birth, death, size)
    times = between(plan.rng, np.repeat(birth, 6), np.repeat(death, 6))
    factor = plan.rng.choice(np.array([0.25, 0.5, 0.9, 1.0, 1.1, 1.5, 2.0, 4.0]), 6 * n)
    moved = np.repeat(size, 6) * factor + plan.rng.integers(-9, 10, 6 * n)
    plan.resize(np.repeat(blocks, 6), times, np.clip(moved, 1, 2**20).astype(np.uint64))


def zero_after_dirt(plan: Plan, start: float, length: int) -> None:
    """Dirty blocks die, and zeroed ones of the same size are asked for at once."""
    n = length // 4
    birth = start + np.arange(n) * 4.0
    life = plan.rng.choice(np.array([1.0, 1.0, 9.0, 101.0]), n)
    size = draw_sizes(plan.rng, n)
    plan.add(birth, birth + life, size, np.full(n, Kind.ALLOC, np.uint8))
    split = plan.rng.choice(np.array([1, 1, 2, 4, 8, 16], np.uint64), n)
    kind = Kind.ZALLOC if Kind.ZALLOC in plan.kinds else Kind.ALLOC
    counted = kind is Kind.ZALLOC
    plan.add(
        birth + life + STEP,
        birth + life + plan.rng.choice(np.array([1.0, 30.0]), n),
        (size + split - np.uint64(1)) // split if counted else size,
        np.full(n, kind, np.uint8),
        count=split if counted else None,
    )


def aligned(plan: Plan, start: float, length: int) -> None:
    """Aligned requests of every kind, between ordinary ones."""
    n = length // 2
    birth = start + np.sort(plan.rng.uniform(0, length, n))
    asking = [kind for kind in (Kind.ALIGNED, Kind.POSIX_ALIGNED) if kind in plan.kinds] or [Kind.ALLOC]
    kind = plan.rng.choice(np.array([*asking, *asking, Kind.ALLOC], np.uint8), n).astype(np.uint8)
    blocks = plan.add(birth, birth + plan.rng.exponential(200, n) + STEP, small_sizes(plan.rng, n), kind)
    some = plan.rng.random(n) < table.RESIZED_SHARE
    grow_some(plan, blocks[some], birth[some], plan.deaths[-1][some], small_sizes(plan.rng, int(some.sum())))


def class_sweep(plan: Plan, start: float, length: int) -> None:
    """Every size from 0 on, one after another, in both directions: exact sizes are met, and met again after frees."""
    n = length // 2
    sizes = np.arange(n) % 1100
    sizes = np.where((np.arange(n) // 1100) % 2 == 0, sizes, 1099 - sizes).astype(np.uint64)
    birth = start + np.arange(n) * 2.0
    life = plan.rng.choice(np.array([1.0, 5.0, 41.0, 801.0]), 1)[0]
    plan.add(
        birth, birth + life, sizes, np.full(n, Kind.ALLOC, np.uint8) if plan.rng.random() < 0.5 else None
    )


RUNNERS: dict[str, Callable[[Plan, float, int], None]] = {
    "fill and drain": fill_and_drain,
    "churn": churn,
    "first in, first out": first_in_first_out,
    "last in, first out": last_in_first_out,
    "fragment": fragment,
    "recycle": recycle,
    "grow and shrink": grow_and_shrink,
    "zero after dirt": zero_after_dirt,
    "aligned": aligned,
    "class sweep": class_sweep,
}


def boundaries(plan: Plan, start: float, length: float, groups: int) -> None:
    """Requests that are refused, each amid witnesses of what a refusal must not change.

    A group: x = malloc(s); free(x); refused; y = malloc(s); resize y to a refused size; check y; free y.
    """
    rng = plan.rng
    at = start + np.sort(rng.uniform(0, length, groups))
    size = np.maximum(small_sizes(rng, groups), 1).astype(np.uint64)
    plain = np.full(groups, Kind.ALLOC, np.uint8)
    plan.add(at, at + STEP, size, plain)
    kind = draw_kinds(rng, groups, plan.kinds)
    refused = rng.choice(_REFUSED, groups)
    vast = np.arange(groups) % 40 == 7
    kind[vast], refused[vast] = Kind.ALLOC, rng.choice(_VAST, int(vast.sum()))
    count = np.ones(groups, np.uint64)
    wraps = (kind == Kind.ZALLOC) & (rng.random(groups) < 0.7)
    factors = _FACTORS[rng.integers(0, len(_FACTORS), groups)]
    count[wraps], refused[wraps] = factors[wraps, 0], factors[wraps, 1]
    plan.add(at + 2 * STEP, at + 9 * STEP, refused, kind, count=count)
    kept = plan.add(at + 3 * STEP, at + 8 * STEP, size, plain)
    plan.resize(kept, at + 5 * STEP, rng.choice(_REFUSED, groups))
    plan.check(kept, at + 6 * STEP)


# ---- laying out


def lay_out(
    plan: Plan, shape: str, env: Env, profile: str, seed: int, parts: Sequence[tuple[float, str]]
) -> Trace:
    """Sort everything that happens to blocks into operations, and name blocks by slots."""
    birth, death = np.concatenate(plan.births), np.concatenate(plan.deaths)
    blocks = np.arange(plan.total)
    zero, one = np.zeros(plan.total, np.uint64), np.ones(plan.total, np.uint64)
    kind, align = np.concatenate(plan.kind), np.concatenate(plan.align)
    size, count = np.concatenate(plan.sizes), np.concatenate(plan.count)
    rounded = (
        kind == Kind.ALIGNED
    )  # aligned_alloc: a multiple of the alignment (C11 7.22.3.1), if that does not wrap
    up = (size + align - np.uint64(1)) & ~(align - np.uint64(1))
    size = np.where(rounded & (up >= size), up, size)
    align = np.where((kind == Kind.ALIGNED) | (kind == Kind.POSIX_ALIGNED), align, zero)
    resized, checked = plan.resized, plan.checked
    rb = np.concatenate([b for b, _, _ in resized]) if resized else blocks[:0]
    cb = np.concatenate([b for b, _ in checked]) if checked else blocks[:0]
    columns = [
        (birth, kind, blocks, size, align, count),
        (death, np.full(plan.total, Kind.FREE, np.uint8), blocks, zero, zero, one),
        (
            np.concatenate([t for _, t, _ in resized]) if resized else birth[:0],
            np.full(len(rb), Kind.RESIZE, np.uint8),
            rb,
            np.concatenate([s for _, _, s in resized]) if resized else size[:0],
            zero[:1].repeat(len(rb)),
            one[:1].repeat(len(rb)),
        ),
        (
            np.concatenate([t for _, t in checked]) if checked else birth[:0],
            np.full(len(cb), Kind.CHECK, np.uint8),
            cb,
            zero[:1].repeat(len(cb)),
            zero[:1].repeat(len(cb)),
            one[:1].repeat(len(cb)),
        ),
    ]
    time, k, block, s, a, c = (np.concatenate(column) for column in zip(*columns, strict=True))
    order = np.argsort(time, kind="stable")
    k, block, s, a, c = k[order], block[order], s[order], a[order], c[order]
    starts = np.searchsorted(time[order], [at for at, _ in parts]) if parts else []
    named = tuple((int(at), name) for at, (_, name) in zip(starts, parts, strict=True))
    data = {"kind": k, "slot": slots(k, block), "size": s, "align": a, "count": c}
    return Trace(shape, data, env, profile, seed, named)


def slots(kind: NDArray[np.uint8], block: NDArray[np.int64]) -> NDArray[np.uint32]:
    """For each operation that names a block, the latest earlier operation that made it; NONE for the others."""
    n = len(kind)
    by_block = np.argsort(block, kind="stable")
    makes = ((kind != Kind.FREE) & (kind != Kind.CHECK))[by_block]
    latest = np.maximum.accumulate(np.where(makes, np.arange(n), 0))
    before = np.concatenate(([0], latest[:-1])) if n else latest
    result = np.empty(n, np.uint32)
    result[by_block] = by_block[before].astype(np.uint32)
    asking = (kind != Kind.FREE) & (kind != Kind.CHECK) & (kind != Kind.RESIZE)
    result[asking] = NONE
    return result


def cut(trace: Trace, n: int) -> Trace:
    """The first `n` operations: a prefix is a valid trace."""
    columns = {name: column[:n] for name, column in trace.columns.items()}
    return Trace(
        trace.shape, columns, trace.env, trace.profile, trace.seed, tuple(p for p in trace.parts if p[0] < n)
    )


# ---- profiles


def mixed(n: int, seed: int, kinds: Iterable[Kind], boundary_share: float = table.BOUNDARY_SHARE) -> Trace:
    """About `n` operations of a malloc: every phase of the table, several times, boundary groups all along."""
    rng = np.random.default_rng(seed)
    plan = Plan(rng, frozenset(kinds), boundary_share)
    rounds = max(1, min(8, n // 40_000))
    weights = sum(phase.weight for phase in table.PHASES)
    ordinary = (
        n * (1 - boundary_share) * 1.08
    )  # phases fall a little short of their length; the rest is cut off
    at, parts = 0.0, list[tuple[float, str]]()
    for _ in range(rounds):
        for index in rng.permutation(len(table.PHASES)):
            phase = table.PHASES[index]
            length = max(8, int(ordinary * phase.weight / weights / rounds))
            parts.append((at, phase.name))
            RUNNERS[phase.name](plan, at, length)
            at += length
    boundaries(plan, 0.0, at, max(1, int(n * boundary_share / 7)))
    return cut(lay_out(plan, "malloc", Env(), "mixed", seed, parts), n)


def uniform(n: int, seed: int, kinds: Iterable[Kind]) -> Trace:
    """The plain alternative: any operation, sizes uniform in 1..4096, a random live block. For comparison only."""
    rng = np.random.default_rng(seed)
    plan = Plan(rng, frozenset(kinds))
    m = n // 2
    birth = np.sort(rng.uniform(0, n, m))
    blocks = plan.add(
        birth, birth + rng.exponential(1000, m) + STEP, rng.integers(1, 4096, m).astype(np.uint64)
    )
    grow_some(
        plan,
        blocks[::4],
        birth[::4],
        plan.deaths[-1][::4],
        rng.integers(1, 4096, len(birth[::4])).astype(np.uint64),
    )
    return cut(lay_out(plan, "malloc", Env(), "uniform", seed, []), n)


def steady(n: int, seed: int, kinds: Iterable[Kind], small: bool = False) -> Trace:
    """One distribution of sizes and lifetimes throughout, which frees everything that it allocates.

    `small`: few small blocks live at a time, for heaps that may have little room.
    """
    rng = np.random.default_rng(seed)
    plan = Plan(rng, frozenset(kinds) - {Kind.RESIZE, Kind.ALIGNED, Kind.POSIX_ALIGNED})
    m = n // 2
    birth = np.arange(m) * 2.0
    mean, family = (
        (table.SMALL_LIFETIME, table.SMALL_SIZES) if small else (table.STEADY_LIFETIME, table.STEADY_SIZES)
    )
    lives = np.minimum(rng.exponential(2 * mean, m), 8 * mean) + STEP
    plan.add(birth, birth + lives, class_sizes(rng, m, family))
    return lay_out(plan, "malloc", Env(), "steady", seed, [])


def pool(n: int, seed: int, env: Env) -> Trace:
    """About `n` operations of a pool: crowds up to and beyond its capacity, freed in every order."""
    rng = np.random.default_rng(seed)
    plan = Plan(rng, SHAPES["pool"].operations)
    at, blocks = 0.0, int(env.num_blocks)
    while at < n:
        crowd = int(rng.choice([1, 2, 3, 5, 8, max(1, blocks - 1), blocks, blocks + 1, blocks + 2]))
        order = rng.integers(0, 4)
        rank = np.arange(crowd)
        back = [rank, crowd - 1 - rank, rng.permutation(crowd), rank * 0 + rng.exponential(blocks, crowd)][
            order
        ]
        plan.add(
            at + rank,
            at + crowd + back * 0.9 + STEP,
            np.full(crowd, int(env.block_size), np.uint64),
            np.full(crowd, Kind.ALLOC, np.uint8),
        )
        if rng.random() < 0.5:
            looked = rng.integers(plan.total - crowd, plan.total, 1)
            plan.check(looked, np.array([at + crowd - 0.5]))
        at += float(rng.choice([crowd, 2 * crowd, 2 * crowd + 1]))
    return cut(lay_out(plan, "pool", env, "mixed", seed, []), n)
