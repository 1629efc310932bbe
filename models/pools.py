"""Traces of pools: crowds of blocks up to and beyond the capacity, freed in every order."""

from dataclasses import replace
from functools import partial

import numpy as np

from heaplaw.spec.event import Env
from heaplaw.spec.layout import SIZE_MAX
from heaplaw.spec.shapes import Kind

from .layout import laid_out
from .plan import STEP, Plan
from .score import Score, Sorts, performed
from .script import Parts, Rng, Script, joined, ragged


def crowds(rng: Rng, kinds: frozenset[Kind], env: Env, length: int) -> Script:
    """About `length` operations: crowds come and go, one after another or the next while the last one goes.

    Then the pool is empty; now and then all is done once more.
    """
    blocks = max(1, int(env.num_blocks))
    some = np.array([1, 2, 3, 5, 8, max(1, blocks - 1), blocks, blocks + 1, blocks + 2])
    lengths = rng.choice(some, max(1, length // 2))
    lengths = lengths[: max(1, int(np.searchsorted(np.cumsum(2 * lengths), length)))]
    gaps = lengths * rng.choice(np.array([1, 2, 2]), len(lengths)) + rng.integers(0, 2, len(lengths))
    group, rank = ragged(lengths)
    at, crowd = (np.cumsum(gaps) - gaps)[group], lengths[group]
    n = len(group)
    orders = [rank, crowd - 1 - rank, np.argsort(np.argsort(group + rng.random(n))) - (np.arange(n) - rank)]
    back = np.choose(rng.integers(0, 4, len(lengths))[group], [*orders, rng.exponential(blocks, n)])
    plan = Plan(rng, kinds, env=replace(env, max_request=SIZE_MAX))
    zeroed = (rng.random(len(lengths)) < 0.3)[group] | (rng.random(n) < 0.1)
    kind = np.where(zeroed & (Kind.ZALLOC in kinds), Kind.ZALLOC, Kind.ALLOC).astype(np.uint8)
    size = np.full(n, int(env.block_size), np.uint64)
    numbers = plan.add(at + rank * 1.0, at + crowd + back * 0.9 + STEP, size, kind)
    looked = rng.random(n) < np.minimum(0.5, 1 / crowd)
    plan.check(numbers[looked], (at + crowd)[looked] - 0.5)
    script = laid_out(plan)[0]
    return joined([script, script]) if rng.random() < 0.3 and length < 4 * blocks + 400 else script


def pool(rng: Rng, n: int, kinds: frozenset[Kind], env: Env) -> tuple[Script, Parts]:
    """`n` operations of a pool."""
    sorts = Sorts({"crowds": (30, partial(crowds, rng, kinds, env))}, lambda groups: None, 1)
    return performed(rng, kinds, n, sorts, 0.0)


def uniform(rng: Rng, n: int, kinds: frozenset[Kind], env: Env) -> tuple[Script, Parts]:
    """The plain alternative: any operation, a random live block, and now and then the end of everything."""
    score = Score(rng, kinds)
    while score.total < n:
        length = max(64, n // 16 if kinds & {Kind.RESET, Kind.RENEW} else n)
        plan, m = Plan(rng, kinds, env=replace(env, max_request=SIZE_MAX)), length // 2
        birth = np.sort(rng.uniform(0, length, m))
        death = birth + rng.exponential(2.0 * max(1, int(env.num_blocks)), m) + STEP
        plan.add(birth, death, np.full(m, int(env.block_size), np.uint64))
        script, back = laid_out(plan)[0], score.back
        if back is None:
            score.add(script)
        else:
            score.add(script.cut(int(rng.integers(1, len(script)))))
            score.empty(back)
    return score.whole(n)
