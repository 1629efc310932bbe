"""Phases: stretches of a trace, each with one pattern of lifetimes, and the boundary groups between them.

A phase is a function that adds its blocks to a plan, about `length` operations of them from the time `start` on.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from heaplaw.spec.shapes import Kind

from . import table
from .asking import refused_sizes, stand_in, wrapping_factors
from .plan import STEP, Plan, class_sizes, draw_kinds, draw_sizes, log_uniform, small_sizes
from .script import Floats, Rng, Words

_VAST: Words = np.array(table.VAST_SIZES, np.uint64)


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
        death = np.where(np.arange(n) % 2 == 0, at + 0.4 * room, at + 0.8 * room) + plan.rng.uniform(0, 0.15 * room, n)
        plan.add(birth, death, sizes)
        m = int(room * 0.1)
        larger = sizes[:m] * np.uint64(2) + plan.rng.integers(0, 24, m).astype(np.uint64)
        plan.add(at + 0.6 * room + np.arange(m), at + 0.95 * room + plan.rng.uniform(0, 0.05 * room, m), larger)


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
    """Chains of resizes with neighbours alive: some spread over a lifetime, up and down; some in a row, growing."""
    n = max(1, length // 16)
    birth = start + np.sort(plan.rng.uniform(0, length, n))
    death = birth + plan.rng.exponential(length / 20, n) + 1
    size = np.maximum(small_sizes(plan.rng, n), 1).astype(np.uint64)
    blocks = plan.add(birth, death, size)
    times = between(plan.rng, np.repeat(birth, 6), np.repeat(death, 6))
    factor = plan.rng.choice(np.array([0.25, 0.5, 0.9, 1.0, 1.1, 1.5, 2.0, 4.0]), 6 * n)
    moved = np.repeat(size, 6) * factor + plan.rng.integers(-9, 10, 6 * n)
    plan.resize(np.repeat(blocks, 6), times, np.clip(moved, 1, 2**20).astype(np.uint64))
    grow_in_a_row(plan, start, length, max(1, length // (4 + 2 * table.LONGEST_GROWTH)))


def grow_in_a_row(plan: Plan, start: float, length: int, n: int) -> None:
    """Blocks that grow several times, by steps or by factors, with nothing between."""
    birth = start + np.sort(plan.rng.uniform(0, length, n))
    size = log_uniform(plan.rng, n, 1, 600)
    blocks = plan.add(birth, birth + 2 + plan.rng.exponential(200, n), size.astype(np.uint64))
    turns = table.LONGEST_GROWTH
    step = np.arange(1, turns + 1)
    added = size[:, None] + np.floor(log_uniform(plan.rng, n, 8, 300))[:, None] * step
    times = size[:, None] * plan.rng.choice(np.array([1.1, 1.3, 1.5, 2.0]), (n, 1)) ** step
    sizes = np.where(plan.rng.random((n, 1)) < 0.6, added, np.minimum(times, 2**18))
    kept = step <= plan.rng.integers(1, turns + 1, (n, 1))
    when = birth[:, None] + 1 + step * STEP
    plan.resize(np.repeat(blocks, turns)[kept.ravel()], when[kept], sizes[kept].astype(np.uint64))


def leaps(plan: Plan, start: float, length: float, n: int) -> None:
    """Blocks that are resized three times, each time to a size of any order of magnitude."""
    birth = start + np.sort(plan.rng.uniform(0, length, n))
    death = birth + plan.rng.exponential(100, n) + 1
    low, high = 1, 2**17
    blocks = plan.add(birth, death, log_uniform(plan.rng, n, low, high).astype(np.uint64))
    for _ in range(3):
        grow_some(plan, blocks, birth, death, log_uniform(plan.rng, n, low, high).astype(np.uint64))


def tides(plan: Plan, start: float, length: int) -> None:
    """Very many blocks of one exact size come, go but for a few survivors, and others come in their place."""
    at, end = start, start + length
    while at < end:
        crowd = int(min(plan.rng.choice(np.array(table.CROWDS)) * plan.rng.uniform(0.9, 1.1), (end - at) / 4))
        if crowd < 2:
            break
        tide(plan, at, crowd)
        at += 4.0 * crowd


def tide(plan: Plan, at: float, n: int) -> None:
    """One tide of `n` blocks; it takes 4 n operations."""
    rng = plan.rng
    size = int(rng.choice(np.array(table.CROWD_SIZES))) - int(rng.choice(np.array([0, 0, 0, 1, 7])))
    plain = rng.random() < 0.6
    rank = np.arange(n)
    back = [rank, n - 1 - rank, rng.permutation(n), rank // 2 + rank % 2 * (n // 2)][rng.integers(0, 4)]
    death = at + n + back * 1.0
    survivors = rng.integers(0, n, int(rng.choice(np.array([0, 1, 1, 3, 1 + n // 200]))))
    death[survivors] = at + n * rng.uniform(3.5, 4, len(survivors))
    kind = np.full(n, Kind.ALLOC, np.uint8) if plain else None
    plan.add(at + rank, death, np.full(n, size, np.uint64), kind)
    again = np.full(n, size, np.uint64) if rng.random() < 0.7 else small_sizes(rng, n)
    plan.add(at + n * rng.uniform(1.7, 2.7, n), at + n * rng.uniform(2.7, 3.7, n), again, kind)


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
    asking: list[Kind] = [k for k in (Kind.ALIGNED, Kind.POSIX_ALIGNED) if k in plan.kinds] or [Kind.ALLOC]
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
    plan.add(birth, birth + life, sizes, np.full(n, Kind.ALLOC, np.uint8) if plan.rng.random() < 0.5 else None)


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
    "tides": tides,
}


GROUP = 13
"""Operations of a boundary group, on average."""


def boundaries(
    plan: Plan,
    start: float,
    length: float,
    groups: int,
    family: table.SizeClass | None = None,
    vast: bool = True,
    above: int = 0,
) -> None:
    """Requests that are refused, each amid witnesses of what a refusal must not change.

    A group: x = malloc(s); none or a few refused; free(x); refused; y = malloc(s); resize y to a refused size; check y;
    z = malloc(s); free y; free z. s is of `family`, or of the mixture. With `vast`, now and then a size beyond 32 bits
    that may be served stands for the refused one. Refused sizes are above `above` bytes; there are no groups where no
    such size may be asked for.
    """
    rng, sizes = plan.rng, refused_sizes(plan.env, above)
    if not len(sizes):
        return
    at = start + np.sort(rng.uniform(0, length, groups))
    drawn = class_sizes(rng, groups, family) if family else draw_sizes(rng, groups)
    size = np.maximum(drawn, 1).astype(np.uint64)
    plain = np.full(groups, Kind.ALLOC, np.uint8)
    plan.add(at, at + 10 * STEP, size, plain)
    series = rng.choice(np.array(table.REFUSED_IN_A_ROW), groups)
    before = np.repeat(at, series)
    rank = np.arange(len(before)) - np.repeat(np.cumsum(series) - series, series)
    refused(plan, before + (1 + rank) * STEP, before + 19 * STEP, above=above)
    refused(plan, at + 11 * STEP, at + 20 * STEP, vast, above)
    kept = plan.add(at + 12 * STEP, at + 18 * STEP, size, plain)
    plan.resize(kept, at + 14 * STEP, rng.choice(sizes, groups))
    plan.check(kept, at + 15 * STEP)
    plan.add(at + 16 * STEP, at + 19 * STEP, size, plain)


def refused(plan: Plan, birth: Floats, death: Floats, vast: bool = False, above: int = 0) -> None:
    """Requests of every kind, for more than `above` bytes, that are refused."""
    rng, n = plan.rng, len(birth)
    kind = draw_kinds(rng, n, plan.kinds, plan.weights)
    size, count = rng.choice(refused_sizes(plan.env, above), n), np.ones(n, np.uint64)
    if vast and not plan.env.capacity and plan.env.max_request >= table.VAST_SIZES[-1]:
        some = np.arange(n) % 40 == 7
        kind[some], size[some] = Kind.ALLOC, rng.choice(_VAST, int(some.sum()))
    if not plan.env.capacity:  # it may be served after all: nobody shall have to zero that
        kind[(size <= table.VAST_SIZES[-1]) & (kind == Kind.ZALLOC)] = stand_in(plan.kinds)
    pairs = wrapping_factors(plan.env, above)
    wraps = (kind == Kind.ZALLOC) & (rng.random(n) < 0.7) & bool(len(pairs))
    if len(pairs):
        factors = pairs[rng.integers(0, len(pairs), n)]
        count[wraps], size[wraps] = factors[wraps, 0], factors[wraps, 1]
    plan.add(birth, death, size, kind, count=count)
