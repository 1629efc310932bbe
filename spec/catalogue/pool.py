"""Pools of fixed-size blocks: conservation, grid, progress, counters."""

from dataclasses import replace

from ..event import Env, Event, Order, Status, View
from ..law import Law, Scope
from ..logic import Truth, implies, ite, one_of
from ..shapes import Kind

POOL = frozenset({"pool"})
_ENV = Env(align_by_size=False, max_align=8, base=0x1000, capacity=256, block_size=64, num_blocks=4)
_GAVE = Event(Kind.ALLOC, 64, ptr=0x1040, env=_ENV)
_FULL = Event(Kind.ALLOC, 64, status=Status.FAILED, env=_ENV)


def _counted(pre: View, e: Event, post: View) -> Truth:
    return e.counted


def _conserved(pre: View, e: Event, post: View) -> Truth:
    # As a difference: the sum of two counters gone wrong could wrap in a column of 64-bit words.
    blocks = e.env.num_blocks
    return (post.num_free <= blocks) & (post.num_allocated == blocks - post.num_free)


pool_conserved = Law[View, Event, View](
    id="HL401",
    name="pool_conserved",
    sentence="free blocks and allocated blocks add up to the number of blocks, after every operation",
    source="Vais std/allocator, PoolAllocator: num_free_blocks, num_allocated",
    scope=Scope.STEP,
    shapes=POOL,
    premise=_counted,
    body=_conserved,
    observed=lambda pre, e, post: f"{post.num_free} free + {post.num_allocated} allocated blocks",
    required=lambda pre, e, post: f"{e.env.num_blocks} blocks in all",
    accepts=((View(4, 0), _GAVE, View(3, 1, 1)),),
    rejects=((View(4, 0), _GAVE, View(4, 1, 1)), (View(4, 0), _GAVE, View(3, 0, 1))),
    needs=frozenset({"num_free_blocks", "num_allocated"}),
)


def _counts_live(pre: View, e: Event, post: View) -> Truth:
    return post.num_allocated == post.live


accounting_exact = Law[View, Event, View](
    id="HL402",
    name="accounting_exact",
    sentence="the allocator's count of allocated blocks is the number of live blocks, after every operation",
    source="Vais std/allocator, PoolAllocator: num_allocated",
    scope=Scope.STEP,
    shapes=POOL,
    premise=_counted,
    body=_counts_live,
    observed=lambda pre, e, post: f"num_allocated = {post.num_allocated} blocks",
    required=lambda pre, e, post: f"{post.live} live blocks",
    accepts=((View(4, 0), _GAVE, View(3, 1, 1)),),
    rejects=((View(4, 0), _GAVE, View(4, 0, 1)),),
    needs=frozenset({"num_allocated"}),
)


def _counts_free(pre: View, e: Event, post: View) -> Truth:
    blocks = e.env.num_blocks
    return (post.live <= blocks) & (post.num_free == blocks - post.live)


free_count_exact = Law[View, Event, View](
    id="HL405",
    name="free_count_exact",
    sentence="the allocator's count of free blocks is the number of blocks that are not live, after every operation",
    source="Vais std/allocator, PoolAllocator: num_free_blocks",
    scope=Scope.STEP,
    shapes=POOL,
    premise=_counted,
    body=_counts_free,
    observed=lambda pre, e, post: f"num_free_blocks = {post.num_free} blocks",
    required=lambda pre, e, post: f"{e.env.num_blocks} blocks in all, less {post.live} live ones",
    accepts=((View(4, 0), _GAVE, View(3, 1, 1)),),
    rejects=((View(4, 0), _GAVE, View(4, 1, 1)),),
    needs=frozenset({"num_free_blocks"}),
)


def _gives(e: Event) -> Truth:
    return e.makes


def _on_grid(e: Event) -> Truth:
    base, size = e.env.base, e.env.block_size
    return ite(e.ptr >= base, e.ptr - base, base - e.ptr) % ite(size == 0, 1, size) == 0


pool_on_grid = Law[Event](
    id="HL403",
    name="pool_on_grid",
    sentence="a block starts a whole number of block sizes into the buffer",
    source="Vais std/allocator, PoolAllocator: fixed-size blocks in one buffer",
    scope=Scope.EVENT,
    shapes=POOL,
    premise=_gives,
    body=_on_grid,
    observed=lambda e: f"{(e.ptr - e.env.base) % e.env.block_size} bytes off the grid",
    required=lambda e: f"a multiple of {e.env.block_size} bytes from {e.env.base:#x}",
    accepts=((_GAVE,),),
    rejects=((Event(Kind.ALLOC, 64, ptr=0x1048, env=_ENV),),),
    needs=frozenset({"grid"}),
)


