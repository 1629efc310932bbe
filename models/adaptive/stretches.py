"""Stretches around what is known of a subject: exact fills, boundary bursts, last in first out, recycling, resizes.

Probes come first: they ask what the knowledge is made of.
"""

from collections.abc import Callable
from typing import TypeAlias

from heaplaw.models.script import Script
from heaplaw.spec.shapes import Kind

from .pieces import MOST_SIZE, Kit, Writer, drained

Stretch: TypeAlias = Callable[[Kit, int], Script]
"""Draws about so many operations at most."""
SWEEP = 1100
"""Small sizes that are asked for one by one, bytes."""
SIDE_BY_SIDE = 3
"""Blocks of one size that are asked for in a row, to see how far apart they come."""
AROUND = (-1, 0, 1, 0, 1, -8, 8)
"""Distances from an edge, bytes."""
LADDER = tuple(2**k for k in range(10, 21))
"""Sizes between which edges of large classes are looked for, bytes."""


def ladder(kit: Kit, _ops: int) -> Script:
    """A few blocks of each size, side by side: small sizes in turn, then powers of two, then between edges."""
    writer = Writer(kit)
    step = 8 if kit.known.edges else 1
    sizes = [*range(1, min(SWEEP, kit.room), step), *(size for size in LADDER if size <= kit.room // 4)]
    sizes = [(low + high) // 2 for low, high in kit.known.gaps] + sizes if kit.known.gaps else sizes
    for size in sizes:
        for _ in range(SIDE_BY_SIDE):
            writer.ask(size)
        writer.end_all(1)
        if Kind.FREE not in kit.kinds and kit.back is not None:
            writer.put(kit.back)
            writer.live.clear()
    return writer.script()


def between_edges(kit: Kit, _ops: int) -> Script:
    """The middles of all gaps in which an edge lies, and what an empty instance may just serve."""
    writer = Writer(kit)
    known = kit.known
    for low, high in known.gaps:
        for _ in range(SIDE_BY_SIDE):
            writer.ask((low + high) // 2)
        writer.end_all(1)
    low, high = known.largest, known.refused or int(kit.env.capacity)
    if kit.env.capacity and low < high:
        if kit.back is not None:
            writer.put(kit.back)
        writer.ask((low + high + 1) // 2)
        writer.end_all(1)
    return writer.script()


def until_refused(kit: Kit, ops: int) -> Script:
    """Blocks of one size until no more fit, or as many as there is time for."""
    writer, size = Writer(kit), kit.size()
    n = min(ops // 2, int(kit.env.capacity) // max(1, size) + 3 if kit.env.capacity else ops // 2)
    for _ in range(n):
        writer.ask(size)
    writer.end_all(kit.below(4))
    return writer.script()


def alignments(kit: Kit, _ops: int) -> Script:
    """Every alignment with a small and an odd size."""
    writer = Writer(kit)
    asking = [kind for kind in (Kind.ALIGNED, Kind.POSIX_ALIGNED) if kind in kit.kinds]
    for kind in asking:
        for align in dict.fromkeys(kit.alignments):
            writer.ask(align + 1, kind, align)
            writer.ask(33, kind, align)
    return drained(writer.script(), kit)


PROBES: tuple[Stretch, ...] = (ladder, until_refused, alignments)
"""What is asked first."""


def _crowd(kit: Kit, ops: int) -> tuple[int, int]:
    """(size, blocks): as many as fill a row, or everything, give or take one; else any number."""
    known = [*kit.known.runs, *kit.known.fills]
    if known and kit.chance(0.7):
        size, blocks = kit.pick(known)
        size += kit.pick((0, 0, 0, -1, 1))
        rows = kit.dice.randrange(1, 4)
        return max(1, size), max(1, min(rows * blocks + kit.dice.randrange(-2, 3), ops // 3))
    return kit.size(), kit.number(2, max(2, min(ops // 3, 700)))


def exact_fill(kit: Kit, ops: int) -> Script:
    """Fills a row, or all there is, to the last block; gives some back and fills it again, and once more."""
    writer = Writer(kit)
    size, blocks = _crowd(kit, ops)
    for _ in range(blocks):
        writer.ask(size)
    for _ in range(kit.dice.randrange(1, 4)):
        if kit.chance(0.3):
            writer.refuse()
        few = kit.pick((1, 2, 3, max(1, blocks // 2), blocks))
        way = kit.below(3)
        for _ in range(min(few, len(writer.live))):
            writer.end((-1, 0, kit.below(len(writer.live)))[way])
        other = size + kit.pick((0, 0, -1, 1))
        for _ in range(few + kit.below(3)):
            writer.ask(max(1, other))
        if len(writer) > ops:
            break
    writer.check(0)
    writer.end_all(kit.below(4))
    return writer.script()


def boundary_burst(kit: Kit, ops: int) -> Script:
    """Sizes around one or two edges, asked for, resized across the edge, given back, read."""
    writer, edges = Writer(kit), [kit.edge() for _ in range(kit.dice.randrange(1, 3))]
    for _ in range(kit.number(8, max(8, ops // 2))):
        size = max(1, min(MOST_SIZE, kit.pick(edges) + kit.pick(AROUND)))
        place, turn = kit.below(len(writer.live)), kit.dice.random()
        if turn < 0.45 or not writer.live:
            writer.ask(size, kit.pick(kit.requests), kit.pick(kit.alignments))
        elif turn < 0.65:
            writer.resize(place, size)
        elif turn < 0.72:
            writer.check(place)
        else:
            writer.end(place)
    return drained(writer.script(), kit)


def lifo_burst(kit: Kit, ops: int) -> Script:
    """A series of one or two sizes; the last few go, newest first, and as many or one more come again."""
    writer, sizes = Writer(kit), kit.sizes(kit.dice.randrange(1, 3))
    for _ in range(kit.number(4, max(4, ops // 8))):
        for _ in range(kit.dice.randrange(1, 9)):
            writer.ask(kit.pick(sizes))
        for _ in range(kit.below(min(9, len(writer.live)) + 1)):
            writer.end(-1)
        if kit.chance(0.1):
            writer.check(0)
        if len(writer) > ops:
            break
    return drained(writer.script(), kit)


def recycle(kit: Kit, ops: int) -> Script:
    """Crowds of one exact size come and go; what comes after them is one step larger, zeroed, aligned, or the same."""
    writer, size = Writer(kit), kit.size()
    while len(writer) < ops // 2:
        n = kit.number(1, 40)
        kind = kit.pick(kit.requests)
        asked = max(1, size + kit.pick((0, 0, 0, 1, -1)))
        for _ in range(n):
            writer.ask(asked, kind, kit.pick(kit.alignments))
        writer.end_all(kit.below(4))
        if Kind.FREE not in kit.kinds and Kind.POP not in kit.kinds:
            if kit.back is not None:
                writer.put(kit.back)
            writer.live.clear()
    return writer.script()


def grow_and_shrink(kit: Kit, ops: int) -> Script:
    """A block between two neighbours is resized up and down over edges; now and then a neighbour goes first."""
    writer = Writer(kit)
    while len(writer) < ops // 2:
        for _ in range(3):
            writer.ask(kit.size())
        if kit.chance(0.5):
            writer.end(-1)
        for _ in range(kit.dice.randrange(1, 8)):
            writer.resize(1, kit.size())
            if kit.chance(0.2):
                writer.check(1)
        if kit.chance(0.1):
            writer.refuse()
        if kit.chance(0.8):
            writer.end_all(kit.below(4))
    return drained(writer.script(), kit)


def around_refusals(kit: Kit, ops: int) -> Script:
    """Nearly everything is taken; then what just fits, what just does not, and what was freed before."""
    writer = Writer(kit)
    while len(writer) < min(ops // 2, 400):
        size = kit.size()
        for _ in range(kit.dice.randrange(1, 5)):
            writer.ask(size)
        if kit.env.capacity and kit.known.largest and kit.chance(0.7):
            left = kit.known.largest - len(writer.live) * size
            writer.ask(max(0, left + kit.dice.randrange(-64, 9)))
        for _ in range(kit.dice.randrange(1, 4)):
            writer.refuse()
        writer.end(kit.below(4))
        writer.ask(size + kit.pick((0, 0, -1, 1)) if size else 0)
        writer.check(0)
        writer.end_all(kit.below(4))
        if kit.back is not None and kit.chance(0.3):
            writer.put(kit.back)
            writer.live.clear()
    return writer.script()


STRETCHES: dict[str, tuple[int, Stretch]] = {
    "exact fill": (4, exact_fill),
    "boundary burst": (4, boundary_burst),
    "last in, first out": (2, lifo_burst),
    "recycle": (2, recycle),
    "grow and shrink": (3, grow_and_shrink),
    "around refusals": (2, around_refusals),
    "until refused": (1, until_refused),
    "between edges": (1, between_edges),
}
"""Stretches with their weights."""
