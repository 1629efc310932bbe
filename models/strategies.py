"""Hypothesis strategies over the generator's table: sizes, alignments, factors, operations, programs.

Every strategy shrinks towards small numbers and few operations. A program never frees twice and never uses a
block after its death: it is what a correct user may do.
"""

from collections.abc import Iterable, Sequence

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from heaplaw.spec.event import Env
from heaplaw.spec.history import Op, Trace, make_trace
from heaplaw.spec.layout import is_power_of_two
from heaplaw.spec.shapes import CALLS, MAKERS, POOL, SHAPES, TAKERS, Kind

from . import table

LARGEST_CLASS = max(family.high for family in table.SIZES)
"""Largest ordinary size, bytes."""


def _of_class(family: table.SizeClass) -> SearchStrategy[int]:
    if family.edges == 0:
        return st.integers(family.low, family.high)
    edges = st.integers(max(1, family.low // family.edges), family.high // family.edges)
    near = st.tuples(edges, st.sampled_from(table.NEAR))
    return near.map(lambda pair: max(0, pair[0] * family.edges + pair[1]))


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


def alignments() -> SearchStrategy[int]:
    """Alignments asked for, bytes: powers of two."""
    return st.sampled_from(table.ALIGNMENTS).filter(is_power_of_two)


def factors() -> SearchStrategy[tuple[int, int]]:
    """(count, size) for zeroing calls: products that fit, and products that exceed every object."""
    fits = st.tuples(st.integers(0, 64), st.integers(0, LARGEST_CLASS // 64))
    return fits | st.sampled_from(table.WRAPPING_FACTORS)


def request(shape: str, kind: Kind, env: Env) -> SearchStrategy[Op]:
    """One operation of `kind`, with its slot left open. A pool's request has the size of its blocks."""
    if SHAPES[shape] is POOL:
        return st.just(Op(kind, env.block_size if kind in MAKERS else 0))
    if kind == Kind.ZALLOC:
        return factors().map(lambda pair: Op(kind, pair[1], count=pair[0]))
    if kind in (Kind.ALIGNED, Kind.POSIX_ALIGNED):
        return st.tuples(requests(), alignments()).map(lambda pair: Op(kind, pair[0], align=pair[1]))
    if kind == Kind.RESIZE:
        return requests().map(lambda size: Op(kind, max(1, size)))
    return requests().map(lambda size: Op(kind, size)) if kind == Kind.ALLOC else st.just(Op(kind))


def program(choices: Iterable[tuple[Op, int]]) -> list[Op]:
    """Operations with slots filled in: each pick, modulo their number, names one of the slots still held.

    Operations that need a block where none is held are left out. A resize is followed in its own slot,
    whether or not it will succeed.
    """
    ops: list[Op] = []
    open_slots: list[int] = []
    for op, pick in choices:
        if op.kind in TAKERS:
            if not open_slots:
                continue
            place = pick % len(open_slots)
            slot = open_slots[place] if op.kind == Kind.CHECK else open_slots.pop(place)
            ops.append(Op(op.kind, op.size, slot, op.align, op.count))
        else:
            ops.append(op)
        if op.kind in MAKERS:
            open_slots.append(len(ops) - 1)
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
    "kinds_of",
    "program",
    "programs",
    "refused_sizes",
    "request",
    "requests",
    "sizes",
    "traces",
]
