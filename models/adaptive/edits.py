"""Edits of stretches that reached something new: cut, repeated, spliced, sizes moved, frees in another order."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from heaplaw.models.script import Script, composed, joined
from heaplaw.spec.shapes import MAKERS, REQUESTS, Kind

from .pieces import Kit, Writer, inserted, many_times, without

STEPS = (1, -1, 1, -1, 2, 7, -7, 8, -8, 15, 16, -16, 32, 4096)
"""By how much a size is moved, bytes."""
_MAKERS = np.array([int(kind) for kind in MAKERS], np.uint8)
_REQUESTS = np.array([int(kind) for kind in REQUESTS], np.uint8)


def sizes_moved(kit: Kit, script: Script) -> Script:
    """All requests of one size get another: a step away, or an edge."""
    asks = np.flatnonzero(np.isin(script.kind, _MAKERS))
    if not len(asks):
        return script
    script = script.taken(np.arange(len(script)))
    chosen = int(script.size[asks[kit.below(len(asks))]])
    other = kit.size() if kit.chance(0.4) else max(1, chosen + kit.pick(STEPS))
    same = asks[script.size[asks] == np.uint64(chosen)]
    if kit.chance(0.4):
        same = same[kit.rng.random(len(same)) < 0.5]
    script.size[same] = other % 2**64
    return script


def cut_out(kit: Kit, script: Script) -> Script:
    """Without a few operations in a row, or without some here and there."""
    n = len(script)
    gone = np.zeros(n, np.bool_)
    if kit.chance(0.5):
        at = kit.below(n)
        gone[at : at + kit.number(1, max(1, n // 3))] = True
    else:
        gone |= kit.rng.random(n) < kit.pick((0.02, 0.1, 0.3))
    return without(script, gone)


def repeated(kit: Kit, script: Script) -> Script:
    """A stretch of it, or all, several times."""
    n = len(script)
    start, length = 0, n
    if kit.chance(0.6):
        start = kit.below(n)
        length = kit.number(1, n - start)
    part = composed(script, np.array([start]), np.array([length]))
    times = kit.number(2, 60)
    return joined([script.cut(start), many_times(part, times)])


def reordered(kit: Kit, script: Script) -> Script:
    """The frees of one stretch name the same blocks in another order."""
    frees = np.flatnonzero(script.kind == Kind.FREE)
    if len(frees) < 2:
        return sizes_moved(kit, script)
    at = kit.below(len(frees) - 1)
    some = frees[at : at + kit.number(2, 40)]
    some = some[script.slot[some] < some[0]]
    script = script.taken(np.arange(len(script)))
    slots = script.slot[some]
    script.slot[some] = [slots[::-1], np.sort(slots), np.sort(slots)[::-1], kit.rng.permutation(slots)][kit.below(4)]
    return script


def otherwise_asked(kit: Kit, script: Script) -> Script:
    """Some requests become others: zeroed, aligned, plain."""
    asks = np.flatnonzero(np.isin(script.kind, _REQUESTS))
    some = asks[kit.rng.random(len(asks)) < kit.pick((0.1, 0.5, 1.0))]
    script = script.taken(np.arange(len(script)))
    script.kind[some] = kit.pick(kit.requests)
    script.align[some] = kit.pick(kit.alignments)
    return script


def interrupted(kit: Kit, script: Script) -> Script:
    """With a refused request, or one more block that comes and stays, somewhere in it."""
    writer = Writer(kit)
    for _ in range(kit.dice.randrange(1, 4)):
        writer.refuse()
        if kit.chance(0.5):
            writer.ask(kit.size())
    return inserted(script, writer.script(), kit.below(len(script)))


EDITS: tuple[Callable[[Kit, Script], Script], ...] = (
    sizes_moved,
    sizes_moved,
    cut_out,
    repeated,
    reordered,
    otherwise_asked,
    interrupted,
)


def edited(kit: Kit, kept: Sequence[Script], ops: int) -> Script:
    """A kept stretch, changed once or a few times, or joined with another; of `ops` operations at most."""
    script = kit.pick(kept)
    if kit.chance(0.25):
        other = kit.pick(kept)
        script = joined([script.cut(kit.dice.randrange(1, len(script) + 1)), other])
    for _ in range(kit.pick((1, 1, 2, 3))):
        if len(script):
            edit = kit.pick(EDITS)
            script = edit(kit, script).cut(ops)
    return replace(script)
