"""For laws about whole runs: the shortest steady loop, of a few plain forms, that breaks one."""

from collections.abc import Callable

from heaplaw.spec.history import Op, Trace
from heaplaw.spec.layout import SIZE_MAX
from heaplaw.spec.shapes import MAKERS, Kind

from .ranges import smallest

Turn = Callable[[int, int, int], list[Op]]
"""The operations of one turn, given the size, the turn's number and the number of its first operation."""
SIZES = (4096, 1024, 64, 8192, 2048, 512, 16, 128, 24, 48, 3000)
CROWD = 32


def plain(size: int, turn: int, at: int) -> list[Op]:
    """One block comes and goes."""
    return [Op(Kind.ALLOC, size), Op(Kind.FREE, slot=at)]


def refused(size: int, turn: int, at: int) -> list[Op]:
    """Between two turns, a request that is refused."""
    return [Op(Kind.ALLOC, size), Op(Kind.FREE, slot=at), Op(Kind.ALLOC, SIZE_MAX // 2)]


def resized(size: int, turn: int, at: int) -> list[Op]:
    """One block grows and goes."""
    return [Op(Kind.ALLOC, size), Op(Kind.RESIZE, 2 * size + 1, slot=at), Op(Kind.FREE, slot=at + 1)]


def shrunk(size: int, turn: int, at: int) -> list[Op]:
    """One block shrinks and goes."""
    return [Op(Kind.ALLOC, size), Op(Kind.RESIZE, size // 8 + 1, slot=at), Op(Kind.FREE, slot=at + 1)]


def aligned(size: int, turn: int, at: int) -> list[Op]:
    """One aligned block comes and goes."""
    return [Op(Kind.POSIX_ALIGNED, size, align=4096), Op(Kind.FREE, slot=at)]


def zeroed(size: int, turn: int, at: int) -> list[Op]:
    """One zeroed block comes and goes."""
    return [Op(Kind.ZALLOC, size), Op(Kind.FREE, slot=at)]


def larger(size: int, turn: int, at: int) -> list[Op]:
    """One block comes and goes, every time a little larger."""
    return [Op(Kind.ALLOC, size // 64 * turn + 1), Op(Kind.FREE, slot=at)]


def wandering(size: int, turn: int, at: int) -> list[Op]:
    """An aligned block comes behind another one, which every time is a little larger, and both go."""
    first = Op(Kind.ALLOC, size // 64 * turn + 1)
    return [first, Op(Kind.POSIX_ALIGNED, size, align=4096), Op(Kind.FREE, slot=at), Op(Kind.FREE, slot=at + 1)]


def crowd(size: int, turn: int, at: int) -> list[Op]:
    """Several blocks come, then all go."""
    return [Op(Kind.ALLOC, size)] * CROWD + [Op(Kind.FREE, slot=at + k) for k in range(CROWD)]


FORMS: tuple[Turn, ...] = (plain, refused, resized, aligned, zeroed, shrunk, larger, wandering, crowd)


def suits(turn: Turn, size: int, kinds: frozenset[Kind], trace: Trace) -> bool:
    """Every operation of a turn is there, and what is live at a time fills a quarter of the capacity at most."""
    ops = turn(size, 63, 0)
    live = sum(op.size for op in ops if op.kind in MAKERS and op.size <= 2**20)
    room = int(trace.env.capacity)
    sizes = max(op.size for op in ops) <= trace.env.max_request
    return {op.kind for op in ops} <= kinds and sizes and (not room or 4 * live <= room)


def loop(trace: Trace, turn: Turn, size: int, turns: int) -> Trace:
    """`turns` turns, as a trace like `trace`."""
    ops: list[Op] = []
    for number in range(turns):
        ops += turn(size, number, len(ops))
    return trace.with_ops(ops)


def enough(turn: Turn, size: int) -> int:
    """Turns in which a leak of one block in eight shows: the law's bound is 4 times the peak and 256 KiB."""
    if turn in (larger, wandering):
        return 400
    peak = size * (CROWD if turn is crowd else 3 if turn is resized else 1)
    turnover = size * (CROWD if turn is crowd else 1)
    return 10 * -(-(4 * peak + 2**18) // turnover) + 8


def shortest_loop(
    fails: Callable[[Trace], bool], late: Callable[[], bool], trace: Trace, kinds: frozenset[Kind]
) -> Trace | None:
    """The first form and size that break the law, with the smallest size and then the fewest turns that still do."""
    for size in SIZES:
        for turn in FORMS:
            if late():
                return None
            if not suits(turn, size, kinds, trace):
                continue
            turns = enough(turn, size)
            if turns * (2 * CROWD if turn is crowd else 4) > 60_000 or not fails(loop(trace, turn, size, turns)):
                continue
            found = turns

            def many(value: int, turn: Turn = turn, size: int = size) -> bool:
                return not late() and fails(loop(trace, turn, size, value))

            return loop(trace, turn, size, smallest(1, found, many))
    return None
