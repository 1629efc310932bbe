"""Bulk traces as columns, for every shape.

Nothing is simulated and nothing loops over single operations: heaps are drawn as blocks with lifetimes, a phase at a
time, regions as epochs, walks and nests; whole stretches are then joined and repeated. All randomness comes from the
seed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from heaplaw.spec.event import Env
from heaplaw.spec.history import Trace
from heaplaw.spec.shapes import SHAPES, Kind

from . import regions, table
from .asking import NOTHING_PROMISED
from .layout import laid_out
from .phases import GROUP, RUNNERS, boundaries, grow_some
from .plan import STEP, Plan, class_sizes
from .script import Parts, Rng, Script, merged, trace_of


def lay_out(plan: Plan, shape: str, profile: str, seed: int, parts: Sequence[tuple[float, str]]) -> Trace:
    """The plan as a trace; `parts` are times and names of its phases."""
    script, time = laid_out(plan, raw=True)
    starts: Any = np.searchsorted(time, [at for at, _ in parts]) if parts else []
    named = [(int(at), name) for at, (_, name) in zip(starts, parts, strict=True)]
    return trace_of(script, None, shape, plan.env, profile, seed, named)


def cut(trace: Trace, n: int) -> Trace:
    """The first `n` operations: a prefix is a valid trace."""
    columns = {name: column[:n] for name, column in trace.columns.items()}
    return Trace(trace.shape, columns, trace.env, trace.profile, trace.seed, tuple(p for p in trace.parts if p[0] < n))


# ---- heaps without a bound


def mixed(
    n: int,
    seed: int,
    kinds: Iterable[Kind],
    boundary_share: float = table.BOUNDARY_SHARE,
    env: Env = NOTHING_PROMISED,
    shape: str = "malloc",
) -> Trace:
    """About `n` operations of a malloc: every phase of the table, several times, boundary groups all along."""
    rng = np.random.default_rng(seed)
    plan = Plan(rng, frozenset(kinds), env=env)
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
    return cut(lay_out(plan, shape, "mixed", seed, parts), n)


def uniform(n: int, seed: int, kinds: Iterable[Kind], env: Env = NOTHING_PROMISED, shape: str = "malloc") -> Trace:
    """The plain alternative: any operation, sizes uniform in 1..4096, a random live block. For comparison only."""
    rng = np.random.default_rng(seed)
    plan = Plan(rng, frozenset(kinds), env=env)
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
    return cut(lay_out(plan, shape, "uniform", seed, []), n)


def steady(
    n: int, seed: int, kinds: Iterable[Kind], small: bool = False, env: Env = NOTHING_PROMISED, shape: str = "malloc"
) -> Trace:
    """One distribution of sizes, lifetimes and kinds throughout, which frees everything that it allocates.

    Single blocks, crowds of one exact size that come and go together, resizes within the same family of sizes, boundary
    groups. `small`: few small blocks live at a time, for heaps that may have little room.
    """
    rng = np.random.default_rng(seed)
    plan = Plan(rng, frozenset(kinds), table.STEADY_KINDS, table.STEADY_MOST_ALIGN, env)
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
    groups = max(1, int(n * table.STEADY_BOUNDARY_SHARE / GROUP))
    boundaries(plan, 0.0, n, groups, family, vast=False, above=table.STEADY_ABOVE)
    return lay_out(plan, shape, "steady", seed, [])


def pool(n: int, seed: int, env: Env) -> Trace:
    """About `n` operations of a pool: crowds up to and beyond its capacity, freed in every order."""
    rng = np.random.default_rng(seed)
    plan = Plan(rng, SHAPES["pool"].operations, env=env)
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
    return cut(lay_out(plan, "pool", "mixed", seed, []), n)


# ---- regions

Draw: TypeAlias = Callable[[Rng, int], tuple[Script, Parts]]
"""Draws about so many operations of one instance."""


def regional(
    shape: str,
    kinds: frozenset[Kind],
    env: Env,
    n: int,
    seed: int,
    profile: str,
    share: float,
    instances: int,
) -> Iterator[Trace]:
    """The traces of a region: many short ones, where nothing but the end of the process empties it."""
    once = shape == "bump" and regions.way_back(kinds) is None
    live = table.MOST_LIVE // instances
    draw: Draw = partial(regions.DRAWS[shape], kinds=kinds, env=env, share=share, most_live=live)
    if profile == "uniform":
        draw = partial(regions.uniform, shape=shape, kinds=kinds, env=env)
    for turn in range(table.FRESH if once else 1):
        length = max(16, n // table.FRESH) if once else n
        if once and profile != "uniform":
            draw = partial(regions.bump_once, kinds=kinds, env=env, share=share, turn=turn)
        yield shared(draw, shape, env, profile, seed, length, instances, turn)


def shared(
    draw: Draw,
    shape: str,
    env: Env,
    profile: str,
    seed: int,
    n: int,
    instances: int,
    turn: int = 0,
) -> Trace:
    """What is drawn for each instance, in turns."""
    rng = np.random.default_rng([seed, turn])
    if instances == 1:
        script, parts = draw(rng, n)
        return trace_of(script, None, shape, env, profile, seed, parts)
    scripts = [draw(each, max(1, n // instances))[0] for each in rng.spawn(instances)]
    script, instance = merged(rng, scripts)
    return trace_of(script, instance, shape, env, profile, seed)


# ---- checks


def campaigns(
    shape: str,
    kinds: frozenset[Kind],
    env: Env,
    n: int,
    seed: int,
    profile: str = "mixed",
    boundary_share: float = table.BOUNDARY_SHARE,
    small: bool = False,
    instances: int = 1,
) -> Iterator[Trace]:
    """The traces of a check, one after another: about `n` operations of a shape's every habit, then steady ones.

    `profile` "uniform" gives a plain random trace alone. `boundary_share`: part of the operations that are requests
    which must be refused, and those around them. `small`: the subject may have little room. With several `instances`
    operations take turns among them.
    """
    if shape in regions.DRAWS:
        yield from regional(shape, kinds, env, n, seed, profile, boundary_share, instances)
        return
    if shape == "pool":
        yield pool(n, seed, env)
        return
    if profile == "uniform":
        yield uniform(n, seed, kinds, env, shape)
        return
    yield mixed(n, seed, kinds, boundary_share, env, shape)
    yield steady(max(table.STEADY_LEAST, n // table.STEADY_PART), seed, kinds, small, env, shape)
