"""Pools of fixed-size blocks."""

from typing import Any

from heaplaw.spec.event import Order
from heaplaw.spec.history import History

from ..entry import Entry
from ..program import Step, alloc, free, program

_LEAVE_OUT = "A pool that does not count so is mapped without that counter."


def _pool(*steps: Step, blocks: int = 4, **env: Any) -> History:
    """What a pool of blocks of 64 bytes did."""
    return program("pool", *steps, block_size=64, num_blocks=blocks, **env)


CONSERVED = Entry(
    "pool_conserved",
    "Every block is free or handed out, and never both or neither: the two counts add up to the number of blocks. When "
    "they do not, a block is lost, or is about to be handed out twice. Seen to break it: one count that is brought up "
    "to date before the other is computed from it.",
    kept=_pool(alloc(64, 0x0, num_free=3, num_allocated=1), free(1, num_free=4)),
    broken=_pool(alloc(64, 0x0, num_free=3, num_allocated=1), free(1, num_free=4, num_allocated=1)),
    legitimate=f"never, where both counts are told. {_LEAVE_OUT}",
)
ACCOUNTING = Entry(
    "accounting_exact",
    "num_allocated is the number of blocks that callers have: the requests served, less what was given back. Limits, "
    "leak checks and tests are written against it. Seen to break it: free and allocated blocks mistaken for each "
    "other, and a pool made again that keeps the old count.",
    kept=_pool(alloc(64, 0x0, num_allocated=1), alloc(64, 0x40, num_allocated=2), free(1, num_allocated=1)),
    broken=_pool(alloc(64, 0x0, num_allocated=1), alloc(64, 0x40, num_allocated=2), free(1, num_allocated=2)),
    legitimate=f"never, where the count is told. {_LEAVE_OUT}",
)
ON_GRID = Entry(
    "pool_on_grid",
    "A pool cuts its buffer into equal blocks that stand side by side, and hands out these and no other places. A "
    "block beside the grid overlaps two others. Seen to break it: a reset after which blocks begin 8 bytes further, "
    "and a distance between blocks that is not their size.",
    kept=_pool(alloc(64, 0x0), alloc(64, 0x40), capacity=256),
    broken=_pool(alloc(64, 0x0), alloc(64, 0x48), capacity=256),
    legitimate="where blocks do not stand side by side from the first one on, with headers between them or in several "
    "chunks: then the mapping has no `base`, and the law is not judged.",
)
SERVES_WHILE_FREE = Entry(
    "pool_serves_while_free",
    "A pool of n blocks serves n requests, and the next one is refused: not earlier, not later. Whoever sizes a pool "
    "for the worst case relies on it. Seen to break it: a list that lacks its last block, two pools that share one "
    "list, a block that is lost when a full pool is drained, and the tail of a queue that is kept when the queue "
    "runs empty.",
    kept=_pool(alloc(64, 0x0), alloc(64, 0x40), alloc(64), blocks=2),
    broken=_pool(alloc(64, 0x0), alloc(64), blocks=2),
    legitimate="never: `num_blocks` is the number that the pool is asked for. One that holds fewer, since it puts "
    "its own data into the buffer, is mapped with the number that it does hold.",
)
FREE_COUNT = Entry(
    "free_count_exact",
    "num_free_blocks is the number of blocks that can still be had: all, less those that are live. Callers ask it "
    "before they begin what they cannot stop in the middle. Seen to break it: a freed block that is put on the list "
    "and not counted, a block that still counts as free when it is handed out, and a pool made again that keeps the "
    "old count.",
    kept=_pool(alloc(64, 0x0, num_free=3), free(1, num_free=4)),
    broken=_pool(alloc(64, 0x0, num_free=3), free(1, num_free=3)),
    legitimate=f"never, where the count is told. {_LEAVE_OUT}",
)
REUSABLE = Entry(
    "freed_is_reusable",
    "What was given back can be had again: right after a block is freed, a request of the same size is served; of a "
    "free list that joins neighbours, a smaller one too. Seen to break it: a search that leaves out the last block "
    "of the list.",
    kept=program("freelist", alloc(64, 0x10), free(1), alloc(64, 0x10), capacity=128),
    broken=program("freelist", alloc(64, 0x10), free(1), alloc(64), capacity=128),
    legitimate="where freed blocks are kept back for a while, as allocators do that look for late uses. No setting "
    "says that: an `[[expect]]` with its reason does.",
)
REUSE_ORDER = Entry(
    "reuse_order",
    "A pool may promise which freed block comes next: the newest, which is likely to be in the cache still, or the "
    "oldest, which leaves late uses time to be seen. Seen to break it: a freed block that is put second on the list, "
    "always or once the pool has been full.",
    kept=_pool(alloc(64, 0x0), alloc(64, 0x40), free(1), free(2), alloc(64, 0x40), reuse_order=Order.LIFO),
    broken=_pool(alloc(64, 0x0), alloc(64, 0x40), free(1), free(2), alloc(64, 0x0), reuse_order=Order.LIFO),
    legitimate="wherever no order is promised; no standard asks for one.",
    settings=('reuse = "any"',),
)

ENTRIES = (CONSERVED, ACCOUNTING, ON_GRID, SERVES_WHILE_FREE, FREE_COUNT, REUSABLE, REUSE_ORDER)
