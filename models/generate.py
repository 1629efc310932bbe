"""Bulk traces as columns, for every shape.

Nothing is simulated and nothing loops over single operations: heaps are drawn as blocks with lifetimes, a phase at a
time, regions as epochs, walks and nests; whole stretches are then joined and repeated. All randomness comes from the
seed.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from heaplaw.spec.event import Env
from heaplaw.spec.history import Trace
from heaplaw.spec.shapes import SHAPES, Kind

from . import heaps, pools, regions, table
from .asking import NOTHING_PROMISED, refused_sizes
from .layout import laid_out
from .phases import GROUP, RUNNERS, boundaries, grow_some, leaps
from .plan import STEP, Plan, class_sizes
from .script import Parts, Rng, Script, merged, script_of, trace_of


def lay_out(plan: Plan, shape: str, profile: str, seed: int, parts: Sequence[tuple[float, str]]) -> Trace:
    """The plan as a trace; `parts` are times and names of its phases."""
    script, time = laid_out(plan, raw=shape == "malloc")
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
    if not len(refused_sizes(env)):
        boundary_share = 0.0
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
    if shape == "lua_alloc":
        leaps(plan, 0.0, at, int(n * table.LEAPS_SHARE))
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


# ---- checks

Draw: TypeAlias = Callable[[Rng, int], tuple[Script, Parts]]
"""Draws about so many operations of one instance."""
SWEEPING = frozenset({Kind.RESET, Kind.RENEW})


def shared(draw: Draw, task: "Task", profile: str, n: int, turn: int = 0) -> Trace:
    """About `n` operations: what is drawn for each instance, in turns. `turn` tells traces of one profile apart."""
    rng = np.random.default_rng([task.seed, turn])
    if task.instances == 1:
        script, parts = draw(rng, n)
        return trace_of(script, None, task.shape, task.env, profile, task.seed, parts)
    scripts = [draw(each, max(1, n // task.instances))[0] for each in rng.spawn(task.instances)]
    script, instance = merged(rng, scripts)
    return trace_of(script, instance, task.shape, task.env, profile, task.seed)


@dataclass(frozen=True)
class Task:
    """What the traces of a check are drawn for; see `campaigns`."""

    shape: str
    kinds: frozenset[Kind]
    env: Env
    n: int
    seed: int
    uniform: bool
    share: float
    small: bool
    instances: int

    @property
    def profile(self) -> str:
        """What the main trace is called."""
        return "uniform" if self.uniform else "mixed"

    @property
    def steady(self) -> int:
        """Operations of the steady trace."""
        return max(table.STEADY_LEAST, self.n // table.STEADY_PART)


def plain_heap(task: Task) -> Iterator[Trace]:
    """A heap without a bound, which nothing resets."""
    kinds, env, shape = task.kinds, task.env, task.shape

    def one(draw: Callable[[int, int], Trace], profile: str, n: int) -> Trace:
        if task.instances == 1:
            return draw(n, task.seed)

        def drawn(rng: Rng, m: int) -> tuple[Script, Parts]:
            return script_of(draw(m, int(rng.integers(0, 2**32)))), []

        return shared(drawn, task, profile, n)

    if task.uniform:
        yield one(lambda n, seed: uniform(n, seed, kinds, env, shape), "uniform", task.n)
        return
    yield one(lambda n, seed: mixed(n, seed, kinds, task.share, env, shape), "mixed", task.n)
    yield one(lambda n, seed: steady(n, seed, kinds, task.small, env, shape), "steady", task.steady)


def other_heap(task: Task) -> Iterator[Trace]:
    """A heap that has a bound, or that can be reset or renewed."""
    kinds, env = task.kinds, task.env
    if task.uniform:
        yield shared(partial(heaps.uniform, kinds=kinds, env=env), task, "uniform", task.n)
        return
    yield shared(partial(heaps.heap, kinds=kinds, env=env, share=task.share), task, "mixed", task.n)
    if env.capacity and not heaps.too_small(env):
        yield shared(partial(heaps.steady, kinds=kinds, env=env), task, "steady", task.steady, 1)
    if not env.capacity:
        yield list(plain_heap(replace(task, kinds=kinds - SWEEPING)))[-1]


def pools_only(task: Task) -> Iterator[Trace]:
    """A pool."""
    draw = pools.uniform if task.uniform else pools.pool
    yield shared(partial(draw, kinds=task.kinds, env=task.env), task, task.profile, task.n)


def region(task: Task) -> Iterator[Trace]:
    """A bump, a stack or an arena: many short traces, where nothing but the end of the process empties it."""
    kinds, env = task.kinds, task.env
    live = table.MOST_LIVE // task.instances
    draw: Draw = partial(regions.DRAWS[task.shape], kinds=kinds, env=env, share=task.share, most_live=live)
    if task.uniform:
        draw = partial(regions.uniform, shape=task.shape, kinds=kinds, env=env)
    if task.shape != "bump" or kinds & SWEEPING:
        yield shared(draw, task, task.profile, task.n)
        return
    for turn in range(table.FRESH):
        if not task.uniform:
            draw = partial(regions.bump_once, kinds=kinds, env=env, share=task.share, turn=turn)
        yield shared(draw, task, task.profile, max(16, task.n // table.FRESH), turn)


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
    """The traces of a check, one after another: `n` operations of everything that breaks things, then steady ones.

    `profile` "uniform" gives a plain random trace alone. `boundary_share`: part of the operations that are requests
    which must be refused, and those around them. `small`: the subject may have little room. With several `instances`
    operations take turns among them.
    """
    task = Task(shape, kinds, env, n, seed, profile == "uniform", boundary_share, small, instances)
    if shape in regions.DRAWS:
        return region(task)
    if shape == "pool":
        return pools_only(task)
    return other_heap(task) if env.capacity or kinds & SWEEPING else plain_heap(task)


def pool(n: int, seed: int, env: Env) -> Trace:
    """`n` operations of a pool that has nothing but what it must."""
    return next(campaigns("pool", SHAPES["pool"].required, env, n, seed))
