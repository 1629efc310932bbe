"""Walks: stacks that go up and down, and arenas whose marks nest.

With `same` requests, what is asked for depends on the depth alone: states come back all the time, and are told apart by
nothing but what the allocator forgot.
"""

import numpy as np

from heaplaw.spec.shapes import Kind

from . import table
from .bursts import Asker, Sizes, chunk_edges, dressed, refusals, uniform
from .plan import log_uniform
from .script import Flags, Places, Script, bare, filled, ragged, repeated, woven

# ---- walks of stacks


def folded(steps: Places, deepest: int) -> Places:
    """Depths of a walk with these steps, from 0, reflected at 0 and at `deepest`."""
    at = np.mod(np.concatenate(([0], np.cumsum(steps))), 2 * deepest)
    depth: Places = np.where(at > deepest, 2 * deepest - at, at)
    return depth


def home(depth: Places) -> Places:
    """The walk, and then down to 0."""
    down: Places = np.arange(int(depth[-1]) - 1, -1, -1)
    return np.concatenate((depth, down))


def matched(level: Places) -> tuple[Places, Places]:
    """Where each block is pushed and where it is popped: on each level pushes and pops alternate."""
    pairs = np.lexsort((np.arange(len(level)), level)).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def walk(a: Asker, ops: int, same: bool, share: float) -> Script:
    """A stack goes up and down. `same`: at each depth it is always the same request, so that states come back."""
    rng = a.rng
    deepest = int(log_uniform(rng, 1, 2, max(3, min(ops // 2, a.room // 16)))[0])
    longest = int(log_uniform(rng, 1, 1, 2 * deepest)[0])
    runs = rng.integers(1, longest, max(1, 2 * ops // (1 + longest)), endpoint=True)
    depth = home(folded(np.repeat(rng.choice(np.array([-1, 1]), len(runs)), runs)[:ops], deepest))
    up, level = depth[1:] > depth[:-1], np.minimum(depth[:-1], depth[1:])
    pushes = int(up.sum())
    most = max(1, min(a.large, int(2 * a.room * rng.choice(np.array(table.FILLED))) // deepest))
    many = deepest if same else pushes
    asked = dressed(a, Sizes(a.draw_sizes(many, most), np.array([many]))).script
    which = level[up] if same else np.arange(pushes)
    if same:
        other = (rng.random(pushes) < 0.04) & (which > deepest // 4)  # the bottom stays, for echoes after a reset
        which[other] = rng.integers(0, many, int(other.sum()))
    script = filled(repeated(Kind.POP, len(up)), up, asked, which)
    return ornamented(a, script, matched(level), share, depth[1:] == 0)


def uniform_walk(a: Asker, ops: int) -> Script:
    """The plain alternative: up or down at random, any size."""
    depth = home(folded(a.rng.choice(np.array([-1, 1]), ops), 32))
    up, level = depth[1:] > depth[:-1], np.minimum(depth[:-1], depth[1:])
    asked = uniform(a, int(up.sum())).script
    script = filled(repeated(Kind.POP, len(up)), up, asked, np.arange(int(up.sum())) % len(asked))
    return ornamented(a, script, matched(level), 0.0, depth[1:] == 0)


def ornamented(a: Asker, script: Script, lives: tuple[Places, Places], share: float, empty: Flags) -> Script:
    """The walk with refusals anywhere, blocks read back, and pops where the stack is empty."""
    rng, (pushed, popped) = a.rng, lives
    looked = rng.random(len(pushed)) < table.READ_SHARE
    first = pushed[looked]
    script, order = woven(
        script, bare(np.full(len(first), Kind.CHECK, np.uint8), first), rng.integers(first, popped[looked])
    )
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    bottom = place[np.flatnonzero(empty)]
    bottom = bottom[rng.random(len(bottom)) < 0.3]
    script, _ = woven(script, repeated(Kind.POP, len(bottom)), bottom)
    return with_refusals(a, script, share)


def with_refusals(a: Asker, script: Script, share: float) -> Script:
    """The script with refused requests anywhere."""
    many = int(a.rng.binomial(len(script), min(1.0, share)))
    huge = refusals(a, many) if many else None
    return script if huge is None else woven(script, huge, a.rng.integers(0, len(script), many))[0]


# ---- nests of arenas


def nest(a: Asker, ops: int, same: bool, share: float) -> Script:
    """Marks within marks, released one by one and several at once. `same`: at each depth always the same requests."""
    rng = a.rng
    deepest = int(rng.integers(1, table.DEEPEST, 2, endpoint=True).max())
    width = int(rng.choice(np.array([0, 1, 3, 6])))
    turns = max(2, 2 * ops // (deepest + 2 + width))
    steps = rng.integers(-2, 3, turns) if rng.random() < 0.5 else rng.integers(-deepest, deepest, turns, endpoint=True)
    up, level = tokens(folded(steps, deepest))
    each = rng.integers(0, width, deepest, endpoint=True)
    many = each[np.minimum(level, deepest - 1)] if same else rng.integers(0, width, len(up), endpoint=True)
    after = (rng.random(len(up)) < 0.15) & (level > 0)
    many = np.where(up, many, np.where(after, rng.integers(1, 3, len(up)), 0))
    token, place = ragged(1 + many)
    asks = place > 0
    script = asked_in_nest(a, up[token], level[token], place, asks, deepest, width, same)
    return with_refusals(a, marked(a, script, up, level, token, asks), share)


def uniform_nest(a: Asker, ops: int) -> Script:
    """The plain alternative: marks, releases and requests at random, any size."""
    rng = a.rng
    up, level = tokens(folded(rng.integers(-2, 3, max(2, ops // 8)), 8))
    token, place = ragged(1 + np.where(level + up > 0, rng.integers(0, 12, len(up)), 0))
    asks = place > 0
    asked = uniform(a, max(1, int(asks.sum()))).script
    script = bare(np.where(up[token], Kind.MARK, Kind.RELEASE).astype(np.uint8))
    script = filled(script, asks, asked, np.arange(int(asks.sum())) % len(asked))
    return marked(a, script, up, level, token, asks)


def marked(a: Asker, script: Script, up: Flags, level: Places, token: Places, asks: Flags) -> Script:
    """The nest with its releases' marks, and some blocks read back."""
    firsts = np.flatnonzero(~asks)
    script.slot[firsts[~up]] = firsts[marks_of(up, level)]
    return checked_in_nest(a, script, np.where(up, level + 1, level)[token], asks)


def tokens(depth: Places) -> tuple[Flags, Places]:
    """Marks (True) and releases that lead through these depths and to 0, with the lower of the levels between which.

    A way up takes marks one by one, a way down is one release.
    """
    depth = np.append(depth, 0)
    ways = np.diff(depth)
    many = np.where(ways > 0, ways, np.where(ways < 0, 1, 0))
    way, place = ragged(many)
    up = ways[way] > 0
    return up, np.where(up, depth[:-1][way] + place, depth[1:][way])


def marks_of(up: Flags, level: Places) -> Places:
    """For each release the mark that it names: the newest on its level."""
    order = np.lexsort((np.arange(len(up)), level))
    latest = np.maximum.accumulate(np.where(up[order], np.arange(len(up)), 0))
    named = np.empty(len(up), np.int64)
    named[order] = order[latest]
    return named[~up]


def asked_in_nest(
    a: Asker, up: Flags, level: Places, place: Places, asks: Flags, deepest: int, width: int, same: bool
) -> Script:
    """The operations of a nest, with the releases' marks left open."""
    rng, rows = a.rng, width + 2
    many = deepest * rows if same else max(1, int(asks.sum()))
    most = max(1, min(a.large, int(2 * a.room * rng.choice(np.array(table.FILLED))) // (deepest * (1 + width))))
    sizes = a.draw_sizes(many, most)
    if rng.random() < 0.4 and not a.env.capacity:
        edges = chunk_edges(a, 2 * many).sizes
        sizes = np.resize(edges, many)
    which = level[asks] * rows + place[asks] - 1 if same else np.arange(int(asks.sum()))
    if float(sizes[which].astype(float).sum()) > a.most_live:
        sizes = np.minimum(sizes, np.uint64(a.most_live // max(1, len(which))))
    asked = dressed(a, Sizes(sizes, np.array([many]))).script
    return filled(bare(np.where(up, Kind.MARK, Kind.RELEASE).astype(np.uint8)), asks, asked, which)


def checked_in_nest(a: Asker, script: Script, depth: Places, asks: Flags) -> Script:
    """The nest with some blocks read back while they live."""
    releases = np.flatnonzero(script.kind == Kind.RELEASE)
    looked = np.flatnonzero(asks & (a.rng.random(len(asks)) < table.READ_SHARE))
    ends = np.full(len(looked), len(script))
    for d in range(1, int(depth.max(initial=0)) + 1):
        lower, mine = releases[depth[releases] < d], depth[looked] == d
        at = np.searchsorted(lower, looked[mine])
        ends[mine] = np.append(lower, len(script))[at]
    checks = bare(np.full(len(looked), Kind.CHECK, np.uint8), looked)
    return woven(script, checks, a.rng.integers(looked, ends))[0]
