"""Traces of regions: bumps, which are reset; stacks, which are popped; arenas, whose marks are released."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from heaplaw.spec.event import Env
from heaplaw.spec.shapes import Kind

from . import bursts, table
from .bursts import ROOM, SORTS, Asker, Bursts, Sort, around_refusals, chunk_edges, dressed, few_large, seasoned, unread
from .score import Draw, Score, Sorts, performed
from .script import Parts, Places, Rng, Script, composed, joined, repeated
from .walks import nest, uniform_nest, uniform_walk, walk


def way_back(kinds: frozenset[Kind]) -> Kind | None:
    """What empties an instance of a bump."""
    return next((kind for kind in (Kind.RESET, Kind.RENEW) if kind in kinds), None)


def drawn(a: Asker, sort: Sort, ops: int, share: float) -> Bursts:
    """Bursts of one sort, about `ops` operations."""
    return seasoned(a, dressed(a, sort(a, max(1, ops))), share)


# ---- what comes between bursts


def again(rng: Rng, b: Bursts, times: Sequence[int] = table.AGAIN) -> tuple[Places, Places]:
    """The order in which bursts are played, each several times in a row, and their lengths: some are cut short."""
    order = np.repeat(np.arange(len(b.lengths)), rng.choice(np.array(times), len(b.lengths)))
    lengths = b.lengths[order]
    short = rng.random(len(order)) < table.CUT_SHARE
    return order, np.where(short, rng.integers(0, lengths, endpoint=True), lengths)


def interleaved(*columns: Places) -> Places:
    """Equally long columns, row by row."""
    return np.stack(columns, axis=1).ravel()


def reset_before(rng: Rng, b: Bursts, back: Kind, times: Sequence[int] = table.AGAIN) -> Script:
    """Each burst behind a reset, most of them several times; a last reset."""
    source = joined([b.script, repeated(back)])
    order, lengths = again(rng, b, times)
    reset = np.full(len(order), len(b.script))
    starts = interleaved(reset, b.starts[order])
    return composed(source, np.append(starts, reset[0]), np.append(interleaved(reset * 0 + 1, lengths), 1))


def popped_after(a: Asker, b: Bursts, plain: Bursts) -> Script:
    """Each burst, then pops to the empty stack and beyond. Before that some pop a few, and push these again.

    `plain` are the same bursts, with nothing in them but their requests. Where there are resets, they stand for some of
    the pops.
    """
    rng = a.rng
    pops, back = int(plain.lengths.max()) + 4, Kind.RESET if Kind.RESET in a.kinds else Kind.POP
    source = joined([b.script, plain.script, repeated(Kind.POP, pops), repeated(back)])
    order, lengths = again(rng, b)
    pushed = plain.lengths[order]
    few = np.where(rng.random(len(order)) < 0.5, rng.integers(0, pushed, endpoint=True), 0)
    drained = (rng.random(len(order)) < 0.75) | (back == Kind.POP)
    first_pop = np.full(len(order), len(b.script) + len(plain.script))
    starts = interleaved(
        b.starts[order],
        first_pop,
        len(b.script) + plain.starts[order] + pushed - few,
        np.where(drained, first_pop, first_pop + pops),
    )
    extra = rng.choice(np.array([0, 0, 0, 1, 3]), len(order))
    return composed(source, starts, interleaved(lengths, few, few, np.where(drained, pushed + extra, 1)))


def in_scopes(rng: Rng, b: Bursts) -> Script:
    """Each burst between a mark and its release; some behind several marks, of which the first is released.

    In some a second mark follows the burst, and twice the same requests between that and its release.
    """
    order, lengths = again(rng, b)
    m = len(order)
    source = joined([b.script, repeated(Kind.MARK, 3), repeated(Kind.RELEASE)])
    mark, release = np.full(m, len(b.script)), np.full(m, len(b.script) + 3)
    marks = rng.choice(np.array([1, 1, 1, 2, 3]), m)
    inner = (rng.random(m) < 0.4).astype(np.int64)
    other = rng.permutation(order)
    few = inner * rng.integers(0, np.minimum(b.lengths[other], 6), endpoint=True)
    turn = (mark, b.starts[other], release), (inner, few, inner)
    starts = interleaved(mark, b.starts[order], *turn[0], *turn[0], release)
    sizes = interleaved(marks, lengths, *turn[1], *turn[1], marks * 0 + 1)
    script = composed(source, starts, sizes)
    begins = (np.cumsum(sizes) - sizes).reshape(m, -1)
    for opened, closed in ((0, 8), (2, 4), (5, 7)):
        there = sizes.reshape(m, -1)[:, closed] > 0
        script.slot[begins[there, closed]] = begins[there, opened]
    return script


# ---- shapes


def asker(rng: Rng, kinds: frozenset[Kind], env: Env, most_live: int = table.MOST_LIVE) -> Asker:
    """Who asks a region."""
    return Asker(rng, kinds, env, int(env.capacity) or ROOM, most_live)


def bump(
    rng: Rng, n: int, kinds: frozenset[Kind], env: Env, share: float, most_live: int = table.MOST_LIVE
) -> tuple[Script, Parts]:
    """`n` operations of a bump that can be reset, or made again."""
    a, back = asker(rng, kinds, env, most_live), way_back(kinds)
    assert back is not None

    def epochs(sort: Sort, ops: int) -> Script:
        return reset_before(rng, drawn(a, sort, ops // 2, share / 2), back)

    def boundary(groups: int) -> Script | None:
        b = around_refusals(a, groups)
        return None if b is None else reset_before(rng, b, back, (1, 1, 2))

    draws: dict[str, tuple[int, Draw]] = {
        name: (weight, partial(epochs, sort)) for name, (weight, sort) in SORTS.items()
    }
    return performed(rng, kinds, n, Sorts(draws, boundary, bursts.GROUP, frozenset(draws)), share / 2)


def bump_once(rng: Rng, n: int, kinds: frozenset[Kind], env: Env, share: float, turn: int) -> tuple[Script, Parts]:
    """Up to `n` operations of a bump that nothing empties: a boundary group, one burst, and part of another."""
    a = asker(rng, kinds, env)
    name = list(SORTS)[turn % len(SORTS)]
    b = drawn(a, SORTS[name][1], n, share)
    first, rest = int(b.lengths[0]), int(min(b.lengths[1:].sum(), table.PIECE_LONGEST // 100))
    pieces = [composed(b.script, b.starts[:1], b.lengths[:1]), composed(b.script, np.array([first]), np.array([rest]))]
    huge = around_refusals(a, 1) if share else None
    return joined(([huge.script] if huge and turn % 2 else []) + pieces).cut(n), [(0, name)]


def stack(
    rng: Rng, n: int, kinds: frozenset[Kind], env: Env, share: float, most_live: int = table.MOST_LIVE
) -> tuple[Script, Parts]:
    """`n` operations of a stack."""
    a = asker(rng, kinds, env, most_live)

    def popped(sort: Sort, ops: int) -> Script:
        plain = dressed(a, sort(a, max(1, ops // 5)))
        return popped_after(a, seasoned(a, plain, share / 2), plain)

    def boundary(groups: int) -> Script | None:
        b = around_refusals(a, groups)
        return None if b is None else popped_after(a, b, unread(b))

    draws: dict[str, tuple[int, Draw]] = {
        "walk, always the same": (6, lambda ops: walk(a, ops, True, share / 2)),
        "walk": (4, lambda ops: walk(a, ops, False, share / 2)),
        **{name: (weight, partial(popped, sort)) for name, (weight, sort) in SORTS.items()},
    }
    own = frozenset({"walk", *SORTS})  # what a walk did at the bottom is forgotten: nothing to be had by an echo
    return performed(rng, kinds, n, Sorts(draws, boundary, bursts.GROUP, own), share / 2)


def arena(
    rng: Rng, n: int, kinds: frozenset[Kind], env: Env, share: float, most_live: int = table.MOST_LIVE
) -> tuple[Script, Parts]:
    """`n` operations of an arena."""
    plain = asker(rng, kinds, env, most_live // 2)  # for there may be two bursts in one scope
    scopes = {Kind.MARK, Kind.RELEASE} <= kinds

    def asking() -> Asker:
        return plain if env.capacity else replace(plain, room=int(rng.choice(np.array(table.ARENA_ROOMS))))

    def between(b: Bursts) -> Script:
        use_reset = Kind.RESET in kinds and not (scopes and rng.random() < 0.5)
        return reset_before(rng, b, Kind.RESET) if use_reset else in_scopes(rng, b)

    def scoped(sort: Sort, ops: int) -> Script:
        return between(drawn(asking(), sort, ops // 2, share / 2))

    def vast(ops: int) -> Script:
        return between(drawn(replace(plain, room=table.ARENA_VAST), few_large, ops // 4, share / 2))

    def boundary(groups: int) -> Script | None:
        b = around_refusals(plain, groups)
        return None if b is None else between(b)

    nests: dict[str, tuple[int, Draw]] = {
        "nest, always the same": (6, lambda ops: nest(asking(), ops, True, share / 2)),
        "nest": (4, lambda ops: nest(asking(), ops, False, share / 2)),
    }
    draws: dict[str, tuple[int, Draw]] = {
        **(nests if scopes else {}),
        **{name: (weight, partial(scoped, sort)) for name, (weight, sort) in SORTS.items()},
        "chunk edges": (4, partial(scoped, chunk_edges)),
        **({} if env.capacity else {"vast": (1, vast)}),
    }
    own = frozenset(draws) - frozenset(nests)
    return performed(rng, kinds, n, Sorts(draws, boundary, bursts.GROUP, own), share / 2)


DRAWS = {"bump": bump, "stack": stack, "arena": arena}
"""How `n` operations of one instance are drawn, by shape."""


def uniform(rng: Rng, n: int, shape: str, kinds: frozenset[Kind], env: Env) -> tuple[Script, Parts]:
    """The plain alternative: any operation at random, sizes uniform, and now and then one that ends everything."""
    a, score, back = asker(rng, kinds, env), Score(rng, kinds), way_back(kinds)
    scopes = {Kind.MARK, Kind.RELEASE} <= kinds
    while score.total < n:
        ops = max(16, n // 64)
        if shape == "stack":
            script = uniform_walk(a, ops)
            score.add(script.cut(int(rng.integers(1, len(script)))) if back else script)
            if back:
                score.empty(back)
            continue
        if scopes and (back is None or rng.random() < 0.5):
            score.add(uniform_nest(a, ops))
            continue
        b = seasoned(a, bursts.uniform(a, ops), 0)
        score.add(b.script if back is None else reset_before(rng, b, back, (1,)))
    return score.whole(n)
