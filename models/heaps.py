"""Heaps that have a bound, or that can be reset: phases scaled to the room there is, drained at the end of each.

A phase fills the heap to some degree, and everything it made is freed in it. Then the empty heap is asked for nearly
all that it has, which it must serve whenever it did so before.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

import numpy as np

from heaplaw.spec.event import Env
from heaplaw.spec.shapes import Kind

from . import table
from .asking import ASKED, refused_sizes, stand_in
from .layout import laid_out
from .phases import GROUP, RUNNERS, between, boundaries, grow_some, leaps
from .plan import STEP, Plan, class_sizes, draw_kinds, draw_sizes, log_uniform
from .score import Draw, Score, Sorts, performed
from .script import Floats, Kinds, Parts, Places, Rng, Script, Words, ragged

OVERHEAD = 16
"""Bytes that a block is thought to take beside what was asked for."""


@dataclass
class Filling:
    """One phase being drawn: a plan, the room of the heap, and about how many operations it takes."""

    plan: Plan
    room: int
    length: int
    share: float
    """Part of the operations that belong to boundary groups."""
    rng: Rng = field(init=False)
    large: int = field(init=False)
    """The largest size, bytes, of which several surely fit."""

    def __post_init__(self) -> None:
        self.rng, self.large = self.plan.rng, max(1, self.room // 8)

    def sizes(self, n: int, most: int) -> Words:
        """`n` sizes of the table's mixture, of 1 to `most` bytes."""
        families = [family for family in table.SIZES if family.high <= most]
        if not families:
            return log_uniform(self.rng, n, 1, most).astype(np.uint64)
        sizes = draw_sizes(self.rng, n, families)
        return np.where(sizes > np.uint64(most), np.uint64(1) + sizes % np.uint64(most), np.maximum(sizes, 1))

    def crowd(self, filled: float) -> Words:
        """Sizes that fill this part of the room, of few blocks enough that the phase has time for them."""
        time = max(2, int(0.4 * self.length))
        most = int(log_uniform(self.rng, 1, min(24, self.large), self.large)[0])
        sizes = self.sizes(time, most)
        taken = np.cumsum(sizes.astype(np.int64) + OVERHEAD)
        wanted = int(filled * self.room)
        if taken[-1] < wanted:
            sizes = self.rng.integers(1, max(2, 2 * wanted // time), time, endpoint=True).astype(np.uint64)
            taken = np.cumsum(sizes.astype(np.int64) + OVERHEAD)
        return sizes[: max(1, int(np.searchsorted(taken, wanted)))]

    def plain(self, n: int, share: float = 0.7) -> Kinds:
        """Kinds of `n` requests, most of them plain."""
        kinds = draw_kinds(self.rng, n, self.plan.kinds, self.plan.weights)
        kinds[self.rng.random(n) < share] = Kind.ALLOC
        return kinds

    def probe(self, at: Floats) -> None:
        """Ask for nearly everything, and give it back at once."""
        left = np.array([*table.LEFT_OVER, *(self.room // k for k in (64, 32, 16, 8, 4, 2))])
        size = np.maximum(self.room - self.rng.choice(left, len(at)), 1).astype(np.uint64)
        self.plan.add(at, at + STEP, size, np.full(len(at), Kind.ALLOC, np.uint8))


Phase: TypeAlias = Callable[[Filling], None]


def breathe(f: Filling) -> None:
    """Fills to some part, or beyond all there is, and drains, again and again; then nearly everything is asked for."""
    rng, sizes = f.rng, f.crowd(1.0)
    many = rng.choice(np.array(table.FILLED), max(1, f.length // len(sizes))) * len(sizes)
    lengths = np.maximum(many.astype(np.int64), 1)
    lengths = lengths[: max(1, int(np.searchsorted(np.cumsum(2 * lengths), f.length)))]
    start = np.cumsum(2 * lengths + 8) - 2 * lengths
    group, place = ragged(lengths)
    at, n = start[group], lengths[group]
    back = np.choose(
        rng.integers(0, 4, len(lengths))[group],
        [place, n - 1 - place, rng.random(len(group)) * n, place // 2 + place % 2 * (n // 2)],
    )
    drawn = np.resize(sizes, len(group))[rng.permutation(len(group))]
    blocks = f.plan.add(at + place * 1.0, at + n + back + 0.5, drawn)
    looked = rng.random(len(group)) < table.CHECKED_SHARE
    f.plan.check(blocks[looked], (at + n)[looked] - 0.4)
    for step in range(int(rng.integers(1, 4))):
        f.probe(start + 2 * lengths + 2.0 * (step + 1))


def churn(f: Filling) -> None:
    """About as much is live at all times: little, or nearly everything, or more than there is."""
    rng = f.rng
    sizes = f.crowd(float(rng.choice(np.array(table.FILLED))))
    n = max(2, f.length // 2)
    birth = np.sort(rng.uniform(0, f.length, n))
    life = rng.exponential(2.0 * len(sizes), n) + STEP
    blocks = f.plan.add(birth, birth + life, rng.choice(sizes, n))
    some = rng.random(n) < table.RESIZED_SHARE
    grow_some(f.plan, blocks[some], birth[some], (birth + life)[some], rng.choice(sizes, int(some.sum())))
    looked = rng.random(n) < table.CHECKED_SHARE
    f.plan.check(blocks[looked], between(rng, birth[looked], (birth + life)[looked]))


def lanes(f: Filling, filled: float) -> tuple[Floats, Floats, Words]:
    """Births, deaths and sizes of blocks each of which is freed right before another one, of the same size, comes.

    A row for each of the blocks that are live together, in order of time.
    """
    rng, sizes = f.rng, f.crowd(filled)
    n = len(sizes)
    turns = max(1, f.length // (2 * n))
    births = np.sort(rng.uniform(n, n + 2 * n * turns, (n, turns)), axis=1)
    births = np.concatenate((rng.permutation(n)[:, None] * 1.0, births), axis=1)
    last = n + 2 * n * turns + rng.uniform(0, n, (n, 1))
    before = np.minimum(np.diff(births, axis=1) / 2, STEP)
    deaths = np.concatenate((births[:, 1:] - before, last + 1), axis=1)
    return births, deaths, np.repeat(sizes[:, None], turns + 1, axis=1)


def same_again(f: Filling) -> None:
    """In a heap more or less full, blocks are freed, and as many bytes or one less asked for at once.

    Or after a request that is refused: what was freed is still there.
    """
    births, deaths, sizes = lanes(f, float(f.rng.choice(np.array(table.FILLED))))
    less = f.rng.random(sizes.shape) < 0.3
    less[:, 0] = False
    sizes = np.where(less, np.maximum(sizes, 2) - np.uint64(1), sizes)
    f.plan.add(births.ravel(), deaths.ravel(), sizes.ravel().astype(np.uint64), f.plain(sizes.size))
    freed, taken = deaths[:, :-1].ravel(), births[:, 1:].ravel()
    some = f.rng.random(len(freed)) < min(0.5, table.REFUSED_BETWEEN * f.share)
    size = np.minimum(2 * sizes[:, 1:].ravel() + np.uint64(64), np.uint64(f.room - f.room // 8))[some]
    huge = refused_sizes(f.plan.env)
    if len(huge):
        size = np.where(f.rng.random(len(size)) < 0.5, f.rng.choice(huge, len(size)), size)
    f.plan.add((freed + taken)[some] / 2, taken[some] + 2.0, size)


def zero_after_dirt(f: Filling) -> None:
    """Dirty blocks die, and zeroed ones of the same size are asked for at once."""
    births, deaths, sizes = lanes(f, float(f.rng.choice(np.array(table.FILLED))))
    kind = np.full(sizes.shape, Kind.ALLOC, np.uint8)
    kind[:, 1::2] = Kind.ZALLOC if Kind.ZALLOC in f.plan.kinds else Kind.ALLOC
    f.plan.add(births.ravel(), deaths.ravel(), sizes.ravel(), kind.ravel())


def aligned(f: Filling) -> None:
    """Aligned requests, in a heap that is half full."""
    rng, sizes = f.rng, f.crowd(0.3)
    n = max(2, f.length // 2)
    birth = np.sort(rng.uniform(0, f.length, n))
    asking: list[Kind] = [kind for kind in (Kind.ALIGNED, Kind.POSIX_ALIGNED) if kind in f.plan.kinds] or [Kind.ALLOC]
    kind = rng.choice(np.array([*asking, *asking, Kind.ALLOC], np.uint8), n)
    blocks = f.plan.add(birth, birth + rng.exponential(2.0 * len(sizes), n) + STEP, rng.choice(sizes, n), kind)
    looked = rng.random(n) < table.CHECKED_SHARE
    f.plan.check(blocks[looked], between(rng, birth[looked], f.plan.deaths[-1][looked]))


def fragment(f: Filling) -> None:
    """Fills with one size, frees every other block, asks for larger ones, frees all, asks for nearly everything."""
    rng = f.rng
    fits = [size for size in table.CROWD_SIZES if size <= f.large] or [f.large]
    size = int(rng.choice(np.array(fits)))
    n = max(2, min(f.room // (size + OVERHEAD) + 2, f.length // 4))
    turns = max(1, f.length // (4 * n))
    at = np.arange(turns)[:, None] * (4.0 * n + 8)
    place = np.arange(n)[None, :]
    death = np.where(place % 2 == 0, at + n, at + 2.5 * n) + rng.uniform(0, n, (turns, n))
    f.plan.add((at + place).ravel(), death.ravel(), np.full(turns * n, size, np.uint64), f.plain(turns * n, 0.9))
    m = max(1, n // 4)
    larger = rng.integers(size, 2 * size + 24, turns * m, endpoint=True).astype(np.uint64)
    birth = (at + 2.0 * n + rng.uniform(0, n / 2, (turns, m))).ravel()
    f.plan.add(birth, birth + 1.5 * n, larger)
    f.probe(at.ravel() + 4.0 * n + 4)


def grow_and_shrink(f: Filling) -> None:
    """Blocks are resized several times with neighbours alive; some grow until nothing is left, and shrink again."""
    rng, sizes = f.rng, f.crowd(0.3)
    n = max(1, min(len(sizes), f.length // 8))
    birth = np.sort(rng.uniform(0, f.length / 2, n))
    death = f.length / 2 + rng.uniform(0, f.length / 2, n)
    blocks = f.plan.add(birth, death, sizes[:n])
    factor = rng.choice(np.array([0.25, 0.5, 0.9, 1.0, 1.1, 1.5, 2.0, 4.0]), 6 * n)
    moved = np.repeat(sizes[:n], 6) * factor + rng.integers(-9, 10, 6 * n)
    times = between(rng, np.repeat(birth, 6), np.repeat(death, 6))
    f.plan.resize(np.repeat(blocks, 6), times, np.clip(moved, 1, 2 * f.large).astype(np.uint64))
    alone = f.plan.add(np.array([f.length * 2.0]), np.array([f.length * 2.0 + 100]), np.ones(1, np.uint64))
    steps = np.concatenate((np.arange(1, 17), np.arange(15, 0, -1)))
    grown = np.maximum(f.room * steps // 16 - rng.integers(0, 64, len(steps)), 1).astype(np.uint64)
    f.plan.resize(np.repeat(alone, len(steps)), f.length * 2.0 + 1 + np.arange(len(steps)), grown)


def nearly_all(f: Filling) -> None:
    """The empty heap is asked for all but k bytes, in one block, or in two that are freed in either order."""
    rng = f.rng
    n = max(1, f.length // 6)
    at = np.arange(n) * 8.0
    left = (np.arange(n) * int(rng.choice(np.array([1, 8, 16]))) + int(rng.integers(0, 64))) % max(1, f.room // 2)
    first = np.maximum(f.room * rng.choice(np.array([0.5, 0.25, 0.75, 0.9]), n) - left, 1).astype(np.uint64)
    rest = np.maximum(f.room - first.astype(np.int64) - left, 1).astype(np.uint64)
    plain = np.full(n, Kind.ALLOC, np.uint8)
    order = rng.random(n) < 0.5
    f.plan.add(at, at + 2 + order, first, plain)
    f.plan.add(at + 1, at + 3 - order, rest, plain)
    f.plan.add(at + 4, at + 5, np.maximum(f.room - left, 1).astype(np.uint64), plain)


PHASES: dict[str, tuple[int, Phase]] = {
    "breathe": (5, breathe),
    "churn": (5, churn),
    "same again": (4, same_again),
    "zero after dirt": (2, zero_after_dirt),
    "aligned": (2, aligned),
    "fragment": (3, fragment),
    "grow and shrink": (2, grow_and_shrink),
    "nearly all": (2, nearly_all),
}
"""Phases of a bounded heap, with their weights."""


def nothing(plan: Plan, length: int, large: int) -> None:
    """Requests for 0 bytes: into the empty heap, into what it then holds, and right after a block was freed.

    They are drawn from a source of their own, and come beside a phase of about `length` operations. `large`: bytes of
    which several blocks surely fit.
    """
    rng = plan.rng.spawn(1)[0]
    n = max(table.NOTHING_LEAST, int(length * table.ZERO_SHARE))
    kinds = np.array([kind for kind in ASKED if kind in plan.kinds], np.uint8)
    before, later = rng.uniform(0, length, n), rng.uniform(0, length, n)
    freed = np.minimum(rng.choice(np.array(table.FREED_BEFORE_NOTHING, np.uint64), n), np.uint64(large))
    plan.add(before, before + STEP, freed, np.full(n, stand_in(plan.kinds), np.uint8))
    at = np.concatenate((np.array([-1.0]), before + 2 * STEP, later))
    held = np.concatenate((np.array([STEP]), np.full(n, STEP), rng.exponential(8, n) + STEP))
    align = rng.choice(plan.alignments[: table.SMALL_ALIGNMENTS], len(at))
    plan.add(at, at + held, np.zeros(len(at), np.uint64), rng.choice(kinds, len(at)), align)


def bounded(phase: Phase, rng: Rng, kinds: frozenset[Kind], env: Env, share: float, length: int) -> Script:
    """One phase of a bounded heap, with boundary groups in it."""
    room = int(env.capacity)
    most = int(rng.choice(np.array([16, 64, max(8, room // 16)])))
    plan = Plan(rng, kinds, most_align=most, env=env)
    filling = Filling(plan, room, length, share)
    phase(filling)
    nothing(plan, length, filling.large)
    _bound(plan, length, share, table.SizeClass("fitting", 1, 1, max(1, room // 16)), False)
    return laid_out(plan)[0]


def unbounded(
    phase: Callable[[Plan, float, int], None],
    rng: Rng,
    kinds: frozenset[Kind],
    env: Env,
    share: float,
    length: int,
) -> Script:
    """One phase of a heap without a bound, with boundary groups in it."""
    plan = Plan(rng, kinds, env=env)
    phase(plan, 0.0, max(8, length))
    nothing(plan, length, table.FREED_BEFORE_NOTHING[-1])
    _bound(plan, length, share, None, True)
    return laid_out(plan)[0]


def leaping(plan: Plan, start: float, length: int) -> None:
    """Blocks that are resized to sizes of any order of magnitude."""
    leaps(plan, start, length, max(1, length // 5))


def _bound(plan: Plan, length: int, share: float, family: table.SizeClass | None, vast: bool) -> None:
    groups = int(plan.rng.poisson(length * share / GROUP))
    if groups:
        boundaries(plan, 0.0, length, groups, family, vast)


def heap(rng: Rng, n: int, kinds: frozenset[Kind], env: Env, share: float) -> tuple[Script, Parts]:
    """`n` operations of a heap that has a bound, or can be reset or renewed."""
    draws: dict[str, tuple[int, Draw]] = {
        phase.name: (phase.weight, partial(unbounded, RUNNERS[phase.name], rng, kinds, env, share))
        for phase in table.PHASES
    }
    if Kind.RESIZE in kinds:
        draws["leaps"] = (2, partial(unbounded, leaping, rng, kinds, env, share))
    if env.capacity:
        named = PHASES.items()
        draws = {name: (weight, partial(bounded, phase, rng, kinds, env, share)) for name, (weight, phase) in named}
    longest = table.PIECE_LONGEST if env.capacity else table.PHASE_LONGEST
    return performed(rng, kinds, n, Sorts(draws, lambda groups: None, GROUP, longest=longest), 0.0)


def uniform(rng: Rng, n: int, kinds: frozenset[Kind], env: Env) -> tuple[Script, Parts]:
    """The plain alternative: any operation, any size, a random live block, and now and then the end of everything."""
    score = Score(rng, kinds)
    most, mean = (max(1, int(env.capacity) // 16), 32) if env.capacity else (4095, 1000)
    sweeps = bool(kinds & {Kind.RESET, Kind.RENEW})
    while score.total < n:
        length = max(64, n // 16 if sweeps else n)
        plan, m = Plan(rng, kinds, env=env), length // 2
        birth = np.sort(rng.uniform(0, length, m))
        death = birth + rng.exponential(mean, m) + STEP
        blocks = plan.add(birth, death, rng.integers(1, most, m, endpoint=True).astype(np.uint64))
        sizes = rng.integers(1, most, len(blocks[::4]), endpoint=True).astype(np.uint64)
        grow_some(plan, blocks[::4], birth[::4], death[::4], sizes)
        script, back = laid_out(plan)[0], score.back
        if back is None:
            score.add(script)
        else:
            score.add(script.cut(int(rng.integers(1, len(script)))))
            score.empty(back)
    return score.whole(n)


# ---- steady


def too_small(env: Env) -> bool:
    """A third of the room is too little for a few blocks with what an allocator adds to them."""
    room = int(env.capacity)
    return room // 3 < 4 * (room // 48 + max(int(env.header), OVERHEAD) + 16)


def steady(rng: Rng, n: int, kinds: frozenset[Kind], env: Env) -> tuple[Script, Parts]:
    """One distribution throughout of a bounded heap, of which never more than a third is taken; all is freed.

    What is refused is larger than the capacity and than 1 MiB: smaller refusals mean that memory did not come back.
    """
    room = int(env.capacity)
    most = max(1, min(table.STEADY_SIZES.high, room // 48))
    plan = Plan(rng, kinds, table.STEADY_KINDS, min(table.STEADY_MOST_ALIGN, max(8, room // 512)), env)
    family = table.SizeClass("steady", 1, max(1, most // 256), most)
    m = int(n * 0.42)
    sizes = np.maximum(class_sizes(rng, m, family), 1).astype(np.uint64)
    birth = np.sort(rng.uniform(0, n, m))
    kind, align = draw_kinds(rng, m, kinds, table.STEADY_KINDS), rng.choice(plan.alignments, m)
    some = rng.random(m) < table.STEADY_RESIZED_SHARE
    larger = class_sizes(rng, int(some.sum()), family)
    taken = sizes.astype(np.int64) + max(int(env.header), OVERHEAD)
    taken[some] += larger.astype(np.int64)  # while it is resized, both may be there
    taken += np.where((kind == Kind.ALIGNED) | (kind == Kind.POSIX_ALIGNED), 2 * align.astype(np.int64), 0)
    wanted = max(1.0, min(table.STEADY_LIFETIME, room / 5 / float(taken.mean())))
    life = np.minimum(rng.exponential(2 * wanted, m), 8 * wanted)
    while (scale := peak(birth, birth + life + STEP, taken) / (room / 3)) > 1 and float(life.max()) > STEP:
        life /= min(2.0, 1.1 * scale)
    death = birth + life + STEP
    blocks = plan.add(birth, death, sizes, kind, align)
    grow_some(plan, blocks[some], birth[some], death[some], larger)
    groups = max(1, int(n * table.STEADY_BOUNDARY_SHARE / GROUP))
    boundaries(plan, 0.0, n, groups, family, vast=False, above=table.STEADY_ABOVE)
    return laid_out(plan)[0], [(0, "steady")]


def peak(birth: Floats, death: Floats, taken: Places) -> int:
    """The most bytes that are live at one time."""
    order = np.argsort(np.concatenate((birth, death)), kind="stable")
    return int(np.cumsum(np.concatenate((taken, -taken))[order]).max(initial=0))
