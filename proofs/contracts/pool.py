"""The pool: `BLOCKS` blocks in any order, any of them free."""

from dataclasses import dataclass, replace

from heaplaw.refimpl.steps import pool as steps
from heaplaw.refimpl.steps.pool import PoolState
from heaplaw.spec.event import Block, Event, View
from heaplaw.spec.heap import block_of
from heaplaw.spec.history import Op
from heaplaw.spec.shapes import Kind

from .engine import Contract
from .memory import Cells, disjoint, holds

BLOCKS = 3
SIZE = 16
ORDERS = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
"""Which block is where: the first `num_free` are the free list, bottom first; the rest are live."""


@dataclass(frozen=True)
class Pool:
    """A pool, its memory, and the addresses of its live blocks."""

    state: PoolState
    memory: Cells
    live: tuple[int, ...]

    @property
    def view(self) -> View:
        """The heap as the history tells it."""
        return View(self.state.num_free, self.state.num_blocks - self.state.num_free, len(self.live))


def pool_of(buffer: int, order: int, num_free: int) -> Pool:
    """The pool at `buffer` whose blocks are in the given order, the first `num_free` of them free."""
    places = tuple(buffer + index * SIZE for index in ORDERS[order])
    state, memory = steps.PoolState(buffer, SIZE, BLOCKS, 0, 0), Cells()
    for place in places[:num_free]:
        memory.write(place, state.free_list)
        state = replace(state, free_list=place, num_free=state.num_free + 1)
    return Pool(state, memory, places[num_free:])


def carried_out(before: Pool, op: Op, ptr: int) -> tuple[Pool, Event]:
    """An operation of the steps: the pool after it, and what came of it."""
    state, e = steps.step(before.state, op, ptr, before.memory)
    live = (*before.live, e.ptr) if e.makes else tuple(each for each in before.live if each != ptr)
    return Pool(state, before.memory, live), e


def request_lawful(before: Pool, after: Pool, e: Event) -> bool:
    """The laws on a request: alignment, bounds, grid, counters, progress, disjointness from each live block."""
    post = after.view
    told = View(e.num_free, e.num_allocated, post.live)
    placed = holds(("aligned", "in_bounds", "pool_on_grid"), e)
    counted = holds(
        (
            "pool_conserved",
            "accounting_exact",
            "free_count_exact",
            "pool_serves_while_free",
            "failure_changes_nothing",
        ),
        before.view,
        e,
        told,
    )
    if not e.makes:
        return placed and counted
    return placed and counted and all(disjoint([Block(ptr, SIZE), block_of(e, 1)]) for ptr in before.live)


def alloc(buffer: int, order: int, num_free: int) -> bool:
    """A request of a pool obeys the laws, be blocks free or not: where the block lies, what the counters say.

    pre: 8 <= buffer < 2**64 - 48
    pre: buffer % 8 == 0
    pre: 0 <= order < 6
    pre: 0 <= num_free <= 3
    post: _
    """
    before = pool_of(buffer, order, num_free)
    after, e = carried_out(before, Op(Kind.ALLOC), 0)
    return request_lawful(before, after, e)


def dealloc(buffer: int, order: int, num_free: int) -> bool:
    """Freeing a live block keeps the counters exact; afterwards lawful blocks are served until the pool is full again.

    pre: 8 <= buffer < 2**64 - 48
    pre: buffer % 8 == 0
    pre: 0 <= order < 6
    pre: 0 <= num_free <= 2
    post: _
    """
    before = pool_of(buffer, order, num_free)
    now, e = carried_out(before, Op(Kind.FREE), before.live[0])
    told = View(e.num_free, e.num_allocated, now.view.live)
    return holds(("pool_conserved", "accounting_exact", "free_count_exact"), before.view, e, told) and drained(now)


def drained(now: Pool) -> bool:
    """Requests are served while blocks are free, on the grid, and share no byte."""
    while len(now.live) < BLOCKS:
        after, e = carried_out(now, Op(Kind.ALLOC), 0)
        post = View(e.num_free, e.num_allocated, len(after.live))
        if not holds(("pool_serves_while_free",), now.view, e, post) or not holds(("in_bounds", "pool_on_grid"), e):
            return False
        now = after
    return disjoint([Block(ptr, SIZE) for ptr in now.live])


def init(buffer: int, block_size: int, num_blocks: int) -> bool:
    """A new pool serves each of its blocks, as large as was asked for, in order of address, and then no more.

    pre: 8 <= buffer < 2**32
    pre: buffer % 8 == 0
    pre: 0 <= block_size < 2**32
    pre: 0 <= num_blocks <= 3
    post: _
    """
    memory = Cells()
    state = steps.init(buffer, block_size, num_blocks, memory)
    found: list[Block] = []
    for index in range(num_blocks + 1):
        pre = View(state.num_free, state.num_blocks - state.num_free, index)
        state, e = steps.step(state, Op(Kind.ALLOC), 0, memory)
        post = View(e.num_free, e.num_allocated, index + (1 if e.makes else 0))
        if not holds(("aligned", "in_bounds"), e) or not holds(
            ("pool_serves_while_free", "accounting_exact"), pre, e, post
        ):
            return False
        if e.makes:
            found.append(block_of(e, index))
    return disjoint(found) and all(block.extent >= block_size for block in found)


_ANY = f"{BLOCKS} blocks of {SIZE} bytes in any order, any of them free; any buffer"
CONTRACTS = (
    Contract("pool.alloc", alloc, _ANY),
    Contract("pool.dealloc", dealloc, _ANY),
    Contract("pool.init", init, f"up to {BLOCKS} blocks of any size below 4 GiB, any buffer below 4 GiB"),
)