def _asks(pre: View, e: Event, post: View) -> Truth:
    return e.asks


def _serves_iff_free(pre: View, e: Event, post: View) -> Truth:
    free = pre.live < e.env.num_blocks
    return implies(free, e.served) & implies(e.served, free)


pool_serves_while_free = Law[View, Event, View](
    id="HL404",
    name="pool_serves_while_free",
    sentence="a pool serves a request if and only if one of its blocks is free",
    source="Vais std/allocator, PoolAllocator: alloc returns 0 if full",
    scope=Scope.STEP,
    shapes=POOL,
    premise=_asks,
    body=_serves_iff_free,
    observed=lambda pre, e, post: (
        f"{'served' if e.status == Status.OK else 'refused'} with {pre.live} of {e.env.num_blocks} blocks live"
    ),
    required=lambda pre, e, post: "served" if pre.live < e.env.num_blocks else "the failure value",
    accepts=((View(1, 3, 3), _GAVE, View(0, 4, 4)), (View(0, 4, 4), _FULL, View(0, 4, 4))),
    rejects=((View(1, 3, 3), _FULL, View(1, 3, 3)), (View(0, 4, 4), _GAVE, View(0, 5, 5))),
)


def _freed_before(pre: View, e: Event, post: View) -> Truth:
    # Less than was freed may belong to another class of sizes; who joins and splits has none.
    fits = ite(bool(e.env.coalesces), e.extent <= pre.freed, e.extent == pre.freed)
    return one_of(e.kind, (Kind.ALLOC, Kind.ZALLOC)) & e.asks & (e.extent >= 1) & fits


def _is_served(pre: View, e: Event, post: View) -> Truth:
    return e.served


freed_is_reusable = Law[View, Event, View](
    id="HL406",
    name="freed_is_reusable",
    sentence="right after a block is freed, its size is served again, and less than it where free blocks are joined",
    source="Vais std/allocator, PoolAllocator and FreeListAllocator: freed memory goes back to the free list",
    scope=Scope.STEP,
    shapes=frozenset({"pool", "freelist"}),
    premise=_freed_before,
    body=_is_served,
    observed=lambda pre, e, post: f"{e.extent} bytes refused, {pre.freed} bytes having been freed just before",
    required=lambda pre, e, post: "a block",
    accepts=((View(3, 1, 1, freed=64), _GAVE, View(2, 2, 2)),),
    rejects=((View(4, 0, freed=64), replace(_FULL, status=Status.FAILED), View(4, 0)),),
)


def _promises_order(pre: View, e: Event, post: View) -> Truth:
    return e.makes & (pre.newest_free > 0)


def _in_order(pre: View, e: Event, post: View) -> Truth:
    lifo = e.env.reuse_order == Order.LIFO
    # A queue may hand out blocks that were never used before the oldest freed one; a stack may not.
    return ite(lifo, e.ptr == pre.newest_free, implies(post.reused, e.ptr == pre.oldest_free))


_LIFO, _FIFO = replace(_ENV, reuse_order=Order.LIFO), replace(_ENV, reuse_order=Order.FIFO)

reuse_order = Law[View, Event, View](
    id="HL407",
    name="reuse_order",
    sentence="freed blocks are handed out again in the promised order: the newest first, or the oldest first",
    source="Vais std/allocator, PoolAllocator: a free list that is a stack; other orders by promise",
    scope=Scope.STEP,
    shapes=POOL,
    premise=_promises_order,
    body=_in_order,
    observed=lambda pre, e, post: f"{e.ptr:#x}",
    required=lambda pre, e, post: (
        f"{pre.newest_free:#x}, freed last"
        if e.env.reuse_order == Order.LIFO
        else f"{pre.oldest_free:#x}, freed first, or a block that was never used"
    ),
    accepts=(
        (View(newest_free=0x1040, oldest_free=0x1000), replace(_GAVE, env=_LIFO), View(reused=True)),
        (View(newest_free=0x1000, oldest_free=0x1040), replace(_GAVE, env=_FIFO), View(reused=True)),
        (View(newest_free=0x1000, oldest_free=0x1000), replace(_GAVE, env=_FIFO), View()),
    ),
    rejects=(
        (View(newest_free=0x1080, oldest_free=0x1040), replace(_GAVE, env=_LIFO), View(reused=True)),
        (View(newest_free=0x1040, oldest_free=0x1080), replace(_GAVE, env=_FIFO), View(reused=True)),
    ),
    needs=frozenset({"reuse order"}),
)

LAWS = (
    pool_conserved,
    accounting_exact,
    pool_on_grid,
    pool_serves_while_free,
    free_count_exact,
    freed_is_reusable,
    reuse_order,
)
