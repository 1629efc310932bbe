"""Bulk traces as columns: blocks with lifetimes are drawn a phase at a time, then laid out in order of time.

Nothing is simulated and nothing loops over operations: a phase is three arrays (birth, death, size), a trace is their
union, sorted. All randomness comes from the seed.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heaplaw.spec.event import NONE, Env
from heaplaw.spec.history import Trace
from heaplaw.spec.shapes import SHAPES, Kind

from . import table
from .phases import GROUP, RUNNERS, boundaries, grow_some
from .plan import STEP, Plan, class_sizes

# ---- laying out


def lay_out(plan: Plan, shape: str, env: Env, profile: str, seed: int, parts: Sequence[tuple[float, str]]) -> Trace:
    """Sort everything that happens to blocks into operations, and name blocks by slots."""
    birth, death = np.concatenate(plan.births), np.concatenate(plan.deaths)
    blocks = np.arange(plan.total)
    zero, one = np.zeros(plan.total, np.uint64), np.ones(plan.total, np.uint64)
    kind, align = np.concatenate(plan.kind), np.concatenate(plan.align)
    size, count = np.concatenate(plan.sizes), np.concatenate(plan.count)
    rounded = kind == Kind.ALIGNED  # aligned_alloc: a multiple of the alignment (C11 7.22.3.1), if that does not wrap
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
    starts: NDArray[Any] | list[int] = np.searchsorted(time[order], [at for at, _ in parts]) if parts else []
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
    return Trace(trace.shape, columns, trace.env, trace.profile, trace.seed, tuple(p for p in trace.parts if p[0] < n))


# ---- profiles


def mixed(n: int, seed: int, kinds: Iterable[Kind], boundary_share: float = table.BOUNDARY_SHARE) -> Trace:
    """About `n` operations of a malloc: every phase of the table, several times, boundary groups all along."""
    rng = np.random.default_rng(seed)
    plan = Plan(rng, frozenset(kinds))
    rounds = max(1, min(8, n // 100_000))
    weights = sum(phase.weight for phase in table.PHASES)
    ordinary = n * (1 - boundary_share) * 1.08  # phases fall a little short of their length; the rest is cut off
    at, parts = 0.0, list[tuple[float, str]]()
    for _ in range(rounds):
        for index in rng.permutation(len(table.PHASES)).tolist():
            phase = table.PHASES[int(index)]
            length = max(8, int(ordinary * phase.weight / weights / rounds))
            parts.append((at, phase.name))
            RUNNERS[phase.name](plan, at, length)
            at += length
    boundaries(plan, 0.0, at, max(1, int(n * boundary_share / GROUP)))
    return cut(lay_out(plan, "malloc", Env(), "mixed", seed, parts), n)


def uniform(n: int, seed: int, kinds: Iterable[Kind]) -> Trace:
    """The plain alternative: any operation, sizes uniform in 1..4096, a random live block. For comparison only."""
    rng = np.random.default_rng(seed)
    plan = Plan(rng, frozenset(kinds))
    m = n // 2
    birth = np.sort(rng.uniform(0, n, m))
    blocks = plan.add(birth, birth + rng.exponential(1000, m) + STEP, rng.integers(1, 4096, m).astype(np.uint64))
    grow_some(
        plan,
        blocks[::4],
        birth[::4],
        plan.deaths[-1][::4],
        rng.integers(1, 4096, len(birth[::4])).astype(np.uint64),
    )
    return cut(lay_out(plan, "malloc", Env(), "uniform", seed, []), n)


def steady(n: int, seed: int, kinds: Iterable[Kind], small: bool = False) -> Trace:
    """One distribution of sizes, lifetimes and kinds throughout, which frees everything that it allocates.

    Single blocks, crowds of one exact size that come and go together, resizes within the same family of sizes, boundary
    groups. `small`: few small blocks live at a time, for heaps that may have little room.
    """
    rng = np.random.default_rng(seed)
    plan = Plan(rng, frozenset(kinds), table.STEADY_KINDS, table.STEADY_ALIGNMENTS)
    crowd, mean, family, exact_family = (
        (table.SMALL_CROWD, table.SMALL_LIFETIME, table.SMALL_SIZES, table.SMALL_SIZES)
        if small
        else (table.STEADY_CROWD, table.STEADY_LIFETIME, table.STEADY_SIZES, table.STEADY_CROWD_SIZES)
    )
    m = int(n * 0.3)
    birth = np.sort(rng.uniform(0, n, m))
    lives = np.minimum(rng.exponential(2 * mean, m), 8 * mean) + STEP
    sizes = class_sizes(rng, m, family)
    if small:
        larger = rng.random(m) < table.SMALL_LARGER_SHARE
        sizes[larger] = class_sizes(rng, int(larger.sum()), table.SMALL_LARGER)
    blocks = plan.add(birth, birth + lives, sizes)
    some = rng.random(m) < table.STEADY_RESIZED_SHARE
    grow_some(plan, blocks[some], birth[some], (birth + lives)[some], class_sizes(rng, int(some.sum()), family))
    crowds = max(1, int(n * 0.15) // crowd)
    first = np.sort(rng.uniform(0, n, crowds))
    members = np.repeat(first, crowd) + np.tile(np.arange(crowd), crowds)
    gone = members + 2 * crowd + rng.uniform(0, crowd, crowds * crowd)
    exact = rng.choice(class_sizes(rng, table.STEADY_EXACT, exact_family), crowds)
    plan.add(members, gone, np.repeat(exact, crowd))
    boundaries(plan, 0.0, n, max(1, int(n * table.STEADY_BOUNDARY_SHARE / GROUP)), family, vast=False)
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
        back = [rank, crowd - 1 - rank, rng.permutation(crowd), rank * 0 + rng.exponential(blocks, crowd)][order]
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
