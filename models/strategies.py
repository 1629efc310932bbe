"""Hypothesis strategies over the generator's table: sizes, alignments, factors, operations, programs.

Every strategy shrinks towards small numbers and few operations. A program never frees twice and never uses a
block after its death: it is what a correct user may do.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from heaplaw.spec.event import Env
from heaplaw.spec.history import Op, Trace, make_trace
from heaplaw.spec.layout import SIZE_MAX, is_power_of_two
from heaplaw.spec.shapes import CALLS, MAKERS, POOL, SHAPES, SWEEPERS, TAKERS, Kind

from . import table

NAMERS = (*TAKERS, Kind.RELEASE)
GRID = 16
"""What headers and alignments are often a multiple of, bytes: multiples of it fill a small buffer exactly."""
LARGEST_CLASS = max(family.high for family in table.SIZES)
"""Largest ordinary size, bytes."""


def _of_class(family: table.SizeClass) -> SearchStrategy[int]:
    if family.edges == 0:
        return st.integers(family.low, family.high)
    edges = st.integers(max(1, family.low // family.edges), family.high // family.edges)
    near = st.tuples(edges, st.sampled_from(table.NEAR))
    return near.map(lambda pair: max(0, pair[0] * family.edges + pair[1]))


def up_to(most: int) -> SearchStrategy[int]:
    """Numbers from 0 to `most`. They are drawn from 1 on: small numbers drawn from 0 on are to Hypothesis choices
    between strategies, and it spends its patience on them before it leaves operations out.
    """
    return st.integers(1, most + 1).map(lambda number: number - 1)


def sizes() -> SearchStrategy[int]:
    """Bytes that an allocator may be asked for and may well serve: every class of the table, powers of two,
    0.
    """
    return st.one_of(*map(_of_class, table.SIZES), st.sampled_from((0, *table.POWERS)))


def refused_sizes() -> SearchStrategy[int]:
    """Bytes that hardly any allocator can serve."""
    return st.sampled_from(table.REFUSED_SIZES)


def requests() -> SearchStrategy[int]:
    """Bytes that an allocator may be asked for, servable or not."""
    return sizes() | refused_sizes()


def alignments(most: int = max(table.ALIGNMENTS)) -> SearchStrategy[int]:
    """Alignments asked for, bytes: powers of two, up to `most`."""
    return st.sampled_from([align for align in table.ALIGNMENTS if is_power_of_two(align) and align <= most] or [1])


def factors() -> SearchStrategy[tuple[int, int]]:
    """(count, size) for zeroing calls: products that fit, and products that exceed every object."""
    fits = st.tuples(st.integers(0, 64), st.integers(0, LARGEST_CLASS // 64))
    return fits | st.sampled_from(table.WRAPPING_FACTORS)


def requests_within(env: Env) -> SearchStrategy[int]:
    """Bytes to ask for: of an allocator that says how much it has, up to that and just beyond; else of any class."""
    room = int(env.capacity or env.remaining)
    if not room:
        return requests().map(lambda size: min(size, int(env.max_request)))
    edges = [max(0, size) for size in (room - 16, room - 32, room - 8, room, room - 1, room + 1, room // 2)]
    grid = up_to(room // GRID).map(lambda count: count * GRID)
    servable = st.one_of(up_to(min(room, 64)), grid, up_to(room), st.sampled_from(edges))
    return (servable | refused_sizes()).map(lambda size: min(size, int(env.max_request)))


def factors_within(env: Env) -> SearchStrategy[tuple[int, int]]:
    """(count, size) for zeroing calls, likewise."""
    room = int(env.capacity or env.remaining)
    if not env.counted:
        return requests_within(env).map(lambda size: (1, size))
    return factors() if not room else st.tuples(st.integers(0, 8), st.integers(0, room // 4)) | factors()


def request(shape: str, kind: Kind, env: Env) -> SearchStrategy[Op]:
    """One operation of `kind`, with its slot left open. A pool's request has the size of its blocks."""
    if SHAPES[shape] is POOL:
        return st.just(Op(kind, env.block_size if kind in MAKERS else 0))
    return _sized_request(kind, env)


@cache
def _sized_request(kind: Kind, env: Env) -> SearchStrategy[Op]:
    if kind == Kind.ZALLOC:
        return factors_within(env).map(lambda pair: Op(kind, pair[1], count=pair[0]))
    if kind in (Kind.ALIGNED, Kind.POSIX_ALIGNED):
        pairs = st.tuples(requests_within(env), alignments(int(env.max_request_align)))
        return pairs.map(lambda pair: Op(kind, _multiple(*pair, env), align=pair[1]))
    if kind == Kind.RESIZE:
        return requests_within(env).map(lambda size: Op(kind, max(1, size)))
    return requests_within(env).map(lambda size: Op(kind, size)) if kind == Kind.ALLOC else st.just(Op(kind))


def _multiple(size: int, align: int, env: Env) -> int:
    """`size`, made a multiple of `align` where aligned requests must be, and there is room for that."""
    return min(size, SIZE_MAX - align) // align * align if env.aligned_multiple else size


def program(choices: Iterable[tuple[Op, int]]) -> list[Op]:
    """Operations with slots filled in: each pick, modulo their number, names one of the slots still held.

    Operations that need a block, or a mark, where none is held are left out. A resize is followed in its own slot,
    whether or not it will succeed; a pop ends the newest block, whether or not that was made.
    """
    ops: list[Op] = []
    blocks: list[int] = []
    marks: list[int] = []
    for op, pick in choices:
        held = marks if op.kind == Kind.RELEASE else blocks
        if op.kind in NAMERS:
            if not held:
                continue
            slot = held[pick % len(held)]
            if op.kind in (Kind.FREE, Kind.RESIZE):
                held.remove(slot)
            op = replace(op, slot=slot)  # noqa: PLW2901 (the same operation, with its slot)
        ops.append(op)
        if op.kind in SWEEPERS:
            gone = op.slot if op.kind == Kind.RELEASE else -1
            blocks, marks = [b for b in blocks if b < gone], [m for m in marks if m < gone]
        elif op.kind == Kind.POP:
            del blocks[-1:]
        elif op.kind in (*MAKERS, Kind.MARK):
            (marks if op.kind == Kind.MARK else blocks).append(len(ops) - 1)
    return ops


def kinds_of(shape: str, offers: frozenset[str] | None = None) -> list[Kind]:
    """The operations of a shape that a subject offers (None: all), and reading back, in order of number."""
    listed: Sequence[Kind] = sorted(SHAPES[shape].operations)
    return [kind for kind in listed if offers is None or CALLS[kind] in offers] + [Kind.CHECK]


def programs(shape: str, env: Env, max_ops: int = 20, offers: frozenset[str] | None = None) -> SearchStrategy[list[Op]]:
    """Programs of up to `max_ops` operations."""
    operation = st.sampled_from(kinds_of(shape, offers)).flatmap(lambda kind: request(shape, kind, env))
    picks = st.integers(0, max_ops)
    return st.lists(st.tuples(operation, picks), max_size=max_ops).map(program)


def traces(shape: str, env: Env, max_ops: int = 20, offers: frozenset[str] | None = None) -> SearchStrategy[Trace]:
    """Traces of up to `max_ops` operations."""
    return programs(shape, env, max_ops, offers).map(lambda ops: make_trace(shape, ops, env))


__all__ = [
    "alignments",
    "factors",
    "factors_within",
    "kinds_of",
    "program",
    "programs",
    "refused_sizes",
    "request",
    "requests",
    "requests_within",
    "sizes",
    "traces",
]
